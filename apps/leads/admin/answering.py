"""The pages of answering leads in time: SLAs with their signatures, and the contacts of sales."""

import datetime as dt
from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from unfold.decorators import display

from apps.approvals.domain import signing
from apps.approvals.models import ApprovalRequest
from apps.core import access, clock
from apps.core.admin_kit.base import ARCHIVE_BUTTONS, ReadOnlyAdmin
from apps.core.admin_kit.buttons import Button, NoteForm, ReasonForm
from apps.core.clocks.domain.wording import in_words
from apps.core.records import kind_of
from apps.core.rules.admin.conditions import ConditionAdmin
from apps.core.words import NOTHING
from apps.leads.domain import sla_signing
from apps.leads.enums import SlaState
from apps.leads.models import LeadSla, SalesContact

DAYS = 30
STATES = {
    SlaState.IN_REVIEW.label: "info",
    SlaState.SIGNED.label: "success",
    SlaState.RETIRED.label: "warning",
}


@admin.register(LeadSla)
class LeadSlaAdmin(ConditionAdmin):
    """How soon leads are answered."""

    list_display = (
        "name",
        "number",
        "standing",
        "holds_for",
        "speed",
        "touch",
        "owner_person",
    )
    list_filter = ("state", "territory")
    search_fields = ("name", "territory", "applies_words")
    autocomplete_fields = (
        *("calendar", "marketing_signatory", "sales_signatory"),
        *("owner_person", "owner_team", "backup_person", "backup_team"),
    )
    fieldsets = (
        (None, {"fields": ("name", "standing", ("territory", "calendar"))}),
        ("For which leads", {"fields": ("applies_to", "precedence")}),
        (
            "What sales promises",
            {"fields": (("speed_minutes", "touch_minutes"), ("at_risk_percent", "reassign_percent"))},
        ),
        ("Who signs", {"fields": (("marketing_signatory", "sales_signatory"),)}),
        ("Who answers for it", {"fields": (("owner_person", "owner_team"), ("backup_person", "backup_team"))}),
    )
    readonly_fields = ("standing",)
    empty_state = "No SLA yet: nobody promises how soon a lead is answered. Write one; marketing and sales sign it."
    buttons = (
        Button(
            "submit",
            "Send to both sides",
            sla_signing.submit_sla,
            sla_signing.refuse_submission,
            form=NoteForm,
            confirm="It is fixed as it is saved now. Both must sign; who wrote it cannot.",
            style="primary",
        ),
        Button(
            "next",
            "Write the next version",
            sla_signing.write_next,
            signing.refuse_next,
            confirm="A draft that says the same; this version holds until the next is signed.",
        ),
        Button(
            "retire",
            "End it",
            signing.retire,
            signing.refuse_retire,
            form=ReasonForm,
            confirm="New leads get no clock from it; those that run go on.",
            style="danger",
        ),
        *ARCHIVE_BUTTONS,
    )

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load the owner with the rows."""
        return super().get_queryset(request).select_related("owner_person")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only drafts are edited."""
        return super().has_change_permission(request, obj) and (obj is None or obj.is_draft)

    @display(description="State", ordering="state", label=STATES)
    def standing(self, sla: LeadSla) -> str:
        """Where it stands."""
        return SlaState(sla.state).label

    @display(description="Holds for", ordering="territory")
    def holds_for(self, sla: LeadSla) -> str:
        """For leads of which territory, and for which of these."""
        return ": ".join(filter(None, (sla.territory or "All other territories", sla.applies_words)))

    @display(description="From capture", ordering="speed_minutes")
    def speed(self, sla: LeadSla) -> str:
        """How soon after capture."""
        return in_words(dt.timedelta(minutes=sla.speed_minutes))

    @display(description="From assignment", ordering="touch_minutes")
    def touch(self, sla: LeadSla) -> str:
        """How soon after assignment."""
        return in_words(dt.timedelta(minutes=sla.touch_minutes))

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show the signatures, and how well it was kept lately."""
        sla, extra = self.get_object(request, object_id), dict(extra_context or {})
        if sla is not None and request.method == "GET" and self.has_view_permission(request, sla):
            extra["row_panels"] = [*extra.get("row_panels", []), _panel(request, sla)]
        return super().change_view(request, object_id, form_url, extra)


def _panel(request: HttpRequest, sla: LeadSla) -> dict[str, Any]:
    person: Any = request.user
    asked: Any = access.visible(person, ApprovalRequest).filter(content_type=kind_of(LeadSla), object_id=sla.pk)
    since = clock.now() - dt.timedelta(days=DAYS)
    kept = sla_signing.kept(person, since=since) if sla.state == SlaState.SIGNED else []
    return {
        "template": "admin/leads/sla_panel.html",
        "sla": sla,
        "requests": asked.with_decisions().order_by("-pk"),
        "kept": [
            (title, met, late, runs, f"{met / (met + late):.0%}" if met + late else NOTHING)
            for title, met, late, runs in kept
        ],
        "days": DAYS,
    }


@admin.register(SalesContact)
class SalesContactAdmin(ReadOnlyAdmin):
    """When sales was in touch with leads."""

    list_display = ("at", "of_lead", "kind", "person", "note")
    list_filter = ("kind", "at")
    search_fields = ("lead__name", "lead__email", "note")
    fields = (("lead", "person"), ("kind", "at"), "note")
    empty_state = "No contact is recorded yet. “Record a contact” on the page of a lead stops its clocks."

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load lead and person with the rows."""
        return super().get_queryset(request).select_related("lead", "person")

    @display(description="Lead", ordering="lead")
    def of_lead(self, contact: SalesContact) -> str:
        """With whom."""
        return str(contact.lead)
