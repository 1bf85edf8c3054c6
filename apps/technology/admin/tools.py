"""The page of tools."""

from functools import partial
from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from unfold.decorators import display

from apps.core import access, clock
from apps.core.admin_kit.base import ARCHIVE_BUTTONS, MopsAdmin
from apps.core.admin_kit.buttons import Button, NoteForm, ReasonForm
from apps.core.admin_kit.consistency import Check
from apps.core.money import money
from apps.core.words import NOTHING
from apps.technology.admin.forms import CurrencyForm
from apps.technology.admin.implementing import ROLLOUT, implementation_panel
from apps.technology.admin.use_panel import duties_panel, use_panel
from apps.technology.domain.attesting import attest, completeness, refuse_attestation, standing
from apps.technology.domain.cases import refuse_without_case
from apps.technology.domain.lifecycle import is_next_for, move_tool, refuse_move
from apps.technology.domain.name_checks import check_name
from apps.technology.domain.rates import policy
from apps.technology.domain.stack import AsOf, tool_cost, with_yearly_cost
from apps.technology.enums import Criticality, DataClass, Lifecycle
from apps.technology.models import CostLine, Tool

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
        explains=partial(is_next_for, to=state),
        form=ReasonForm,
        confirm=f"The tool becomes {state.label.lower()}; its history keeps who moved it and why.",
        style=style,
        icon=icon,
    )


@admin.register(Tool)
class ToolAdmin(MopsAdmin):
    """Tools."""

    form = CurrencyForm
    list_per_page = 20  # nine columns: 30 rows would be 350 kB
    list_display = ("name", "function", "stage", "owned_by", "tier", "data_class", "cost", "complete", "updated_at")
    list_filter = (
        *("lifecycle", "criticality", "data_classification", "sub_processor", "personal_data", "single_sign_on"),
        *("vendor", "owner_team"),
    )
    search_fields = ("name", "function", "vendor_name", "vendor__name", "department", "description")
    autocomplete_fields = (
        *("vendor", "owner_person", "owner_team", "technical_owner", "backup_person", "backup_team"),
    )
    taggable = True
    bulk_fields = (
        *("function", "vendor", "owner_person", "owner_team", "backup_person", "backup_team", "technical_owner"),
        *("criticality", "data_classification", "personal_data", "customer_data", "sub_processor", "compliance_scope"),
        *("integration_method", "single_sign_on", "department", "support_channel"),
    )
    fieldsets = (
        (None, {"fields": ("name", "function", "vendor", "stage", "description")}),
        (
            "Who answers for it",
            {
                "fields": (
                    ("owner_person", "owner_team"),
                    ("backup_person", "backup_team"),
                    "technical_owner",
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
                    ("integration_method", "single_sign_on"),
                    ("software_as_a_service", "everyone_has_it"),
                    "audience",
                    "access_to",
                    ("handbook_link", "external_link"),
                )
            },
        ),
        ("Cost and notes", {"fields": (("annual_cost", "currency"), "notes")}),
    )
    readonly_fields = ("stage",)
    buttons = (
        *(_move_button(state) for state in _MOVE_LABELS),
        ROLLOUT,
        Button(
            "attest",
            "Attest the record",
            attest,
            refuse_attestation,
            form=NoteForm,
            confirm="You give your word that what stands here about owner, vendor, risk and use is right today.",
            icon="verified",
        ),
        *ARCHIVE_BUTTONS,
    )
    consistency_checks = (
        Check("In use without an owner in mops", lambda rows: rows.in_use().without_owner()),
        Check("In use without a backup", lambda rows: rows.in_use().without_backup()),
        Check("Confidential data, nobody says which", lambda rows: rows.sensitive_without_purpose()),
    )
    in_palette = True
    empty_state = "No tool yet. Import the inventory you have (Work → Imports), or add the first tool by hand."

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load the owners and what a year costs with the rows."""
        rows = super().get_queryset(request).select_related("owner_person", "owner_team", "vendor")
        match = request.resolver_match
        if match is None or match.url_name != "technology_tool_changelist":
            return rows
        return with_yearly_cost(rows, AsOf.of(by=policy()))

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show what it costs, whether its case stands, how complete and how well attested the record is."""
        tool, extra = self.get_object(request, object_id), dict(extra_context or {})
        if tool is not None and self.has_view_permission(request, tool):
            glance = _glance(request, tool)
            panels = [glance, *implementation_panel(request, tool)]
            panels += use_panel(request, tool, glance["yearly"], glance["currency"]) + duties_panel(request, tool)
            extra["row_panels"] = [*extra.get("row_panels", []), *panels]
        return super().change_view(request, object_id, form_url, extra)

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
        return str(tool.owner or ", ".join(tool.business_owner_names) or NOTHING)

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
    def cost(self, tool: Any) -> str:
        """What a year costs at today's prices; what the inventory stated where there is no cost yet."""
        if tool.yearly is not None:
            return money(tool.yearly, tool.told_in)
        return f"{money(tool.annual_cost, tool.currency)} stated" if tool.annual_cost is not None else NOTHING

    @display(description="Complete")
    def complete(self, tool: Tool) -> str:
        """How much of what the record should say it says."""
        return f"{completeness(tool).percent} %"


def _glance(request: HttpRequest, tool: Tool) -> dict[str, Any]:
    person: Any = request.user
    steering = policy()
    shows_cost = access.has_model_permission(person, "view", CostLine)
    cost = tool_cost(tool, AsOf.of(by=steering)) if shows_cost else None
    refused = refuse_without_case(tool)
    newest = tool.attestations.select_related("by").first()
    return {
        "template": "admin/technology/tool_panel.html",
        "tool": tool,
        "shows_cost": shows_cost,
        "yearly": cost.yearly if cost else None,
        "problems": cost.problems if cost else [],
        "currency": steering.currency,
        "lines": list(tool.cost_lines.known().order_by("label", "-valid_from")[:20]) if shows_cost else [],
        "has_case": refused is None,
        "case_words": refused or "An approved request or a waiver in force covers it.",
        "complete": completeness(tool),
        "misnamed": [each.sentence for each in check_name("tools", tool.name)],
        "fits": list(tool.fits.live().select_related("capability").order_by("-fit", "capability__name")),
        "may_rate": bool(access.can(person, "change", tool)),
        "standing": standing(tool, newest, now=clock.now(), holds_days=steering.attest_days),
    }
