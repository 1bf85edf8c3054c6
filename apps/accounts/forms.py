"""What account pages and buttons ask people."""

import zoneinfo
from typing import Any

from django import forms

from apps.accounts.enums import SHIPPED_TITLES, Role
from apps.accounts.models import Invitation, Team, Territory, User
from apps.core.admin_kit.buttons import ReasonForm


class ChoiceOrText(forms.TextInput):
    """A text field that offers words while one types; any other word is welcome too."""

    template_name = "accounts/choice_or_text.html"

    def __init__(self, offered: Any, attrs: dict[str, Any] | None = None) -> None:
        """Keep what to offer; a callable is asked each time."""
        super().__init__(attrs)
        self.offered = offered

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """Tie the field to its list."""
        context = super().get_context(name, value, attrs)
        list_id = f"{context['widget']['attrs'].get('id', name)}_offered"
        context["widget"]["attrs"]["list"] = list_id
        context["offered"] = self.offered() if callable(self.offered) else self.offered
        context["list_id"] = list_id
        return context


def zones() -> list[str]:
    """Return the names of time zones that people live in, sorted."""
    return sorted(name for name in zoneinfo.available_timezones() if "/" in name and not name.startswith("Etc/"))


def active_people() -> Any:
    """Return who works here."""
    return User.objects.working()


def live_teams() -> Any:
    """Return the teams in use."""
    return Team.objects.filter(archived_at=None)


def live_territories() -> Any:
    """Return the territories in use."""
    return Territory.objects.filter(archived_at=None)


class TerritoryForm(ReasonForm):
    """Where a role holds."""

    territory = forms.ModelChoiceField(
        Territory.objects.none(),
        required=False,
        label="Limited to",
        empty_label="everywhere",
        help_text="The role opens only leads, companies, campaigns and content of this territory and its parts.",
    )
    field_order: tuple[str, ...] = ("territory", "reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer territories in use; without any, nothing is asked."""
        super().__init__(*args, **kwargs)
        self.fields["territory"].queryset = live_territories()  # type: ignore[attr-defined]


class AccountForm(forms.ModelForm):  # type: ignore[type-arg]  # takes no parameter at run time
    """What people say about themselves."""

    class Meta:
        model = User
        fields = ("full_name", "time_zone")
        widgets = {"time_zone": ChoiceOrText(zones, {"placeholder": "Type a city, for instance Berlin"})}


class AcceptForm(forms.Form):
    """The invited person's choice of a password."""

    password = forms.CharField(
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password", "autofocus": True}),
        help_text="At least 12 characters, not your name and not a common password. A few unrelated words do well.",
        strip=False,
    )
    again = forms.CharField(
        label="The same password again",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        strip=False,
    )

    def clean(self) -> dict[str, Any]:
        """Compare the two entries."""
        cleaned = super().clean() or {}
        if cleaned.get("password") and cleaned.get("again") and cleaned["password"] != cleaned["again"]:
            self.add_error("again", "The two entries differ.")
        return cleaned


class InviteForm(forms.ModelForm):  # type: ignore[type-arg]  # takes no parameter at run time
    """Whom to ask in, and as what."""

    class Meta:
        model = Invitation
        fields = ("email", "full_name", "title", "team", "role")
        widgets = {"title": ChoiceOrText(SHIPPED_TITLES)}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer teams in use."""
        super().__init__(*args, **kwargs)
        if "team" in self.fields:
            self.fields["team"].queryset = live_teams()  # type: ignore[attr-defined]


class GrantForm(TerritoryForm):
    """Which role, in which team."""

    team = forms.ModelChoiceField(Team.objects.none())
    role = forms.ChoiceField(choices=Role.choices, help_text="What each role opens is under Roles.")
    field_order = ("team", "role", "territory", "reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer teams in use."""
        super().__init__(*args, **kwargs)
        self.fields["team"].queryset = live_teams()  # type: ignore[attr-defined]


class GrantInTeamForm(TerritoryForm):
    """Who, and which role, in the team on whose page one is."""

    person = forms.ModelChoiceField(User.objects.none())
    role = forms.ChoiceField(choices=Role.choices, help_text="What each role opens is under Roles.")
    field_order = ("person", "role", "territory", "reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer who works here."""
        super().__init__(*args, **kwargs)
        self.fields["person"].queryset = active_people()  # type: ignore[attr-defined]


class DeactivateForm(ReasonForm):
    """Why, and who takes over."""

    successor = forms.ModelChoiceField(
        User.objects.none(),
        required=False,
        empty_label="Nobody yet: keep each as a vacancy on record",
        help_text="Takes over everything listed above.",
    )
    field_order = ("successor", "reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer who works here."""
        super().__init__(*args, **kwargs)
        self.fields["successor"].queryset = active_people()  # type: ignore[attr-defined]


class FillForm(forms.Form):
    """Who answers for it from now on."""

    person = forms.ModelChoiceField(User.objects.none())

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer who works here."""
        super().__init__(*args, **kwargs)
        self.fields["person"].queryset = active_people()  # type: ignore[attr-defined]


class ChangeEmailForm(ReasonForm):
    """The new address."""

    email = forms.EmailField(label="New e-mail")
    field_order = ("email", "reason")
