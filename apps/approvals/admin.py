"""The approver's desk: the inbox, what exactly is decided, who may decide and why not, and the policies."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db import models
from django.db.models import Case, Value, When
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from unfold.decorators import display

from apps.approvals import registry
from apps.approvals.domain import decisions, inbox, policies
from apps.approvals.domain.content import FieldDecided, digest_of, fields_decided, live_digest
from apps.approvals.enums import RequestState, Verdict
from apps.approvals.models import ApprovalPolicy, ApprovalRequest, PolicyApprover
from apps.core.admin_kit.base import ARCHIVE_BUTTONS, MopsAdmin, MopsTabularInline, ReadOnlyAdmin
from apps.core.admin_kit.buttons import Button, NoteForm, ReasonForm
from apps.core.admin_kit.consistency import Check
from apps.core.admin_kit.locking import RowVersionForm
from apps.core.markdown import render
from apps.core.text_diff import compare

STATE_COLOURS = {
    RequestState.IN_REVIEW.label: "info",
    RequestState.APPROVED.label: "success",
    RequestState.CHANGES_REQUESTED.label: "warning",
    RequestState.REJECTED.label: "danger",
}


class WaitingFilter(admin.SimpleListFilter):
    """Whose turn it is."""

    title = "whose turn"
    parameter_name = "turn"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Offer the three questions people come with."""
        return [("mine", "Mine to decide"), ("sent", "Sent by me"), ("others", "Waiting for others")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Narrow the list."""
        person: Any = request.user
        if self.value() == "sent":
            return queryset.filter(requester=person)
        mine = ApprovalRequest.objects.waiting_for(person).values("pk")
        if self.value() == "mine":
            return queryset.filter(pk__in=mine)
        if self.value() == "others":
            return queryset.filter(state=RequestState.IN_REVIEW).exclude(pk__in=mine)
        return queryset


def _refused_decision(person: Any, row: ApprovalRequest) -> str | None:
    """Ask once per page what three buttons and a panel show; the operation itself asks again, under its locks."""
    asked: dict[int, str | None] = row.__dict__.setdefault("_refused_decision", {})
    if person.pk not in asked:
        asked[person.pk] = decisions.refuse_decision(person, row)
    return asked[person.pk]


class WithdrawForm(NoteForm):
    """Leaves room to say why."""


@admin.register(ApprovalRequest)
class ApprovalRequestAdmin(ReadOnlyAdmin):
    """Requests: what waits, what was decided."""

    list_display = ("title", "kind", "standing", "turn", "requester", "submitted_at", "decided_at")
    list_filter = (WaitingFilter, "state", "policy", "requester")
    search_fields = ("title", "note", "requester__full_name")
    fields = ("standing", "subject", "kind", "round", "requester", "submitted_at", "decided_at", "fingerprint")
    readonly_fields = ("standing", "subject", "kind", "fingerprint")
    in_palette = True
    empty_state = "Nothing has been sent for approval yet. SOP versions and campaigns are sent from their own pages."
    buttons = (
        Button(
            "approve",
            "Approve",
            decisions.approve,
            _refused_decision,
            form=NoteForm,
            confirm="What is shown on the page of this request takes effect at once, if no other approval is missing.",
            style="primary",
            icon="check",
        ),
        Button(
            "request-changes",
            "Request changes",
            decisions.request_changes,
            _refused_decision,
            form=ReasonForm,
            confirm="It goes back to its author, who can change it and send it again.",
            icon="edit_note",
        ),
        Button(
            "reject",
            "Reject",
            decisions.reject,
            _refused_decision,
            form=ReasonForm,
            confirm="It is refused as it stands and goes back to its author.",
            style="danger",
            icon="close",
        ),
        Button(
            "withdraw",
            "Withdraw",
            decisions.withdraw,
            decisions.refuse_withdrawal,
            form=WithdrawForm,
            confirm="Nobody decides about it any more; it can be changed and sent again.",
            icon="undo",
        ),
    )

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load what the columns show, and mark what waits for this person."""
        person: Any = request.user
        mine = When(pk__in=ApprovalRequest.objects.waiting_for(person).values("pk"), then=Value(True))
        rows = super().get_queryset(request).select_related("content_type", "requester", "policy")
        annotated: models.QuerySet[Any] = rows.annotate(is_mine=Case(mine, default=Value(False)))
        return annotated

    def get_ordering(self, request: HttpRequest) -> Any:
        """Put what waits for this person first, oldest first; then what waits for others; then what is decided."""
        person: Any = request.user
        mine = ApprovalRequest.objects.waiting_for(person).values("pk")
        return (
            Case(When(pk__in=mine, then=0), When(state=RequestState.IN_REVIEW, then=1), default=2),
            Case(When(state=RequestState.IN_REVIEW, then="submitted_at")),
            "-decided_at",
        )

    @display(description="State", ordering="state", label=STATE_COLOURS)
    def standing(self, row: ApprovalRequest) -> str:
        """Where it stands."""
        return RequestState(row.state).label

    @display(description="Fingerprint")
    def fingerprint(self, row: ApprovalRequest) -> str:
        """The digest of what is decided."""
        return format_html('<code class="mops-break" title="SHA-256 of what is decided">{}</code>', row.digest)

    @display(description="Turn", label={"Yours": "warning"})
    def turn(self, row: Any) -> str | None:
        """Whose turn it is."""
        if not row.is_open:
            return None
        return "Yours" if row.is_mine else "Others"

    @display(description="Kind", ordering="content_type")
    def kind(self, row: ApprovalRequest) -> str:
        """What kind of thing it is about."""
        name = str(row.content_type.name)
        return name[:1].upper() + name[1:]

    @display(description="What")
    def subject(self, row: ApprovalRequest) -> str:
        """The thing itself."""
        kind = row.content_type
        try:
            link = reverse(f"admin:{kind.app_label}_{kind.model}_change", args=(row.object_id,))
        except NoReverseMatch:
            return row.title
        return format_html('<a class="mops-link" href="{}">{}</a>', link, row.title)

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show what is decided, who may decide, and what has been said."""
        row = self.get_object(request, object_id)
        extra = dict(extra_context or {})
        if row is not None:
            extra["row_panels"] = [*extra.get("row_panels", []), *_panels(request, row)]
        return super().change_view(request, object_id, form_url, extra)


def _panels(request: HttpRequest, row: ApprovalRequest) -> list[dict[str, Any]]:
    thing = decisions.subject_row(row)
    model: Any = row.content_type.model_class()
    person: Any = request.user
    return [
        {
            "template": "admin/approvals/content_panel.html",
            "request": row,
            "fields": [_shown(each) for each in fields_decided(model, row.payload, row.before)],
            "is_first": row.before is None,
            "is_intact": digest_of(row.payload) == row.digest,
            "has_moved": row.is_open and (thing is None or live_digest(thing) != row.digest),
        },
        {
            "template": "admin/approvals/deciders_panel.html",
            "request": row,
            "missing": row.required - row.decisions.filter(verdict=Verdict.APPROVE).count(),
            "answers": inbox.who_may_decide(row) if row.is_open else [],
            "refused": _refused_decision(person, row) if row.is_open else None,
            "decisions": list(row.decisions.select_related("approver")),
        },
    ]


def _shown(each: FieldDecided) -> dict[str, Any]:
    return {
        "field": each,
        "html": render(each.value) if each.is_markdown else None,
        "lines": compare(each.before or "", each.value) if each.is_long and each.has_changed else [],
    }


def inbox_panel(request: HttpRequest) -> dict[str, Any] | None:
    """Return what waits for this person and what they wait for; nothing for people without either."""
    person: Any = request.user
    waiting, sent = inbox.waiting_for(person), inbox.sent_by(person)
    if not waiting and not sent and not person.has_perm("approvals.view_approvalrequest"):
        return None
    return {
        "waiting": waiting[: inbox.SHOWN],
        "sent": sent[: inbox.SHOWN],
        "more": max(len(waiting), len(sent)) > inbox.SHOWN,
    }


class PolicyForm(RowVersionForm):
    """A policy decides about one of the kinds that can be approved."""

    subject_kind = forms.ChoiceField(
        choices=registry.kinds,
        label="What it decides about",
        help_text="Each kind has one policy in force; archive it to replace it.",
    )

    class Meta:
        model = ApprovalPolicy
        fields = ("name", "subject_kind", "approver_role", "approver_team", "required")


class PolicyApproverInline(MopsTabularInline):
    """People who may decide besides the role and the team."""

    model = PolicyApprover
    fields = ("person",)
    autocomplete_fields = ("person",)
    verbose_name_plural = "named approvers"


@admin.register(ApprovalPolicy)
class ApprovalPolicyAdmin(MopsAdmin):
    """Policies: who decides about what."""

    form = PolicyForm
    list_display = ("name", "subject_kind", "approver_role", "approver_team", "required", "in_force")
    list_select_related = ("approver_team",)
    search_fields = ("name",)
    fields = ("name", "subject_kind", ("approver_role", "approver_team"), "required")
    autocomplete_fields = ("approver_team",)
    inlines = (PolicyApproverInline,)
    buttons = ARCHIVE_BUTTONS
    consistency_checks = (Check("In force, but names nobody who could decide", policies.naming_nobody),)
    empty_state = "No policy yet: nothing can be approved. Add one for each kind of thing that needs a decision."

    @display(description="In force", boolean=True)
    def in_force(self, policy: ApprovalPolicy) -> bool:
        """Whether new requests follow it."""
        return not policy.is_archived
