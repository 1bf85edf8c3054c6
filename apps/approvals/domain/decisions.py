"""Approvals: asking for one, and deciding. What is approved is the exact version that was sent, once, by others."""

import datetime as dt
from collections.abc import Sequence

from django.db import transaction

from apps.accounts.models import User
from apps.approvals.domain.asking import refuse_withdrawal, request_approval, resubmit, withdraw
from apps.approvals.domain.content import live_digest
from apps.approvals.domain.effects import carry_out, end_request, settle
from apps.approvals.domain.eligibility import (
    Case,
    Eligibility,
    Vote,
    case_of,
    eligible_in,
    subject_row,
)
from apps.approvals.domain.locking import locked
from apps.approvals.domain.quorum import Outcome
from apps.approvals.domain.routing import unmet_checks
from apps.approvals.domain.stages import begin_next, settle_stage, tally
from apps.approvals.enums import OUTCOME, StageState, Verdict
from apps.approvals.models import ApprovalCondition, ApprovalRequest, Decision
from apps.core import clock
from apps.core.actors import acting_as, current_actor
from apps.core.errors import InvalidInput, WrongState
from apps.core.events import publish
from apps.core.transitions import transition
from apps.core.words import reason_given

__all__ = [
    "abstain",
    "approve",
    "approve_with_conditions",
    "carry_out",
    "refuse_decision",
    "refuse_withdrawal",
    "reject",
    "request_approval",
    "request_changes",
    "resubmit",
    "subject_row",
    "withdraw",
]
SAY_WHY = "Say why, so that the author knows what to change."


def refuse_decision(user: User, request: ApprovalRequest) -> str | None:
    """Return why `user` cannot decide about `request` now, None when they can."""
    refusal = eligible_in(case_of(request), user).refusal
    return refusal.message if refusal else None


def approve(request: ApprovalRequest, *, by: User, note: str = "", at: dt.datetime | None = None) -> str:
    """Approve; the last approval that was missing carries out the effect in the same transaction.

    Raises:
        NotAllowed: `by` is no approver, sent it or worked on it.
        WrongState: it is decided, what must be true first is not, or what would take effect is not what was sent.
    """
    with transaction.atomic(), acting_as(by, reason=note or None):
        case, seat, _ = _record(request, Verdict.APPROVE, by=by, reason=note, at=at)
        return _advance(case, seat, by=by, at=at or clock.now())


def approve_with_conditions(
    request: ApprovalRequest,
    *,
    by: User,
    conditions: Sequence[str] | str,
    note: str = "",
    at: dt.datetime | None = None,
) -> str:
    """Approve, but let it take effect only when the conditions, one a line, are closed.

    Raises:
        InvalidInput: without a condition.
        NotAllowed, WrongState: as for `approve`.
    """
    given = conditions.splitlines() if isinstance(conditions, str) else conditions
    texts = [each.strip() for each in given if each.strip()]
    if not texts:
        raise InvalidInput(
            "Write at least one condition, or approve without.", fields={"conditions": "Write at least one condition."}
        )
    with transaction.atomic(), acting_as(by, reason=note or None):
        case, seat, decision = _record(request, Verdict.APPROVE_WITH_CONDITIONS, by=by, reason=note, at=at)
        for text in texts:
            ApprovalCondition.objects.create(approval=case.request, decision=decision, text=text)
        return _advance(case, seat, by=by, at=at or clock.now())


def request_changes(request: ApprovalRequest, *, by: User, reason: str, at: dt.datetime | None = None) -> str:
    """Send it back to its author with what has to change.

    Raises:
        InvalidInput: without a reason.
        NotAllowed, WrongState: as for `approve`.
    """
    return _say(request, Verdict.REQUEST_CHANGES, by=by, reason=reason, at=at)


def reject(request: ApprovalRequest, *, by: User, reason: str, at: dt.datetime | None = None) -> str:
    """Refuse it.

    Raises:
        InvalidInput: without a reason.
        NotAllowed, WrongState: as for `approve`.
    """
    return _say(request, Verdict.REJECT, by=by, reason=reason, at=at)


def abstain(request: ApprovalRequest, *, by: User, reason: str, at: dt.datetime | None = None) -> str:
    """Leave it to the others, for instance because of a conflict of interest.

    Raises:
        InvalidInput: without a reason.
        NotAllowed, WrongState: as for `approve`.
    """
    return _say(request, Verdict.ABSTAIN, by=by, reason=reason, at=at)


