"""How the ledger is kept: which changes need a reason, how long entries stay, what stops a purge, the months."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from unfold.decorators import display
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from apps.audit.domain.replay import recorded
from apps.audit.domain.retention import purge_month, refuse_purge, refuse_release, release_hold
from apps.audit.kinds import kind_of
from apps.audit.models import LedgerMonth, LegalHold, ReasonRule, RetentionPolicy
from apps.audit.models.retention import EVERYTHING
from apps.core import clock
from apps.core.actors import current_actor
from apps.core.admin_kit.base import ARCHIVE_BUTTONS, MopsAdmin, ReadOnlyAdmin
from apps.core.admin_kit.buttons import Button, ReasonForm
from apps.core.admin_kit.locking import RowVersionForm
from apps.core.words import NOTHING


def _kinds(*first: tuple[str, str]) -> list[tuple[str, str]]:
    found = sorted({(each.table, kind_of(each.table)) for each in recorded()}, key=lambda kind: kind[1].lower())
    return [*first, *found]


def _kind_field(label: str, help_text: str, *first: tuple[str, str], required: bool = True) -> Any:
    return forms.ChoiceField(
        label=label,
        required=required,
        choices=lambda: _kinds(*first),
        widget=UnfoldAdminSelectWidget,
        help_text=help_text,
    )


class ReasonRuleForm(RowVersionForm):
    """A rule, with the kinds there are."""

    table_name = _kind_field("Kind", "Which kind of record.", ("", NOTHING))
    operations = forms.MultipleChoiceField(
        choices=ReasonRule.Operation.choices,
        widget=forms.CheckboxSelectMultiple,
        help_text="What is done to the record.",
    )


@admin.register(ReasonRule)
class ReasonRuleAdmin(MopsAdmin):
    """Rules that want a reason."""

    form = ReasonRuleForm
    list_display = ("what", "kind", "column", "for_what", "binds_jobs", "in_force")
    list_filter = ("is_active",)
    search_fields = ("what", "field")
    fields = ("table_name", "field", "operations", "what", "binds_jobs", "is_active")
    buttons = ARCHIVE_BUTTONS
    kits = ("notes",)
    empty_state = (
        "No change needs a reason yet. A rule asks for one, for instance when the annual cost of a tool changes; "
        "forms ask for it, and no other way gets round it."
    )

    @display(description="Kind", ordering="table_name")
    def kind(self, rule: ReasonRule) -> str:
        """Whose changes."""
        return kind_of(rule.table_name)

    @display(description="Column", ordering="field")
    def column(self, rule: ReasonRule) -> str:
        """Which column."""
        return rule.field or "any"

    @display(description="For")
    def for_what(self, rule: ReasonRule) -> str:
        """Which operations."""
        return ", ".join(ReasonRule.Operation(each).label.lower() for each in rule.operations)

    @display(description="State", label={"Active": "success"})
    def in_force(self, rule: ReasonRule) -> str:
        """Whether it asks now."""
        return "Active" if rule.is_active and not rule.is_archived else "Off"


class RetentionForm(RowVersionForm):
    """A policy, with the kinds there are."""

    kind = _kind_field("Kind", "Whose changes.", (EVERYTHING, "Everything without a policy of its own"))


@admin.register(RetentionPolicy)
class RetentionPolicyAdmin(MopsAdmin):
    """How long entries are kept."""

    form = RetentionForm
    list_display = ("of_kind", "kept", "basis")
    search_fields = ("kind", "basis")
    fields = ("kind", "months", "basis")
    buttons = ARCHIVE_BUTTONS
    kits = ("notes", "attachments")
    empty_state = (
        "No policy yet, so the ledger is kept for ever. A month leaves as a whole: once it is sealed, older than the "
        "policies of all kinds in it say, and under no legal hold."
    )

    @display(description="Kind", ordering="kind")
    def of_kind(self, policy: RetentionPolicy) -> str:
        """Whose changes."""
        return "Everything else" if policy.kind == EVERYTHING else kind_of(policy.kind)

    @display(description="Kept", ordering="months")
    def kept(self, policy: RetentionPolicy) -> str:
        """How long."""
        return f"{policy.months} months" if policy.months else "for ever"


class HoldForm(RowVersionForm):
    """A hold, placed by whoever saves it."""

    kind = _kind_field("Kind", "Which kind of record it covers.", ("", "Every kind"), required=False)
    object_id = forms.CharField(
        label="Record",
        required=False,
        max_length=40,
        widget=UnfoldAdminTextInputWidget,
        help_text="The number of the one record it covers, as in the address of its page. Empty: all of the kind.",
    )

    def clean(self) -> dict[str, Any]:
        """Sign it."""
        cleaned = super().clean()
        if self.instance.pk is None:
            self.instance.placed_by, self.instance.placed_at = current_actor().user, clock.now()
        return cleaned


@admin.register(LegalHold)
class LegalHoldAdmin(MopsAdmin):
    """Holds."""

    form = HoldForm
    list_display = ("matter", "covers", "placed_by", "placed_at", "standing")
    list_filter = (("released_at", admin.EmptyFieldListFilter),)
    search_fields = ("matter", "reason", "object_id")
    list_select_related = ("placed_by",)
    kits = ("notes", "attachments")
    buttons = (
        Button(
            "release",
            "Release",
            release_hold,
            refuse_release,
            form=ReasonForm,
            confirm="What it covers can be purged and erased again, as the retention policies say.",
            icon="lock_open",
        ),
    )
    empty_state = "Nothing is held. A hold keeps records and their ledger from being purged or erased."

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """What a hold covers is never narrowed afterwards: it is released, and another one placed."""
        return ("covers", "placed_by", "placed_at", "standing") if obj is not None else ()

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Show what it covers, who placed it, and whether it is still in force."""
        fieldsets = super().get_fieldsets(request, obj)
        placed = (None, {"fields": ("covers", "placed_by", "placed_at", "standing")})
        return [placed, *fieldsets] if obj is not None else fieldsets

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Offer what it covers once."""
        return ("matter", "reason") if obj is not None else ("matter", "kind", "object_id", "reason")

    @display(description="Covers")
    def covers(self, hold: LegalHold) -> str:
        """What stays."""
        if not hold.kind:
            return "Everything"
        return f"{kind_of(hold.kind)} {hold.object_id}" if hold.object_id else f"Every {kind_of(hold.kind).lower()}"

    @display(description="State", label={"In force": "warning"})
    def standing(self, hold: LegalHold) -> str:
        """Whether it is in force."""
        return "In force" if hold.is_active else f"Released on {hold.released_at:%d %b %Y}"


@admin.register(LedgerMonth)
class LedgerMonthAdmin(ReadOnlyAdmin):
    """The months of the ledger."""

    list_display = ("__str__", "standing", "sealed_at", "purged_at", "purged_by_label")
    fields = (
        "month",
        "standing",
        "partition",
        "made_at",
        "sealed_at",
        "seal_digest",
        "purged_at",
        "purged_by_label",
        "purge_reason",
        "rows",
        "first_id",
        "last_id",
    )
    readonly_fields = ("standing",)
    buttons = (
        Button(
            "purge",
            "Purge",
            purge_month,
            refuse_purge,
            form=ReasonForm,
            confirm="Every entry of this month, with the personal values behind it, is deleted for good. What remains "
            "are their number, the first and the last, the seals, and that you did it.",
            style="danger",
            icon="delete_forever",
            hide_when_refused=False,
            step_up=True,
        ),
    )

    @display(description="State", label={"Sealed": "success", "Open": "info", "Purged": "danger"})
    def standing(self, month: LedgerMonth) -> str:
        """How far it is."""
        if month.purged_at:
            return "Purged"
        if month.sealed_at:
            return "Sealed"
        return "Prepared" if month.month > clock.now().date() else "Open"
