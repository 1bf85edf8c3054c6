"""Exceptions with a second person and a last day: waivers of compliance rules, overrides of computed levels."""

import datetime as dt
from typing import TYPE_CHECKING, Any

from django.db import transaction

from apps.approvals.domain.decisions import request_approval
from apps.core import access, clock
from apps.core.actors import acting_as
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.core.events import publish
from apps.core.transitions import transition
from apps.core.words import reason_given
from apps.processes.domain.compliance import evaluate, waivers_waiting
from apps.processes.enums import Standing, WaiverState
from apps.processes.models import ComplianceStanding, ComplianceWaiver
from apps.processes.models.exceptions import ApprovedException

if TYPE_CHECKING:
    from apps.accounts.models import User

LONGEST = 366
SAY_WHY = "Say why it is bearable, and what stands in for it until then."


def last_day(until: dt.date, today: dt.date) -> dt.date:
    """Return the last day of an exception, checked.

    Raises:
        InvalidInput: it is past, or further away than a year.
    """
    if until < today:
        said = f"{until:%-d %B %Y} is past; an exception ends on a day to come."
        raise InvalidInput(said, fields={"until": said})
    if until > today + dt.timedelta(days=LONGEST):
        said = f"An exception ends within a year: by {today + dt.timedelta(days=LONGEST):%-d %B %Y} at the latest."
        raise InvalidInput(said, fields={"until": said})
    return until


def send(row: ApprovedException, *, by: "User", note: str, at: dt.datetime | None = None) -> None:
    """Save a new exception and send it to its approvers, inside the caller's transaction.

    Raises:
        WrongState: nobody could decide.
    """
    with transition(type(row)):
        row.save()
        row.state = WaiverState.IN_REVIEW
        row.save(update_fields=["state"])
    request_approval(row, by=by, note=note, at=at)


def refuse_ask_waiver(user: "User", finding: ComplianceStanding) -> str | None:
    """Return why `user` cannot ask for a waiver of a finding, None when they can."""
    if not access.has_model_permission(user, "add", ComplianceWaiver):
        return "You may read findings, not ask for waivers."
    if finding.outcome != Standing.FAILED:
        return "Only what is not met is waived."
    if waivers_waiting(finding.rule, finding.content_type_id, finding.object_id):
        return "A waiver of it waits for a decision already."
    return None


def ask_waiver(
    finding: ComplianceStanding, *, by: "User", reason: str, until: dt.date, at: dt.datetime | None = None
) -> str:
    """Ask that one record need not meet one rule until a day; the finding stays until a second person has approved.

    Raises:
        InvalidInput: nothing says why, or the day is past or too far away.
        NotAllowed, WrongState: `refuse_ask_waiver`, or nobody could decide.
    """
    said, moment = reason_given(reason, SAY_WHY), at or clock.now()
    until = last_day(until, moment.date())
    with transaction.atomic(), acting_as(by, reason=said):
        rows = ComplianceStanding.objects.select_for_update(of=("self",)).select_related("rule")
        row: ComplianceStanding = rows.get(pk=finding.pk)
        if refused := refuse_ask_waiver(by, row):
            allowed = access.has_model_permission(by, "add", ComplianceWaiver)
            raise (WrongState if allowed else NotAllowed)(refused)
        waiver = ComplianceWaiver(
            rule=row.rule,
            content_type=row.content_type,
            object_id=row.object_id,
            subject_label=row.subject_label,
            reason=said,
            until=until,
            asked_by=by,
        )
        send(waiver, by=by, note=said, at=at)
    return "Asked; it counts as not met until somebody else has approved the waiver."


def accept(row: ApprovedException, request: Any, *, by: "User", at: dt.datetime | None = None) -> None:
    """Let the exception count: the effect of its approval, in its transaction with the row locked.

    Raises:
        WrongState: its last day has passed meanwhile.
    """
    moment = at or clock.now()
    if row.until < moment.date():
        raise WrongState(f"It would have ended on {row.until:%-d %B %Y}, so there is nothing left to approve.")
    _decide(row, WaiverState.APPROVED)
    if isinstance(row, ComplianceWaiver):
        subject = row.subject
        if subject is not None:
            evaluate(row.rule, at=at, only=subject)
    publish("exception.approved", kind=row._meta.label_lower, exception_id=row.pk)


def drop(row: ApprovedException, request: Any, *, by: "User") -> None:
    """Note that the exception does not count: the request was refused or withdrawn."""
    _decide(row, WaiverState.REFUSED)


def _decide(row: ApprovedException, state: WaiverState) -> None:
    row.state = state
    with transition(type(row)):
        row.save(update_fields=["state"])
