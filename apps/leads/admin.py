"""The pages of leads."""

from functools import partial
from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from unfold.decorators import display

from apps.audit.domain.personal import erase, refuse_erase
from apps.core.admin_kit.base import ARCHIVE_BUTTONS, MopsAdmin
from apps.core.admin_kit.buttons import Button, ReasonForm
from apps.core.admin_kit.consistency import Check
from apps.leads.domain.lifecycle import move_lead, refuse_stage
from apps.leads.enums import Stage
from apps.leads.models import Lead
from apps.leads.segments import in_segment, segment_choices

_MOVE_LABELS = {
    Stage.MQL: "Qualify (MQL)",
    Stage.SQL: "Accept (SQL)",
    Stage.CUSTOMER: "Won: customer",
    Stage.ADVOCATE: "Make advocate",
    Stage.KNOWN_LEAD: "Back to known leads",
}


def _move_button(stage: Stage) -> Button:
    return Button(
        f"to-{stage.value.replace('_', '-')}",
        _MOVE_LABELS[stage],
        partial(move_lead, to=stage),
        partial(refuse_stage, to=stage),
        form=ReasonForm,
        confirm=f"The lead goes to the stage {stage.label}; the reason stays with it.",
        style="default" if stage == Stage.KNOWN_LEAD else "primary",
    )


class SegmentFilter(admin.SimpleListFilter):
    """The leads of one segment: who fits its active version now."""

    title = "segment"
    parameter_name = "segment"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The segments in use."""
        return segment_choices()

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        """Narrow the list, which holds only what the person sees."""
        key = self.value()
        return in_segment(queryset, key) if key else queryset


@admin.register(Lead)
class LeadAdmin(MopsAdmin):
    """Leads."""

    list_display = ("who", "company", "place", "source", "standing", "owned_by", "total_visits", "updated_at")
    list_filter = (
        SegmentFilter,
        "stage",
        "origin",
        "source",
        "territory",
        "quality",
        "converted",
        "owner_team",
        "record_source",
    )
    search_fields = ("name", "email", "company", "external_id")
    autocomplete_fields = ("owner_person", "owner_team", "backup_person", "backup_team")
    fieldsets = (
        (None, {"fields": ("name", "email", "company", ("country", "territory"), "standing")}),
        ("Who looks after it", {"fields": (("owner_person", "owner_team"), ("backup_person", "backup_team"))}),
        ("Where it comes from", {"fields": (("origin", "source"), ("record_source", "external_id"))}),
        (
            "What it did",
            {
                "fields": (
                    ("total_visits", "seconds_on_site"),
                    ("last_activity", "last_notable_activity"),
                    ("quality", "converted"),
                )
            },
        ),
    )
    readonly_fields = ("standing",)
    buttons = (
        *(_move_button(stage) for stage in _MOVE_LABELS),
        *ARCHIVE_BUTTONS,
        Button(
            "erase",
            "Erase the person",
            erase,
            refuse_erase,
            form=ReasonForm,
            confirm="Name and e-mail are deleted for good: here, in every version of the history and behind the "
            "ledger. The record itself stays, for the figures.",
            style="danger",
            on_archived=True,
            step_up=True,
        ),
    )
    consistency_checks = (
        Check("Nobody looks after it", lambda rows: rows.unowned()),
        Check("Qualified, but without an e-mail", lambda rows: rows.qualified_without_address()),
    )
    in_palette = True
    empty_state = "No lead yet. Import them from your CRM (Work → Imports), or add the first one by hand."

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load the owners with the rows."""
        return super().get_queryset(request).select_related("owner_person", "owner_team")

    @display(description="Lead", ordering="name")
    def who(self, lead: Lead) -> str:
        """Who it is, as far as known."""
        return str(lead)

    @display(description="Territory", ordering="territory")
    def place(self, lead: Lead) -> str:
        """Where it belongs."""
        return lead.territory or lead.country or "—"

    @display(
        description="Stage",
        ordering="stage",
        label={
            Stage.MQL.label: "info",
            Stage.SQL.label: "warning",
            Stage.CUSTOMER.label: "success",
            Stage.ADVOCATE.label: "success",
        },
    )
    def standing(self, lead: Lead) -> str:
        """Where it stands in the lifecycle."""
        return Stage(lead.stage).label

    @display(description="Owner", ordering="owner_person__full_name")
    def owned_by(self, lead: Lead) -> str:
        """Who looks after it."""
        return str(lead.owner or "—")
