"""The pages of tool requests and waivers."""

from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from unfold.decorators import display

from apps.approvals.models import ApprovalRequest
from apps.core import access
from apps.core.admin_kit.base import ARCHIVE_BUTTONS, MopsAdmin
from apps.core.admin_kit.buttons import Button, NoteForm, ReasonForm
from apps.core.admin_kit.consistency import Check
from apps.core.money import money
from apps.technology.admin.forms import CurrencyForm, WaiverForm
from apps.technology.domain import cases
from apps.technology.enums import CaseState, WaiverKind
from apps.technology.models import TCO_FIELDS, ToolRequest, Waiver

_STATES = {"In approval": "info", "Approved": "success", "Refused": "danger", "Revoked": "warning"}


def approvals_panel(request: HttpRequest, thing: models.Model) -> dict[str, Any]:
    """Return the box that lists the approvals of a record."""
    person: Any = request.user
    kind = {"content_type__app_label": thing._meta.app_label, "content_type__model": thing._meta.model_name}
    rows: Any = access.visible(person, ApprovalRequest).filter(object_id=thing.pk, **kind).order_by("-pk")
    return {"template": "admin/technology/approvals_panel.html", "requests": list(rows.with_decisions())}


class CaseAdmin(MopsAdmin):
    """What goes through approval: fixed while it is decided about and once it is decided."""

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A case is fixed while it is decided about, and once it is decided."""
        return super().has_change_permission(request, obj) and (obj is None or obj.is_editable)

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load the tools and people with the rows."""
        return super().get_queryset(request).select_related("tool", "requester")

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show the approvals."""
        case, extra = self.get_object(request, object_id), dict(extra_context or {})
        if case is not None:
            extra["row_panels"] = [*extra.get("row_panels", []), *self.panels(request, case)]
        return super().change_view(request, object_id, form_url, extra)

    def panels(self, request: HttpRequest, case: Any) -> list[dict[str, Any]]:
        """Return the boxes above the form."""
        return [approvals_panel(request, case)]

    @display(description="State", ordering="state", label=_STATES)
    def stage(self, case: Any) -> str:
        """Where it stands."""
        return CaseState(case.state).label


@admin.register(ToolRequest)
class ToolRequestAdmin(CaseAdmin):
    """Tool requests."""

    form = CurrencyForm
    list_display = ("title", "tool", "stage", "total", "requester", "updated_at")
    list_filter = ("state", "created_at")
    search_fields = ("title", "tool__name", "business_case")
    autocomplete_fields = ("tool",)
    fieldsets = (
        (None, {"fields": ("tool", "title", "stage")}),
        ("Why", {"fields": ("business_case", "integration_assessment")}),
        (
            "What three years cost in total",
            {
                "fields": ("currency", *(TCO_FIELDS[start : start + 3] for start in range(0, len(TCO_FIELDS), 3))),
                "description": "Licence, implementation, people and exit, year by year; 0 where it costs nothing.",
            },
        ),
    )
    readonly_fields = ("stage",)
    buttons = (
        Button(
            "submit",
            "Send for approval",
            cases.submit_request,
            cases.refuse_request_submission,
            form=NoteForm,
            confirm="The request is fixed as it is saved now until somebody else has decided about it.",
            style="primary",
            hide_when_refused=False,
        ),
        *ARCHIVE_BUTTONS,
    )
    taggable = True
    in_palette = True
    empty_state = "No request yet. Nothing is bought without one: add the tool as proposed, then make its case here."

    def panels(self, request: HttpRequest, case: ToolRequest) -> list[dict[str, Any]]:
        """Add the three-year cost as a table, and what is missing."""
        table = {
            "template": "admin/technology/tco_panel.html",
            "rows": cases.tco_table(case),
            "total": cases.total_cost(case),
            "currency": case.currency,
            "missing": cases.missing_for_approval(case) if case.is_editable else [],
        }
        return [table, *super().panels(request, case)]

    @display(description="Three years")
    def total(self, request: ToolRequest) -> str:
        """What three years cost."""
        return money(cases.total_cost(request), request.currency)


@admin.register(Waiver)
class WaiverAdmin(CaseAdmin):
    """Waivers."""

    form = WaiverForm
    list_display = ("tool", "why", "stage", "expires_on", "requester", "confirmed_by")
    list_filter = ("state", "kind", "expires_on")
    search_fields = ("tool__name", "reason")
    autocomplete_fields = ("tool",)
    list_select_related = ("tool", "requester", "confirmed_by")
    fieldsets = (
        (None, {"fields": ("tool", "reason", "expires_on", "stage")}),
        ("Who", {"fields": (("requester", "confirmed_by"), "confirmed_at")}),
    )
    readonly_fields = ("stage", "requester", "confirmed_by", "confirmed_at")
    buttons = (
        Button(
            "submit",
            "Ask for confirmation",
            cases.submit_waiver,
            cases.refuse_waiver_submission,
            form=NoteForm,
            confirm="A second person decides whether this tool may go without an approved request until that day.",
            style="primary",
        ),
        Button(
            "revoke",
            "End it now",
            cases.revoke_waiver,
            cases.refuse_revocation,
            form=ReasonForm,
            confirm="From now on nothing is bought for the tool, and it cannot become active, without a request.",
            style="danger",
        ),
    )
    consistency_checks = (
        Check("Came in with an import, no second person", lambda rows: rows.filter(kind=WaiverKind.INVENTORY)),
    )
    empty_state = "No waiver. They are the exception: a tool in use without an approved request, with an end in sight."

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load who confirmed, too."""
        return super().get_queryset(request).select_related("confirmed_by")

    @display(description="Kind", ordering="kind", label={"In use before mops": "warning"})
    def why(self, waiver: Waiver) -> str:
        """Exception, or in use before mops."""
        return WaiverKind(waiver.kind).label
