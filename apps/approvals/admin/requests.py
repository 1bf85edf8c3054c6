"""Requests: what waits, what exactly is decided, who may decide and why not, and what was said."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db import models
from django.db.models import Case as Switch
from django.db.models import Value, When
from django.http import HttpRequest, HttpResponse
from django.urls import NoReverseMatch, URLPattern, path, reverse
from django.utils.html import format_html
from unfold.decorators import display

from apps.approvals.admin.analytics_page import analytics_page
from apps.approvals.admin.inbox_page import inbox_page
from apps.approvals.admin.panels import case_for, request_panels, reseat_panel
from apps.approvals.admin.simulator_page import simulator_page
from apps.approvals.domain import decisions, effects, emergencies, reseating
from apps.approvals.domain.eligibility import eligible_in
from apps.approvals.domain.reading import note_opening
from apps.approvals.domain.seats import requests_waiting_for
from apps.approvals.enums import RequestState
from apps.approvals.models import ApprovalRequest
from apps.core.admin_kit.base import ReadOnlyAdmin
from apps.core.admin_kit.buttons import Button, NoteForm, ReasonForm

STATE_COLOURS = {
    RequestState.IN_REVIEW.label: "info",
    RequestState.WAITING.label: "info",
    RequestState.APPROVED.label: "success",
    RequestState.CHANGES_REQUESTED.label: "warning",
    RequestState.EXPIRED.label: "warning",
    RequestState.VOID.label: "warning",
    RequestState.REVOKED.label: "danger",
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
        mine = requests_waiting_for(person).values("pk")
        if self.value() == "mine":
            return queryset.filter(pk__in=mine)
        if self.value() == "others":
            return queryset.filter(state=RequestState.IN_REVIEW).exclude(pk__in=mine)
        return queryset


def _refused_decision(person: Any, row: ApprovalRequest) -> str | None:
    """Ask once per page what several buttons and a panel show; the operation asks again, under its locks."""
    asked: dict[int, str | None] = row.__dict__.setdefault("_refused_decision", {})
    if person.pk not in asked:
        refusal = eligible_in(case_for(row), person).refusal
        asked[person.pk] = refusal.message if refusal else None
    return asked[person.pk]


def _refused_abstention(person: Any, row: ApprovalRequest) -> str | None:
    """Where one approval is enough and nobody else is asked, there is nothing to leave to others."""
    return _refused_decision(person, row)


class ConditionsForm(NoteForm):
    """Asks under which conditions."""

    conditions = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="One a line. It takes effect when you have closed all of them.",
    )
    field_order = ("conditions", "note")


class WithdrawForm(NoteForm):
    """Leaves room to say why."""


def _decide(
    name: str, label: str, operation: Any, form: Any, confirm: str, icon: str, style: str = "default"
) -> Button:
    return Button(name, label, operation, _refused_decision, form=form, confirm=confirm, icon=icon, style=style)


@admin.register(ApprovalRequest)
class ApprovalRequestAdmin(ReadOnlyAdmin):
    """Requests: what waits, what was decided."""

    list_display = ("title", "kind", "standing", "turn", "requester", "submitted_at", "decided_at")
    list_filter = (WaitingFilter, "state", "policy", "requester", "break_glass")
    search_fields = ("title", "note", "requester__full_name")
    allowed_lookups = ("decided_at", "round", "decisions__at", "decisions__approver", "decisions__stage__name")
    fields = (
        ("standing", "subject"),
        ("kind", "requester"),
        ("submitted_at", "decided_at"),
        ("effective_at", "applied_at"),
        ("expires_at", "follows"),
        "fingerprint",
    )
    readonly_fields = ("standing", "subject", "kind", "fingerprint", "follows")
    in_palette = True
    empty_state = "Nothing has been sent for approval yet. SOP versions and campaigns are sent from their own pages."
    buttons = (
        _decide(
            "approve",
            "Approve",
            decisions.approve,
            NoteForm,
            "What is shown on the page of this request takes effect at once, if no other approval is missing.",
            "check",
            "primary",
        ),
        _decide(
            "approve-with-conditions",
            "Approve with conditions",
            decisions.approve_with_conditions,
            ConditionsForm,
            "Your approval counts at once; it takes effect when every condition is closed.",
            "rule",
        ),
        _decide(
            "request-changes",
            "Request changes",
            decisions.request_changes,
            ReasonForm,
            "It goes back to its author, who can change it and send it again.",
            "edit_note",
        ),
        _decide(
            "reject",
            "Reject",
            decisions.reject,
            ReasonForm,
            "It is refused as it stands and goes back to its author.",
            "close",
            "danger",
        ),
        _decide(
            "abstain",
            "Abstain",
            decisions.abstain,
            ReasonForm,
            "You leave it to the others, for instance because of a conflict of interest.",
            "do_not_disturb_on",
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
        Button(
            "resolve-approvers",
            "Resolve approvers again",
            reseating.reseat,
            reseating.refuse_reseating,
            form=ReasonForm,
            panel=reseat_panel,
            confirm="Those who come are told, and from now on they decide. What has been decided stays; where that is "
            "all that is asked for now, the request goes on at once.",
            icon="group_add",
        ),
        Button(
            "revoke",
            "Revoke the approval",
            effects.revoke,
            effects.refuse_revocation,
            form=ReasonForm,
            confirm="It is approved but not in effect yet: nothing will take effect, and it goes back to its author.",
            style="danger",
            icon="block",
        ),
        Button(
            "emergency",
            "Approve in an emergency",
            emergencies.approve_in_emergency,
            emergencies.refuse_emergency,
            form=ReasonForm,
            confirm="It takes effect at once without the approvals its policy asks for. Everybody who would have "
            "decided is told now, and somebody else must review what you did.",
            style="danger",
            icon="e911_emergency",
            step_up=True,
        ),
    )

    def get_urls(self) -> list[URLPattern]:
        """Add the inbox, the analytics and the simulator."""
        pages = (("inbox", inbox_page), ("analytics", analytics_page), ("simulator", simulator_page))
        own = [
            path(f"{name}/", self.admin_site.admin_view(self._page(view)), name=f"approvals_{name}")
            for name, view in pages
        ]
        return [*own, *super().get_urls()]

    def _page(self, view: Any) -> Any:
        def page(request: HttpRequest) -> HttpResponse:
            answer: HttpResponse = view(self, request)
            return answer

        return page

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load what the columns show, and mark what waits for this person."""
        person: Any = request.user
        mine = When(pk__in=requests_waiting_for(person).values("pk"), then=Value(True))
        related = ("content_type", "requester", "policy", "policy_version", "revision")
        rows = super().get_queryset(request).select_related(*related)
        annotated: models.QuerySet[Any] = rows.annotate(is_mine=Switch(mine, default=Value(False)))
        return annotated

    def get_ordering(self, request: HttpRequest) -> Any:
        """Put what waits for this person first, oldest first; then what waits for others; then what is decided."""
        person: Any = request.user
        mine = requests_waiting_for(person).values("pk")
        return (
            Switch(When(pk__in=mine, then=0), When(state=RequestState.IN_REVIEW, then=1), default=2),
            Switch(When(state=RequestState.IN_REVIEW, then="submitted_at")),
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

    @display(description="Follows")
    def follows(self, row: ApprovalRequest) -> str:
        """The version of the policy, and the row of its table."""
        link = reverse("admin:approvals_policyversion_change", args=(row.policy_version_id,))
        name = f"{row.policy} · version {row.policy_version.number}"
        return format_html('<a class="mops-link" href="{}">{}</a> {}', link, name, f"({row.rule})" if row.rule else "")

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
        """Show what is decided, who may decide, and what has been said; note that an approver has opened it."""
        row = self.get_object(request, object_id)
        extra = dict(extra_context or {})
        if row is not None:
            person: Any = request.user
            refused = _refused_decision(person, row) if row.is_open else None
            if row.is_open and refused is None and request.method == "GET":
                note_opening(row, case_for(row).active, person)
            extra["row_panels"] = [*extra.get("row_panels", []), *request_panels(request, row, refused=refused)]
        return super().change_view(request, object_id, form_url, extra)
