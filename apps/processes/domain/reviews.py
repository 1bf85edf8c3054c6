"""Reviews of processes: begun, closed with an outcome once all feedback is answered, and reminded of when late."""

import datetime as dt
from typing import TYPE_CHECKING

from django.db import transaction

from apps.core import access, clock
from apps.core.actors import acting_as
from apps.core.admin_kit.archive import archive
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.core.events import publish
from apps.core.transitions import transition
from apps.processes.domain.calendar import next_review
from apps.processes.domain.publishing import write_draft
from apps.processes.enums import OPEN_STATES, Disposition, ReviewOutcome, VersionState
from apps.processes.models import Process, Review, SOPVersion

if TYPE_CHECKING:
    from apps.accounts.models import User


def refuse_review(user: "User", process: Process) -> str | None:
    """Return why `user` cannot review `process` now, None when it works."""
    if not access.may(user, "change", process):
        return f"You may not change {process}."
    if process.is_archived:
        return f"{process} is archived; restore it first."
    if process.effective_version_id is None:
        return f"{process} has no version in force yet; there is nothing to review."
    return None


def refuse_start(user: "User", process: Process) -> str | None:
    """Return why `user` cannot begin a review of `process` now, None when it works."""
    if refused := refuse_review(user, process):
        return refused
    open_one = process.reviews.filter(closed_at__isnull=True).select_related("reviewer").first()
    if open_one is not None:
        return f"{open_one.reviewer} is reviewing {process} since {open_one.opened_at:%-d %B}; close that review."
    return None


def start_review(process: Process, *, by: "User", at: dt.datetime | None = None) -> Review:
    """Begin a review of what is in force.

    Raises:
        NotAllowed: `by` may not change the process.
        WrongState: nothing is in force, or a review is under way.
    """
    with transaction.atomic(), acting_as(by):
        row: Process = Process.objects.select_for_update(of=("self",)).get(pk=process.pk)
        if refused := refuse_start(by, row):
            raise (WrongState if access.may(by, "change", row) else NotAllowed)(refused)
        return Review.objects.create(
            process=row,
            version_id=row.effective_version_id or 0,  # refuse_start has seen to it
            due_on=row.next_review_on,
            reviewer=by,
            opened_at=at or clock.now(),
        )


def refuse_close(user: "User", review: Review) -> str | None:
    """Return why `user` cannot close `review` now, None when it works."""
    if not access.may(user, "change", review.process):
        return f"You may not change {review.process}."
    if not review.is_open:
        return f"{review} is closed already."
    waiting = review.process.feedback.filter(disposition=Disposition.OPEN, archived_at__isnull=True).count()
    if waiting:
        pieces = "piece of feedback waits" if waiting == 1 else "pieces of feedback wait"
        return f"{waiting} {pieces} for an answer; answer each before you close the review."
    return None


def close_review(review: Review, *, by: "User", outcome: str, notes: str, at: dt.datetime | None = None) -> str:
    """Close a review with its outcome and carry that out.

    No change: the version stays. Minor change and revise: a draft is started, unless one is under way. Retire: the
    version goes out of force and the process is archived. The next review is counted from today.

    Raises:
        InvalidInput: no outcome, or no notes.
        NotAllowed: `by` may not change the process.
        WrongState: it is closed, or feedback waits for an answer.
    """
    if outcome not in ReviewOutcome.values:
        raise InvalidInput("Say what the review comes to.", fields={"outcome": "Choose one."})
    if not notes.strip():
        raise InvalidInput("Say what was looked at and found.", fields={"notes": "Say what was found."})
    moment = at or clock.now()
    with transaction.atomic(), acting_as(by, reason=notes):
        process: Process = Process.objects.select_for_update(of=("self",)).get(pk=review.process_id)
        row: Review = Review.objects.select_for_update(of=("self",)).select_related("process").get(pk=review.pk)
        if refused := refuse_close(by, row):
            raise (WrongState if access.may(by, "change", process) else NotAllowed)(refused)
        row.outcome, row.notes, row.closed_at = outcome, notes.strip(), moment
        process.next_review_on = next_review(moment.date(), process.review_every)
        with transition(Review, Process):
            row.save(update_fields=["outcome", "notes", "closed_at"])
            process.save(update_fields=["next_review_on"])
        said = _carry_out(process, ReviewOutcome(outcome), by=by, at=moment)
        publish("sop.reviewed", process_id=process.pk)
    return said


def _carry_out(process: Process, outcome: ReviewOutcome, *, by: "User", at: dt.datetime) -> str:
    due = f"the next review is due on {process.next_review_on:%-d %B %Y}"
    if outcome == ReviewOutcome.NO_CHANGE:
        return f"{process} is reviewed; {due}."
    if outcome == ReviewOutcome.RETIRE:
        retire(process, at=at)
        archive(process, by=by)
        return f"{process} is retired: nothing is in force any more, and it left the lists."
    if process.versions.filter(state__in=OPEN_STATES).exists():
        return f"{process} is reviewed; a new version is under way already; {due}."
    draft = write_draft(process, by=by)
    draft.is_material = outcome == ReviewOutcome.REVISE
    draft.save(update_fields=["is_material"])
    return f"{process} is reviewed; version {draft.number} is a draft now, and {due}."


def retire(process: Process, *, at: dt.datetime) -> None:
    """Take what is in force of `process` out of force, with its row locked by the caller; announces `sop.retired`.

    Raises:
        WrongState: a new version is in review or approved; that is decided first.
    """
    under_way = process.versions.filter(state__in=(VersionState.IN_REVIEW, VersionState.APPROVED)).first()
    if under_way is not None:
        standing = VersionState(under_way.state).label.lower()
        raise WrongState(f"{under_way} is {standing}; withdraw it before the process is retired.")
    with transition(SOPVersion, Process):
        for version in process.versions.filter(state=VersionState.EFFECTIVE):
            version.state, version.superseded_at = VersionState.RETIRED, at
            version.save(update_fields=["state", "superseded_at"])
        process.effective_version, process.next_review_on = None, None
        process.save(update_fields=["effective_version", "next_review_on"])
    publish("sop.retired", process_id=process.pk)


def confirm_unchanged(process: Process, *, by: "User", reason: str, today: dt.date | None = None) -> str:
    """Record a review that found nothing to change, begun and closed at once.

    Raises:
        NotAllowed: `by` may not change the process.
        WrongState: nothing is in force, another review is under way, or feedback waits for an answer.
    """
    at = dt.datetime.combine(today, dt.time(12), dt.UTC) if today else None
    with transaction.atomic():
        review = start_review(process, by=by, at=at)
        return close_review(review, by=by, outcome=ReviewOutcome.NO_CHANGE, notes=reason, at=at)
