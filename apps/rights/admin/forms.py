"""The forms of the pages about rights."""

import datetime as dt
from typing import Any

from django import forms
from django.apps import apps

from apps.accounts.domain.roles import HIDDEN_APPS
from apps.accounts.enums import Role
from apps.accounts.forms import active_people, live_teams
from apps.accounts.models import Team, User
from apps.core import clock
from apps.core.admin_kit.days import DayInput
from apps.core.words import NOTHING
from apps.rights.enums import Assignment, ReviewScope


class WhyForm(forms.Form):
    """Asks why something is taken away."""

    note = forms.CharField(
        label="Why",
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Kept with the decision, in the ledger and in the evidence.",
    )


def areas() -> list[tuple[str, str]]:
    """Return the areas whose rights can be reviewed by themselves."""
    own = (each for each in apps.get_app_configs() if each.name.startswith("apps.") and each.label not in HIDDEN_APPS)
    kept = ((each.label, str(each.verbose_name)) for each in own if list(each.get_models()))
    return [("", NOTHING), *sorted(kept, key=lambda pair: pair[1])]


class OpenReviewForm(forms.Form):
    """What to review, by whom, until when."""

    name = forms.CharField(max_length=120, help_text="For instance “Quarterly review, Q4 2026”.")
    scope = forms.ChoiceField(label="Review", choices=ReviewScope.choices, initial=ReviewScope.ALL)
    team = forms.ModelChoiceField(Team.objects.none(), required=False, help_text="Where one team is reviewed.")
    role = forms.ChoiceField(
        choices=[("", NOTHING), *Role.choices], required=False, help_text="Where one role is reviewed."
    )
    app = forms.ChoiceField(label="Area", choices=areas, required=False, help_text="Where one area is reviewed.")
    assignment = forms.ChoiceField(label="Who decides", choices=Assignment.choices, initial=Assignment.REVIEWER)
    reviewer = forms.ModelChoiceField(User.objects.none(), help_text="Decides, except about themselves.")
    second_reviewer = forms.ModelChoiceField(
        User.objects.none(), help_text="Decides about the reviewer: nobody reviews themselves."
    )
    due_on = forms.DateField(label="Due", widget=DayInput())

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer who works here, and three weeks."""
        super().__init__(*args, **kwargs)
        people: Any = active_people()
        for name in ("reviewer", "second_reviewer"):
            self.fields[name].queryset = people  # type: ignore[attr-defined]  # a ModelChoiceField
        self.fields["team"].queryset = live_teams()  # type: ignore[attr-defined]
        self.fields["due_on"].initial = (clock.today() + dt.timedelta(days=21)).isoformat()
