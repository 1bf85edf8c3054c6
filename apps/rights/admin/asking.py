"""The pages of roles that people ask for."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db import models
from django.http import HttpRequest

from apps.accounts.enums import Role
from apps.accounts.forms import live_teams, live_territories
from apps.accounts.models import Team, Territory, User
from apps.core.admin_kit.buttons import Button
from apps.rights.admin.asked import AskedAdmin
from apps.rights.admin.pickers import let_type
from apps.rights.domain.asking import ask_role, people_to_ask_for, refuse_ask
from apps.rights.models import RoleRequest


class AskForm(forms.Form):
    """For whom, which role, where, and what for."""

    person = forms.ModelChoiceField(User.objects.none(), label="For")
    role = forms.ChoiceField(choices=Role.choices)
    team = forms.ModelChoiceField(Team.objects.none())
    territory = forms.ModelChoiceField(
        Territory.objects.none(), required=False, label="Limited to", help_text="Empty: everywhere."
    )
    reason = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 3}), label="What for", help_text="Read by whoever decides and reviews it."
    )

    def __init__(self, *args: Any, by: User, **kwargs: Any) -> None:
        """Offer whom `by` may ask for."""
        super().__init__(*args, **kwargs)
        offered: Any = self.fields
        offered["team"].queryset, offered["territory"].queryset = live_teams(), live_territories()
        let_type(self, "person", people_to_ask_for(by), by=by)
        offered["person"].initial = by


ASK = Button(
    "ask",
    "Ask for the role",
    ask_role,
    lambda user, _: refuse_ask(user),
    confirm="Whom the policy names decides; nobody decides about a role for themselves. Until then nothing changes.",
    style="primary",
)


@admin.register(RoleRequest)
class RoleRequestAdmin(AskedAdmin):
    """Roles asked for."""

    list_display = ("person", "role", "team", "standing", "asked_by", "created_at")
    list_filter = ("state", "role")
    search_fields = ("person__full_name", "person__email", "team__name", "reason")
    fields = ("person", "role", "team", "territory", "reason", "standing", "asked_by", "created_at", "membership")
    empty_state = "Nobody has asked for a role yet. “Add” asks for one, for yourself or for whom you manage."
    ask = ASK
    ask_for = AskForm
    ask_title = "Ask for a role"

    def ask_form(self, request: HttpRequest, by: User) -> AskForm:
        """Offer whom `by` may ask for."""
        return self.ask_for(request.POST or None, by=by)

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load what a request is called by with the rows."""
        return super().get_queryset(request).select_related("person", "team", "asked_by")
