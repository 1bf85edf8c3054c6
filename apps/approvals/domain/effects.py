"""What becomes of a request: its effect, exactly once and only on what was approved, or its end without one."""

import datetime as dt
from typing import Any

from django.db import models, transaction

from apps.accounts.models import User
from apps.approvals.domain.content import live_digest
from apps.approvals.domain.eligibility import Case, case_of, closed_sentence, eligible_in
from apps.approvals.domain.locking import locked
from apps.approvals.domain.stages import close_stages
from apps.approvals.enums import RequestState, Verdict
from apps.approvals.models import ApprovalCondition, ApprovalRequest
from apps.approvals.registry import subject_of
from apps.audit.models import AuditEvent
from apps.core import clock
from apps.core.actors import acting_as, system_principal
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.core.events import publish
from apps.core.transitions import transition
from apps.core.words import reason_given


def settle(case: Case, *, by: User, at: dt.datetime) -> str:
    """Carry out an approved request, or let it wait for its conditions or its day; row and subject are locked."""
    row, conditional = case.request, any(each.verdict == Verdict.APPROVE_WITH_CONDITIONS for each in case.votes)
    if waits := waits_for(row, at=at, conditional=conditional):
        close_request(row, RequestState.WAITING, by=by, at=at)
        publish("approval.waiting", request_id=row.pk)
        return f"{row} is approved; it takes effect {waits}."
    apply_now(row, case.thing, by=by, at=at, mark=case.mark)
    return f"{row} is approved."


def waits_for(row: ApprovalRequest, *, at: dt.datetime, conditional: bool = True) -> str:
    """Return what an approved request still waits for, in words; "" when it can take effect.

    Args:
        row: the request.
        at: now.
        conditional: whether anybody set a condition, where the caller knows.
    """
    opened = row.conditions.filter(closed_at=None).count() if conditional else 0
    if opened:
        return f"when {opened} condition{'s are' if opened > 1 else ' is'} closed"
    if row.effective_at is not None and row.effective_at > at:
        return f"on {row.effective_at:%-d %B %Y, %H:%M} UTC"
    return ""


def carry_out(request: ApprovalRequest, *, by: User | None = None, at: dt.datetime | None = None) -> str:
    """Let an approved request that waits take effect now, if nothing is missing any more.

    Where the subject is no longer what was approved, the approval is void: nothing takes effect, and who sent it is
    told.

    Raises:
        WrongState: it does not wait, or still waits for something.
    """
    person, moment = by or system_principal(), at or clock.now()
    with transaction.atomic(), acting_as(person):
        row, thing = locked(request)
        if not row.is_waiting:
            raise WrongState(closed_sentence(row))
        if waits := waits_for(row, at=moment):
            raise WrongState(f"{row} takes effect {waits}.")
        if thing is None or live_digest(thing) != row.digest:
            return void(row, thing, by=person, at=moment)
        apply_now(row, thing, by=person, at=moment)
    return f"{row} is in effect."


def void(row: ApprovalRequest, thing: Any, *, by: User, at: dt.datetime) -> str:
    """Close a locked request whose subject was changed: what was approved no longer exists."""
    end_request(row, thing, RequestState.VOID, by=by, at=at)
    publish("approval.void", request_id=row.pk)
    return f"{row} was changed since it was sent for approval; the approval is void. Send it again."


def apply_now(row: ApprovalRequest, thing: Any, *, by: User, at: dt.datetime, mark: int | None = None) -> None:
    """The effect: the state moves from unsettled to approved once, under the row's lock, with what it does."""
    newest = AuditEvent.objects.of_object(thing).aggregate(newest=models.Max("id")) if mark is None else {}
    row.applied_at, row.ledger_mark = at, mark if mark is not None else newest["newest"]
    close_request(row, RequestState.APPROVED, by=by, at=at)
    subject_of(type(thing)).apply(thing, row, by=by, at=at)
    publish("approval.approved", request_id=row.pk)


def close_request(row: ApprovalRequest, state: RequestState, *, by: User, at: dt.datetime) -> None:
    """Write down what became of a locked request."""
    was_open = row.is_open
    row.state, fields = state, ["state"]
    if row.decided_at is None:
        row.decided_at, fields = at, [*fields, "decided_at"]
    if state == RequestState.APPROVED:
        fields += ["applied_at", "ledger_mark"]
    with transition(ApprovalRequest):
        row.save(update_fields=fields)
    if was_open and state not in (RequestState.APPROVED, RequestState.WAITING):
        close_stages(row, by=by, at=at)


