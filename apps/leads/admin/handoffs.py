"""The page of handoffs: what is offered to sales, what became of it, and what was known then."""

from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from unfold.decorators import display

from apps.core.admin_kit.base import ReadOnlyAdmin
from apps.core.admin_kit.buttons import Button, ReasonForm
from apps.leads.admin.forms import RejectForm
from apps.leads.domain.handoff import accept, refuse_answer, reject
from apps.leads.enums import HandoffState
from apps.leads.models import Handoff


@admin.register(Handoff)
class HandoffAdmin(ReadOnlyAdmin):
    """Offers of leads to sales."""

    list_display = (
        "of_lead",
        "kind",
        "number",
        "standing",
        "offered_to",
        "offered_at",
        "due_at",
        "rejection",
        "decided_by",
    )
    list_filter = ("kind", "state", "rejection", "offered_at", "due_at")
    search_fields = ("lead__name", "lead__email", "note", "answer")
    fields = (
        ("lead", "kind", "number"),
        ("state", "rejection", "answer"),
        ("to_person", "to_team"),
        ("offered_by", "offered_at", "due_at"),
        "note",
        ("decided_by", "decided_at"),
    )
    empty_state = "Nothing was offered to sales yet. Open an MQL and press “Offer to sales”."
    buttons = (
        Button(
            "accept",
            "Take it",
            accept,
            refuse_answer,
            form=ReasonForm,
            confirm="An MQL becomes an SQL of yours to work on; a customer is yours to look after, or an advocate.",
            style="primary",
        ),
        Button(
            "reject",
            "Give it back",
            reject,
            refuse_answer,
            form=RejectForm,
            confirm="An MQL is recycled and can qualify again; a customer stays with its owner.",
            style="danger",
        ),
    )

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load the lead and the people with the rows."""
        rows: models.QuerySet[Any] = super().get_queryset(request)
        return rows.select_related("lead", "to_person", "to_team", "offered_by", "decided_by")

    @display(description="Lead", ordering="lead")
    def of_lead(self, handoff: Handoff) -> str:
        """What is offered."""
        return str(handoff.lead)

    @display(description="To", ordering="to_person")
    def offered_to(self, handoff: Handoff) -> str:
        """To whom."""
        return handoff.to

    @display(
        description="State",
        ordering="state",
        label={
            HandoffState.OFFERED.label: "info",
            HandoffState.ACCEPTED.label: "success",
            HandoffState.REJECTED.label: "warning",
            HandoffState.EXPIRED.label: "danger",
            HandoffState.WITHDRAWN.label: "warning",
        },
    )
    def standing(self, handoff: Handoff) -> str:
        """What became of it."""
        return HandoffState(handoff.state).label

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show what was known when it was offered."""
        handoff, extra = self.get_object(request, object_id), dict(extra_context or {})
        if handoff is not None and self.has_view_permission(request, handoff):
            panel = {"template": "admin/leads/handoff_panel.html", "handoff": handoff, "known": handoff.snapshot}
            extra["row_panels"] = [*extra.get("row_panels", []), panel]
        return super().change_view(request, object_id, form_url, extra)
