"""Approvals: asking for one, and deciding. What is approved is the exact version that was sent, once, by others."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction

from apps.accounts.models import User
from apps.approvals.domain.alarms import without_approvers
from apps.approvals.domain.content import live_digest, payload_before, record_revision
from apps.approvals.domain.effects import carry_out, close_request, end_request, settle
from apps.approvals.domain.eligibility import (
    Case,
    Eligibility,
    Vote,
    case_of,
    closed_sentence,
    eligible_in,
    subject_row,
)
from apps.approvals.domain.locking import locked
from apps.approvals.domain.quorum import Outcome
from apps.approvals.domain.routing import Route, route_of, unmet_checks
from apps.approvals.domain.stages import begin_next, settle_stage, tally, write_stages
from apps.approvals.enums import OUTCOME, RequestState, StageState, Verdict
from apps.approvals.models import ApprovalCondition, ApprovalRequest, Decision
from apps.approvals.registry import subject_of
from apps.core import access, clock
from apps.core.actors import acting_as, current_actor
from apps.core.errors import InvalidInput, NotAllowed, WrongState
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


def request_approval(
    thing: models.Model,
    *,
    by: User,
    note: str = "",
    at: dt.datetime | None = None,
    effective_at: dt.datetime | None = None,
) -> ApprovalRequest:
    """Send `thing`, exactly as it is now, to whom the policy names; announces `approval.requested`.

    Called by the operation that puts the subject in review, with the subject's row locked.

    Args:
        thing: what is sent.
        by: who sends it.
        note: what the approvers are told.
        at: when it counts as sent; now when not given.
        effective_at: from when on it takes effect once approved; what its kind says, else at once.

    Raises:
        WrongState: an approval is under way, no policy is in force, nobody could decide, or what must be true first
            is not.
    """
    kind = ContentType.objects.get_for_model(type(thing))
    earlier = ApprovalRequest.objects.filter(content_type=kind, object_id=thing.pk)
    if earlier.unsettled().exists():
        raise WrongState(f"{thing} is being decided about already.")
    route, moment = route_of(thing, by=by), at or clock.now()
    if route.nobody:
        raise without_approvers(route.policy, thing=str(thing), sentence=" ".join(route.refusals))
    if route.refusals:
        raise WrongState(" ".join(route.refusals))
    with transaction.atomic(), acting_as(by, reason=note or None):
        request = _write(thing, route, by=by, note=note, at=moment, round_=earlier.count() + 1, effective=effective_at)
        write_stages(request, route, at=moment)
        publish("approval.requested", request_id=request.pk)
    return request


def _write(
    thing: Any, route: Route, *, by: User, note: str, at: dt.datetime, round_: int, effective: dt.datetime | None
) -> ApprovalRequest:
    subject = subject_of(type(thing))
    revision = record_revision(thing, by=by, at=at)
    if effective is None and subject.effective_at is not None:
        effective = subject.effective_at(thing)
    days = route.definition.expires_after_days
    return ApprovalRequest.objects.create(
        title=str(thing)[:250],
        content_type=revision.content_type,
        object_id=thing.pk,
        revision=revision,
        round=round_,
        before=payload_before(thing),
        digest=revision.digest,
        policy=route.policy,
        policy_version=route.version,
        rule=route.row.name if route.row else "",
        facts=route.facts,
        checks=[
            {"stage": each.stage.name, "check": name, "unmet": [said for which, said in each.unmet if which == name]}
            for each in route.stages
            for name in each.stage.checks
        ],
        cost_impact=(subject.cost_impact(thing) or "")[:250] if subject.cost_impact else "",
        required=route.required,
        distinct_stages=route.definition.distinct_stages,
        editors=route.editors,
        requester=by,
        requester_label=by.get_username(),
        note=note,
        submitted_at=at,
        effective_at=effective,
        expires_at=at + dt.timedelta(days=days) if days else None,
    )


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


def refuse_withdrawal(user: User, request: ApprovalRequest) -> str | None:
    """Return why `user` cannot withdraw `request` now, None when they can."""
    if not request.is_open:
        return closed_sentence(request)
    thing = subject_row(request)
    if user.pk != request.requester_id and not (thing is not None and access.can(user, "change", thing)):
        return "Only who sent it, or who may change it, can withdraw it."
    return None


def withdraw(request: ApprovalRequest, *, by: User, note: str = "", at: dt.datetime | None = None) -> str:
    """Take a request back before it is decided, so that the subject can be worked on again.

    Raises:
        NotAllowed: `by` neither sent it nor may change the subject.
        WrongState: it is decided already.
    """
    with transaction.atomic(), acting_as(by, reason=note or None):
        row, thing = locked(request)
        if refused := refuse_withdrawal(by, row):
            raise (NotAllowed if row.is_open else WrongState)(refused)
        end_request(row, thing, RequestState.WITHDRAWN, by=by, at=at or clock.now())
        publish("approval.withdrawn", request_id=row.pk)
    return f"{row} is withdrawn."


def resubmit(request: ApprovalRequest, *, by: User, note: str = "", at: dt.datetime | None = None) -> ApprovalRequest:
    """Send the subject as it is now in place of an open request: the next round, the old one is superseded.

    What was said in the old round stays readable and counts for nothing in the new one.

    Raises:
        NotAllowed: `by` neither sent it nor may change the subject.
        WrongState: it is decided already, or cannot be sent.
    """
    with transaction.atomic(), acting_as(by, reason=note or None):
        row, thing = locked(request)
        if refused := refuse_withdrawal(by, row):
            raise (NotAllowed if row.is_open else WrongState)(refused)
        close_request(row, RequestState.SUPERSEDED, by=by, at=at or clock.now())
        publish("approval.superseded", request_id=row.pk)
        return request_approval(thing, by=by, note=note, at=at)


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


def _advance(case: Case, seat: Eligibility, *, by: User, at: dt.datetime) -> str:
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
