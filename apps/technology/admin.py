"""The pages of the technology inventory."""

from functools import partial
from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from unfold.decorators import display

from apps.core.admin_kit.base import ARCHIVE_BUTTONS, MopsAdmin
from apps.core.admin_kit.buttons import Button, ReasonForm
from apps.core.admin_kit.consistency import Check
from apps.technology.domain.lifecycle import move_tool, refuse_move
from apps.technology.enums import Criticality, DataClass, Lifecycle
from apps.technology.models import Tool

_MOVE_LABELS = {
    Lifecycle.EVALUATING: ("Evaluate", "search_check", "default"),
    Lifecycle.APPROVED: ("Approve for use", "check", "primary"),
    Lifecycle.IMPLEMENTING: ("Implement", "construction", "primary"),
    Lifecycle.ACTIVE: ("Activate", "play_arrow", "primary"),
    Lifecycle.SUNSETTING: ("Start sunsetting", "wb_twilight", "default"),
    Lifecycle.RETIRED: ("Retire", "block", "danger"),
}


def _move_button(state: Lifecycle) -> Button:
    label, icon, style = _MOVE_LABELS[state]
    return Button(
        f"to-{state.value}",
        label,
        partial(move_tool, to=state),
        partial(refuse_move, to=state),
        form=ReasonForm,
        confirm=f"The tool becomes {state.label.lower()}; its history keeps who moved it and why.",
        style=style,
        icon=icon,
    )


@admin.register(Tool)
class ToolAdmin(MopsAdmin):
    """Tools."""

    list_display = ("name", "function", "stage", "owned_by", "tier", "data_class", "cost", "updated_at")
    list_filter = ("lifecycle", "criticality", "data_classification", "sub_processor", "personal_data", "owner_team")
    search_fields = ("name", "function", "vendor_name", "department", "description")
    autocomplete_fields = ("owner_person", "owner_team", "backup_person", "backup_team")
    fieldsets = (
        (None, {"fields": ("name", "function", "vendor_name", "stage", "description")}),
        (
            "Who answers for it",
            {
                "fields": (
                    ("owner_person", "owner_team"),
                    ("backup_person", "backup_team"),
                    ("business_owner_names", "technical_owner_names"),
                    ("department", "support_channel"),
                )
            },
        ),
        (
            "Risk and data",
            {
                "fields": (
                    ("criticality", "data_classification"),
                    ("personal_data", "customer_data"),
                    ("sub_processor", "compliance_scope"),
                    "collected_data",
                )
            },
        ),
        (
            "Use",
            {
                "fields": (
                    ("integration_method", "software_as_a_service"),
                    ("audience", "everyone_has_it"),
                    "access_to",
                    ("handbook_link", "external_link"),
                )
            },
        ),
        ("Cost and notes", {"fields": (("annual_cost", "currency"), "notes")}),
    )
    readonly_fields = ("stage",)
    buttons = (*(_move_button(state) for state in _MOVE_LABELS), *ARCHIVE_BUTTONS)
    consistency_checks = (
        Check("In use without an owner in mops", lambda rows: rows.in_use().without_owner()),
        Check("In use without a backup", lambda rows: rows.in_use().without_backup()),
        Check("Confidential data, nobody says which", lambda rows: rows.sensitive_without_purpose()),
    )
    in_palette = True
    empty_state = "No tool yet. Import the inventory you have (Work → Imports), or add the first tool by hand."

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load the owners with the rows."""
        return super().get_queryset(request).select_related("owner_person", "owner_team")

    @display(
        description="Lifecycle",
        ordering="lifecycle",
        label={"Active": "success", "Approved": "info", "Implementing": "info", "Sunsetting": "warning"},
    )
    def stage(self, tool: Tool) -> str:
        """Where it stands."""
        return Lifecycle(tool.lifecycle).label

    @display(description="Owner", ordering="owner_person__full_name")
    def owned_by(self, tool: Tool) -> str:
        """Who answers for it: the person or team of mops, else the names of the inventory."""
        return str(tool.owner or ", ".join(tool.business_owner_names) or "—")

    @display(description="Criticality", ordering="criticality")
    def tier(self, tool: Tool) -> str:
        """How much depends on it."""
        return Criticality(tool.criticality).label

    @display(
        description="Data",
        ordering="data_classification",
        label={"Red": "danger", "Orange": "warning", "Yellow": "info", "Green": "success"},
    )
    def data_class(self, tool: Tool) -> str:
        """How sensitive its data is."""
        return DataClass(tool.data_classification).label.split(" · ")[0]

    @display(description="Annual cost", ordering="annual_cost")
    def cost(self, tool: Tool) -> str:
        """What a year costs."""
        return f"{tool.annual_cost:,.0f} {tool.currency}" if tool.annual_cost is not None else "—"