def end_request(row: ApprovalRequest, thing: Any, state: RequestState, *, by: User, at: dt.datetime) -> None:
    """Close a locked request without effect and put its subject back."""
    close_request(row, state, by=by, at=at)
    if thing is not None:
        subject_of(type(thing)).on_refused(thing, row, by=by)


def refuse_revocation(user: User, request: ApprovalRequest) -> str | None:
    """Return why `user` cannot revoke the approval of `request`, None when they can."""
    if not request.is_waiting:
        if request.state == RequestState.APPROVED:
            return f"{request} is in effect; an approval is revoked before that."
        return closed_sentence(request) if not request.is_open else f"{request} is not approved yet."
    if not request.decisions.filter(models.Q(approver=user) | models.Q(principal=user)).exists():
        return "Only those who approved it can revoke their approval."
    return None


def revoke(request: ApprovalRequest, *, by: User, reason: str, at: dt.datetime | None = None) -> str:
    """Take an approval back before it takes effect.

    Raises:
        InvalidInput: without a reason.
        NotAllowed: `by` did not approve it.
        WrongState: it is in effect, or was never approved.
    """
    reason = reason_given(reason, "Say why you take your approval back.")
    with transaction.atomic(), acting_as(by, reason=reason.strip()):
        row, thing = locked(request)
        if refused := refuse_revocation(by, row):
            raise (NotAllowed if row.is_waiting else WrongState)(refused)
        end_request(row, thing, RequestState.REVOKED, by=by, at=at or clock.now())
        publish("approval.revoked", request_id=row.pk)
    return f"The approval of {row} is revoked; nothing takes effect."


def expire(request: ApprovalRequest, *, at: dt.datetime | None = None) -> str:
    """Close a request whose time is over; it is never approved by that.

    Raises:
        WrongState: it is settled, or its time is not over.
    """
    moment, person = at or clock.now(), system_principal()
    with transaction.atomic(), acting_as(person):
        row, thing = locked(request)
        if not (row.is_open or row.is_waiting):
            raise WrongState(closed_sentence(row))
        if row.expires_at is None or row.expires_at > moment:
            raise WrongState(f"{row} has not expired.")
        end_request(row, thing, RequestState.EXPIRED, by=person, at=moment)
        publish("approval.expired", request_id=row.pk)
    return f"{row} has expired."


def refuse_closing(user: User, condition: ApprovalCondition) -> str | None:
    """Return why `user` cannot close `condition`, None when they can."""
    request = condition.approval
    if condition.closed_at is not None:
        return "This condition is closed already."
    if request.state not in (RequestState.IN_REVIEW, RequestState.WAITING):
        return closed_sentence(request)
    decision = condition.decision
    if user.pk in (decision.approver_id, decision.principal_id):
        return None if user.is_active else "Your account is not active."
    case = case_of(request)
    if user.pk in case.own and user.pk not in {each.approver for each in case.votes}:
        return "Who sent or wrote it does not close its conditions; who asked for them does."
    if case.stage is not None and eligible_in(case, user):
        return None
    return f"{decision.signature} asked for this and closes it; or somebody who stands in."


def close_condition(condition: ApprovalCondition, *, by: User, note: str, at: dt.datetime | None = None) -> str:
    """Say that a condition is met; the last one lets the approved request take effect, in the same transaction.

    Raises:
        InvalidInput: without saying how it was met.
        NotAllowed: `by` did not ask for it.
        WrongState: it is closed, or the request is settled.
    """
    if not note.strip():
        raise InvalidInput("Say how the condition was met.", fields={"note": "Say how."})
    moment = at or clock.now()
    with transaction.atomic(), acting_as(by, reason=note.strip()):
        row, thing = locked(condition.approval)
        open_one: ApprovalCondition = ApprovalCondition.objects.select_for_update(of=("self",)).get(pk=condition.pk)
        if refused := refuse_closing(by, open_one):
            raise (WrongState if open_one.closed_at or not (row.is_open or row.is_waiting) else NotAllowed)(refused)
        open_one.closed_at, open_one.closed_by, open_one.closing_note = moment, by, note.strip()
        with transition(ApprovalCondition):
            open_one.save(update_fields=["closed_at", "closed_by", "closing_note"])
        if row.is_waiting and not waits_for(row, at=moment):
            if thing is None or live_digest(thing) != row.digest:
                return void(row, thing, by=by, at=moment)
            apply_now(row, thing, by=by, at=moment)
            return f"The condition is closed; {row} is in effect."
    return "The condition is closed."
