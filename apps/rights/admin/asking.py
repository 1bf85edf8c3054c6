"""The pages of roles that people ask for."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.decorators import display

from apps.accounts.enums import Role
from apps.accounts.forms import live_teams, live_territories
from apps.accounts.models import Team, Territory, User
from apps.core.admin_kit.base import ReadOnlyAdmin
from apps.core.admin_kit.buttons import Button
from apps.core.admin_kit.links import url_of
from apps.core.errors import DomainError
from apps.rights.admin.pickers import let_type
from apps.rights.domain.asking import ask_role, people_to_ask_for, refuse_ask
from apps.rights.enums import Asked
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
class RoleRequestAdmin(ReadOnlyAdmin):
    """Roles asked for."""

    list_display = ("person", "role", "team", "standing", "asked_by", "created_at")
    list_filter = ("state", "role")
    search_fields = ("person__full_name", "person__email", "team__name", "reason")
    fields = ("person", "role", "team", "territory", "reason", "standing", "asked_by", "created_at", "membership")
    readonly_fields = ("standing",)
    empty_state = "Nobody has asked for a role yet. “Add” asks for one, for yourself or for whom you manage."

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever works with mops may ask."""
        person: Any = request.user
        return refuse_ask(person) is None

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load what a request is called by with the rows."""
        return super().get_queryset(request).select_related("person", "team", "asked_by")

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Ask, and send it to whoever decides.

        Raises:
            PermissionDenied: the person may not ask.
        """
        person: Any = request.user
        if refuse_ask(person):
            raise PermissionDenied
        form = AskForm(request.POST or None, by=person)
        if request.method == "POST" and form.is_valid():
            try:
                row = ask_role(**form.cleaned_data, by=person)
            except DomainError as refusal:
                form.add_error(None, refusal.message)
            else:
                messages.success(request, f"Asked for: {row}. You are told what is decided.")
                return HttpResponseRedirect(url_of(row))
        context = {
            **self.admin_site.each_context(request),
            "title": "Ask for a role",
            "opts": self.opts,
            "button": ASK,
            "form": form,
            "media": self.media + form.media,
            "back": reverse("admin:rights_rolerequest_changelist"),
        }
        return TemplateResponse(request, "admin/mops/button.html", context)

    @display(
        description="State",
        ordering="state",
        label={Asked.IN_REVIEW.label: "info", Asked.GRANTED.label: "success", Asked.REFUSED.label: "danger"},
    )
    def standing(self, row: RoleRequest) -> str:
        """What became of it."""
        return Asked(row.state).label
