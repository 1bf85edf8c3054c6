"""The pages of access reviews: the rounds, and their lines with what was found and decided."""

from typing import Any

from django.contrib import admin, messages
from django.db import models
from django.http import HttpRequest
from django.utils.formats import date_format
from django.utils.html import format_html_join
from django.utils.timezone import localtime
from unfold.decorators import display

from apps.core import clock
from apps.core.admin_kit.base import ReadOnlyAdmin
from apps.core.admin_kit.buttons import Button, NoteForm
from apps.core.errors import DomainError
from apps.core.words import NOTHING
from apps.rights.admin.forms import WhyForm
from apps.rights.domain import reviewing
from apps.rights.enums import Flag
from apps.rights.models import AccessReview, AccessReviewEntry

FLAG_STYLES = {Flag.CONFLICT: "bad", Flag.ORPHANED: "bad", Flag.PRIVILEGED: "warn", Flag.DORMANT: "warn"}


@admin.register(AccessReview)
class AccessReviewAdmin(ReadOnlyAdmin):
    """Access reviews."""

    list_display = ("name", "covers", "reviewer", "due_on", "progress", "state")
    list_filter = ("scope", "reviewer", "due_on")
    search_fields = ("name", "reviewer__full_name", "reviewer__email")
    fields = (
        *("name", "covers", "assignment", "reviewer", "second_reviewer", "due_on", "state", "progress"),
        *("opened_by", "created_at", "finished_at", "finished_by", "digest"),
    )
    readonly_fields = ("covers", "state", "progress")
    empty_state = (
        "No review yet. “Open a review” lists every role, shared record, ownership and account, each with somebody "
        "who keeps, reduces or revokes it."
    )
    buttons = (
        Button(
            "finish",
            "Finish the review",
            reviewing.finish_review,
            reviewing.refuse_finish,
            NoteForm,
            confirm="What was taken away is read back once more, then every line is frozen for good.",
            style="primary",
            icon="verified",
            hide_when_refused=False,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Count the lines with the rows."""
        rows = super().get_queryset(request)
        named: models.QuerySet[Any] = rows.select_related(
            "reviewer", "second_reviewer", "team", "opened_by", "finished_by"
        )
        counted: models.QuerySet[Any] = named.annotate(
            lines=models.Count("entries"), decided=models.Count("entries", models.Q(entries__decision__gt=""))
        )
        return counted

    @display(description="Covers", ordering="scope")
    def covers(self, review: AccessReview) -> str:
        """What is reviewed."""
        return review.scope_in_words

    @display(description="Decided", ordering="decided")
    def progress(self, review: Any) -> str:
        """How far it is."""
        return f"{review.decided} of {review.lines}"

    @display(description="State", label={"finished": "success", "under way": "info", "overdue": "danger"})
    def state(self, review: AccessReview) -> str:
        """How it stands."""
        if review.is_finished:
            return "finished"
        return "overdue" if review.due_on < clock.today() else "under way"


@admin.action(description="Keep the chosen lines", permissions=["view"])
def keep_chosen(model_admin: Any, request: HttpRequest, queryset: models.QuerySet[Any]) -> None:
    """Keep many at once; each line is asked for by itself."""
    kept, refused = 0, ""
    person: Any = request.user
    for entry in queryset.select_related("review"):
        try:
            reviewing.keep(entry, by=person, note="Kept with others")
        except DomainError as refusal:
            refused = refusal.message
        else:
            kept += 1
    if kept:
        messages.success(request, f"{kept} {'line is' if kept == 1 else 'lines are'} kept.")
    if refused:
        messages.error(request, f"{queryset.count() - kept} not: {refused}")


@admin.register(AccessReviewEntry)
class AccessReviewEntryAdmin(ReadOnlyAdmin):
    """Lines of access reviews."""

    list_display = ("principal_label", "what", "source", "since", "used", "marks", "reviewer", "shown_decision")
    list_display_links = ("principal_label",)
    list_filter = ("review", "decision", "source", "reviewer")
    search_fields = ("principal_label", "what", "note", "person__email")
    allowed_lookups = ("review", "decision", "person")
    fields = (
        *("review", "principal_label", "what", "source", "granted_by_label", "granted_at", "used", "marks"),
        *("reviewer", "shown_decision", "note", "decided_by", "decided_at", "executed_at", "verified_at", "outcome"),
    )
    readonly_fields = ("used", "marks", "shown_decision")
    actions = (keep_chosen,)
    list_per_page = 30
    empty_state = "Nothing to review. When a review is opened, the lines you decide about are here."
    buttons = (
        Button("keep", "Keep", reviewing.keep, reviewing.refuse_decide, NoteForm, style="primary", icon="check"),
        Button(
            "reduce",
            "Reduce",
            reviewing.reduce,
            reviewing.refuse_reduce,
            WhyForm,
            confirm="They keep looking at it and change nothing any more, from the next request on.",
            icon="remove_moderator",
        ),
        Button(
            "revoke",
            "Revoke",
            reviewing.revoke,
            reviewing.refuse_revoke_line,
            WhyForm,
            confirm="It is taken away at once through the operation that gave it, and read back.",
            style="danger",
            icon="key_off",
        ),
    )

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load people and the review with the rows."""
        return super().get_queryset(request).select_related("review", "person", "reviewer", "decided_by")

    @display(description="Since", ordering="granted_at")
    def since(self, entry: AccessReviewEntry) -> str:
        """Since when it is granted."""
        return date_format(localtime(entry.granted_at), "j M Y") if entry.granted_at else NOTHING

    @display(description="Last used", ordering="last_used_at")
    def used(self, entry: AccessReviewEntry) -> str:
        """When and how it was last used."""
        if entry.last_used_at is None:
            return "never on record"
        return f"{date_format(localtime(entry.last_used_at), 'j M Y')}: {entry.last_used_how}"

    @display(description="Notice")
    def marks(self, entry: AccessReviewEntry) -> str:
        """What a reviewer should notice."""
        chips = ((FLAG_STYLES.get(Flag(each), "plain"), Flag(each).label) for each in entry.flags)
        return format_html_join(" ", '<span class="mops-chip mops-chip-{}">{}</span>', chips) or NOTHING

    @display(
        description="Decision",
        ordering="decision",
        label={"Keep": "success", "Reduce": "warning", "Revoke": "danger", "waits": "info"},
    )
    def shown_decision(self, entry: AccessReviewEntry) -> str:
        """What was decided."""
        return str(entry.get_decision_display()) if entry.decision else "waits"