def _record(
    request: ApprovalRequest, verdict: Verdict, *, by: User, reason: str, at: dt.datetime | None
) -> tuple[Case, Eligibility, Decision]:
    """Lock, refuse or write the decision down: the one place where decisions are made."""
    moment = at or clock.now()
    row, thing = locked(request)
    digest = live_digest(thing) if thing is not None else ""
    case = case_of(row, thing=thing)
    seat = eligible_in(case, by, digest=digest, lock=True)
    if seat.refusal is not None:
        raise seat.refusal
    if verdict in (Verdict.APPROVE, Verdict.APPROVE_WITH_CONDITIONS) and (unmet := unmet_checks(case.spec, thing)):
        raise WrongState(f"It cannot be approved yet: {' '.join(sentence for _, sentence in unmet)}")
    with transition(Decision):
        decision = Decision.objects.create(
            request=row,
            stage=case.active,
            approver=by,
            approver_label=by.get_username(),
            principal_id=by.pk if seat.principal is None else seat.principal,
            delegation=seat.delegation,
            verdict=verdict,
            reason=reason,
            why=seat.why[:250],
            digest=digest,
            channel=str(current_actor().channel),
            at=moment,
        )
    case.votes.append(Vote(decision.stage_id, by.pk, decision.principal_id, verdict))
    return case, seat, decision


def _say(request: ApprovalRequest, verdict: Verdict, *, by: User, reason: str, at: dt.datetime | None) -> str:
    reason = reason_given(reason, SAY_WHY)
    with transaction.atomic(), acting_as(by, reason=reason):
        case, seat, _ = _record(request, verdict, by=by, reason=reason, at=at)
        return _advance(case, seat, by=by, at=at or clock.now())


def advance_without_vote(case: Case, *, by: User, at: dt.datetime) -> str:
    """Go on where what was decided so far is all that is asked for now; "" where it is not.

    For who changed whom a stage asks, with request and subject locked.
    """
    if not case.said or tally(case, None) in (Outcome.OPEN, Outcome.STUCK):
        return ""
    said = _advance(case, None, by=by, at=at)
    return said if not case.request.is_open else "What was decided so far is enough for this stage."


def _advance(case: Case, seat: Eligibility | None, *, by: User, at: dt.datetime) -> str:
    """Go on as far as the votes allow: wait, refuse, begin the next stage, or carry out the effect."""
    row, outcome = case.request, tally(case, seat)
    if outcome in (Outcome.REJECTED, Outcome.CHANGES_REQUESTED):
        verdict = Verdict.REJECT if outcome is Outcome.REJECTED else Verdict.REQUEST_CHANGES
        settle_stage(case.active, StageState.REFUSED, by=by, at=at)
        end_request(row, case.thing, OUTCOME[verdict], by=by, at=at)
        publish(f"approval.{OUTCOME[verdict].value}", request_id=row.pk)
        return f"{row}: {OUTCOME[verdict].label.lower()}."
    if outcome is not Outcome.APPROVED:
        if outcome is Outcome.STUCK:
            publish("approval.stuck", request_id=row.pk)
        return _waits(case)
    settle_stage(case.active, StageState.APPROVED, by=by, at=at)
    if (following := begin_next(case, by=by, at=at)) is not None:
        publish("approval.stage_begun", request_id=row.pk)
        return f"Your approval of {row} counts; stage {following.position}, {following.name}, decides next."
    return settle(case, by=by, at=at)


def _waits(case: Case) -> str:
    last = case.votes[-1]
    said = [each for each in case.said if each.verdict in (Verdict.APPROVE, Verdict.APPROVE_WITH_CONDITIONS)]
    if last.verdict == Verdict.ABSTAIN:
        return f"You leave {case.request} to the others."
    if last.verdict in (Verdict.REQUEST_CHANGES, Verdict.REJECT):
        return f"Your refusal of {case.request} counts; the others are still asked."
    missing = max(case.spec.least, case.request.required if len(case.stages) == 1 else 1) - len(said)
    if missing <= 0:
        return f"Your approval of {case.request} counts; others must follow."
    return f"Your approval of {case.request} counts; {missing} more must follow."
