"""The pages of service level agreements: what is promised, who signed, and how well it was kept."""

from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from unfold.decorators import display

from apps.approvals.domain import signing
from apps.approvals.models import ApprovalRequest
from apps.core import access
from apps.core.admin_kit.base import ARCHIVE_BUTTONS
from apps.core.admin_kit.buttons import Button, NoteForm, ReasonForm
from apps.core.clocks.domain.wording import in_words
from apps.core.errors import InvalidInput
from apps.core.rules.admin.conditions import ConditionAdmin
from apps.core.words import NOTHING
from apps.tickets.domain import agreements
from apps.tickets.domain.service import TITLES
from apps.tickets.enums import AgreementState
from apps.tickets.models import Agreement

STATES = {
    AgreementState.IN_APPROVAL.label: "info",
    AgreementState.SIGNED.label: "success",
    AgreementState.RETIRED.label: "warning",
}


SHOWN_ABOVE = ("promises", "escalation")


@admin.register(Agreement)
class AgreementAdmin(ConditionAdmin):
    """Service level agreements."""

    list_display = ("name", "number", "queue", "customer", "applies", "standing", "effective_on", "signed_at")
    list_filter = ("state", "queue", "customer", "for_everybody")
    search_fields = ("name", "applies_words")
    autocomplete_fields = (
        *("queue", "customer", "calendar", "provider_signatory", "customer_signatory"),
        *("owner_person", "owner_team", "backup_person", "backup_team"),
    )
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "name",
                    "standing",
                    ("queue", "customer"),
                    ("effective_on", "calendar"),
                    ("provider_signatory", "customer_signatory"),
                    "for_everybody",
                )
            },
        ),
        ("For which tickets", {"fields": ("applies_to", "precedence")}),
        ("What is promised", {"fields": ("promises", "carries")}),
        ("When time runs out", {"fields": ("escalation",)}),
        ("When time stands still", {"fields": (("requester_cap", "vendor_cap", "hold_cap"),)}),
        ("Who answers for it", {"fields": (("owner_person", "owner_team"), ("backup_person", "backup_team"))}),
    )
    readonly_fields = ("standing",)
    empty_state = "An agreement says how soon a queue's team answers and solves. Write the first; both sides sign it."
    buttons = (
        Button(
            "submit",
            "Send to both sides",
            agreements.submit_agreement,
            agreements.refuse_submission,
            form=NoteForm,
            confirm="It is fixed as it is saved now. Somebody of each team must sign; who wrote it cannot.",
            style="primary",
        ),
        Button(
            "next",
            "Write the next version",
            agreements.write_next_version,
            signing.refuse_next,
            confirm="A draft that says the same; this version holds until the next is signed.",
        ),
        Button(
            "retire",
            "End it",
            signing.retire,
            signing.refuse_retire,
            form=ReasonForm,
            confirm="New tickets get no promises from it; those under it keep theirs.",
            style="danger",
        ),
        *ARCHIVE_BUTTONS,
    )

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load both sides with the rows."""
        return super().get_queryset(request).select_related("queue__team", "customer")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Leave out the raw promises and steps where they can only be read: they stand as a table above."""
        found = super().get_fieldsets(request, obj)
        if obj is None or self.has_change_permission(request, obj):
            return found
        left = [(name, [each for each in options["fields"] if each not in SHOWN_ABOVE]) for name, options in found]
        return [(name, {"fields": fields}) for name, fields in left if fields]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only drafts are edited."""
        return super().has_change_permission(request, obj) and (obj is None or obj.is_editable)

    @display(description="State", ordering="state", label=STATES)
    def standing(self, agreement: Agreement) -> str:
        """Where it stands."""
        return AgreementState(agreement.state).label

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show the promises as a table, the signatures, and how well they were kept."""
        agreement, extra = self.get_object(request, object_id), dict(extra_context or {})
        if agreement is not None and request.method == "GET":
            extra["row_panels"] = [*extra.get("row_panels", []), _panel(request, agreement)]
        return super().change_view(request, object_id, form_url, extra)


def _panel(request: HttpRequest, agreement: Agreement) -> dict[str, Any]:
    person: Any = request.user
    requests: Any = access.visible(person, ApprovalRequest).filter(
        object_id=agreement.pk, content_type__app_label="tickets", content_type__model="agreement"
    )
    kept = agreements.attainment(agreement)
    return {
        "template": "admin/tickets/agreement_panel.html",
        "agreement": agreement,
        "rows": _rows(agreement),
        "steps": _steps(agreement),
        "requests": requests.with_decisions().order_by("-pk"),
        "kept": [(TITLES[metric], met, late, still, _share(met, late)) for metric, met, late, still in kept],
    }


def _rows(agreement: Agreement) -> list[tuple[str, str, list[str]]]:
    try:
        targets = agreement.targets
    except InvalidInput:  # a draft from before its rules
        return []
    return [
        (tier, level, [in_words(amount) if amount else NOTHING for amount in target.amounts])
        for tier, level, target in targets.rows()
    ]


def _steps(agreement: Agreement) -> list[tuple[int, str]]:
    try:
        return [(step.percent, step.words) for step in agreement.steps]
    except InvalidInput:  # a draft from before its rules
        return []


def _share(met: int, late: int) -> str:
    return f"{met / (met + late):.0%}" if met + late else NOTHING
