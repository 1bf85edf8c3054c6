"""What the checks leave behind: runs, findings, sign-offs; waivers and the register of claims."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from unfold.decorators import display
from unfold.widgets import UnfoldAdminDateWidget

from apps.content.domain import waiving
from apps.content.enums import ExceptionState, Severity
from apps.content.models import Claim, FindingWaiver, QaFinding, QaRun, QaSignOff
from apps.core.admin_kit.base import ARCHIVE_BUTTONS, MopsAdmin, ReadOnlyAdmin
from apps.core.admin_kit.buttons import Button, NoteForm
from apps.core.admin_kit.counting import CappedPaginator

DECIDED = {
    ExceptionState.DRAFT.label: "warning",
    ExceptionState.IN_REVIEW.label: "info",
    ExceptionState.APPROVED.label: "success",
    ExceptionState.REFUSED.label: "danger",
}
GRAVITY = {Severity.BLOCK.label: "danger", Severity.WARN.label: "warning"}


class WaiverForm(forms.Form):
    """Asks why, and until when."""

    reason = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 3}), help_text="Why it is bearable, and what stands in for it until then."
    )
    until = forms.DateField(widget=UnfoldAdminDateWidget, help_text="The last day it counts, within a year.")


@admin.register(QaRun)
class QaRunAdmin(ReadOnlyAdmin):
    """Runs of the checks."""

    list_display = ("version", "at", "by", "rules", "blocking", "warnings")
    list_filter = ("at",)
    search_fields = ("version__asset__title",)
    fields = ("version", "digest", "at", "by", "rules", "blocking", "warnings", "rule_packs")
    empty_state = "Nothing was checked yet. Send a version into the checks, or press “Run the checks” on a draft."

    @display(description="Rule packs")
    def rule_packs(self, run: QaRun) -> str:
        """Which versions of which packs were asked."""
        return ", ".join(f"{each['document']}, version {each['number']}" for each in run.packs)

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load what was checked and by whom."""
        found: models.QuerySet[Any] = super().get_queryset(request).select_related("version__asset", "by")
        return found


@admin.register(QaFinding)
class QaFindingAdmin(ReadOnlyAdmin):
    """Findings."""

    paginator = CappedPaginator
    list_display = ("name", "gravity", "level", "where_it_stands", "sentence", "content")
    list_filter = ("severity", "level", "check_kind")
    search_fields = ("name", "run__version__asset__title")
    fields = ("name", "gravity", "level", "content", "where_it_stands", "excerpt", "sentence", "run")
    empty_state = "Nothing was found yet."
    buttons = (
        Button(
            "waive",
            "Ask for a waiver",
            waiving.ask_waiver,
            waiving.refuse_ask_waiver,
            form=WaiverForm,
            confirm="Somebody else decides; until then the finding holds the content back.",
            icon="gpp_maybe",
            writes=lambda _: FindingWaiver,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load the content with the rows."""
        found: models.QuerySet[Any] = super().get_queryset(request).select_related("run__version__asset")
        return found

    @display(description="Severity", ordering="severity", label=GRAVITY)
    def gravity(self, finding: QaFinding) -> str:
        """How grave it is."""
        return Severity(finding.severity).label

    @display(description="Where", ordering="line")
    def where_it_stands(self, finding: QaFinding) -> str:
        """Where it stands."""
        return finding.where

    @display(description="Content", ordering="run__version__asset__title")
    def content(self, finding: QaFinding) -> str:
        """In which version it was found."""
        return str(finding.run.version)


@admin.register(QaSignOff)
class QaSignOffAdmin(ReadOnlyAdmin):
    """Sign-offs."""

    list_display = ("version", "level", "by", "at", "note")
    list_filter = ("level", "at")
    search_fields = ("version__asset__title",)
    fields = ("version", "level", "by", "at", "note", "digest", "run")
    empty_state = "No level was signed off yet. It is done on the page of a version that is in the checks."

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load what was signed off and by whom."""
        found: models.QuerySet[Any] = super().get_queryset(request).select_related("version__asset", "by")
        return found


@admin.register(FindingWaiver)
class FindingWaiverAdmin(MopsAdmin):
    """Waivers of findings."""

    list_display = ("rule_name", "asset", "standing", "until", "asked_by")
    list_filter = ("state", "until")
    search_fields = ("rule_name", "asset__title")
    fields = ("asset", "rule_name", "finding", "reason", "until", "asked_by", "standing")
    readonly_fields = fields
    empty_state = "Nothing is waived. A waiver is asked for on the page of a finding that blocks."

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load the content and who asked."""
        found: models.QuerySet[Any] = super().get_queryset(request).select_related("asset", "asked_by")
        return found

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Waivers are asked for on the page of a finding."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A waiver stays as it was asked for."""
        return False

    @display(description="State", ordering="state", label=DECIDED)
    def standing(self, waiver: FindingWaiver) -> str:
        """How it was decided."""
        return ExceptionState(waiver.state).label


@admin.register(Claim)
class ClaimAdmin(MopsAdmin):
    """The register of claims."""

    list_display = ("wording", "standing", "valid_until", "asked_by")
    list_filter = ("state", "valid_until")
    search_fields = ("wording", "substantiation")
    fields = ("wording", "substantiation", "evidence_url", "valid_until", "standing", "asked_by")
    readonly_fields = ("standing", "asked_by")
    empty_state = "No claim yet. Add the exact words, what proves them and until when; somebody else approves them."
    buttons = (
        Button(
            "send",
            "Send for approval",
            waiving.send_claim,
            waiving.refuse_send_claim,
            form=NoteForm,
            confirm="Wording and substantiation are frozen as they are saved.",
            style="primary",
            icon="send",
        ),
        *ARCHIVE_BUTTONS,
    )

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load who wrote them."""
        found: models.QuerySet[Any] = super().get_queryset(request).select_related("asked_by")
        return found

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only drafts are edited."""
        return super().has_change_permission(request, obj) and (obj is None or obj.is_editable)

    @display(description="State", ordering="state", label=DECIDED)
    def standing(self, claim: Claim) -> str:
        """How it was decided."""
        return ExceptionState(claim.state).label
