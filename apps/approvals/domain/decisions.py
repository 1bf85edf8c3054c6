"""Approvals: asking for one, and deciding. What is approved is the exact version that was sent, once, by others."""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction

from apps.accounts.models import User
from apps.approvals.domain.content import digest_of, live_digest, payload_before, payload_of
from apps.approvals.domain.eligibility import Approvers, editors_of, own_work, refuse_role
from apps.approvals.enums import OUTCOME, RequestState, Verdict
from apps.approvals.models import ApprovalPolicy, ApprovalRequest, Decision
from apps.approvals.registry import kind_of, subject_of
from apps.audit.models import AuditEvent
from apps.core import access, clock
from apps.core.actors import acting_as
from apps.core.errors import DomainError, InvalidInput, NotAllowed, WrongState
from apps.core.events import publish
from apps.core.transitions import transition


def request_approval(
    thing: models.Model, *, by: User, note: str = "", at: dt.datetime | None = None
) -> ApprovalRequest:
    """Send `thing`, exactly as it is now, to whom the policy names; announces `approval.requested`.

    Called by the operation that puts the subject in review, with the subject's row locked.

    Raises:
        WrongState: an approval is under way, no policy is in force, or nobody could decide.
    """
    kind = ContentType.objects.get_for_model(type(thing))
    earlier = ApprovalRequest.objects.filter(content_type=kind, object_id=thing.pk)
    if earlier.open().exists():
        raise WrongState(f"{thing} is being decided about already.")
    policy = _policy_for(type(thing))
    approvers, editors = Approvers.of_policy(policy), editors_of(thing)
    _refuse_without_approvers(approvers, {*editors, by.pk}, policy.required)
    payload = payload_of(thing)
    with transaction.atomic(), acting_as(by, reason=note or None):
        request = ApprovalRequest.objects.create(
            title=str(thing)[:250],
            content_type=kind,
            object_id=thing.pk,
            round=earlier.count() + 1,
            payload=payload,
            before=payload_before(thing),
            digest=digest_of(payload),
            policy=policy,
            required=policy.required,
            approver_role=approvers.role,
            approver_team_id=approvers.team_id,
            approver_people=list(approvers.people),
            editors=editors,
            requester=by,
            requester_label=by.get_username(),
            note=note,
            submitted_at=at or clock.now(),
        )
        publish("approval.requested", request_id=request.pk)
    return request


def refuse_decision(user: User, request: ApprovalRequest) -> str | None:
    """Return why `user` cannot decide about `request` now, None when they can."""
    refused = _refusal(user, request, subject_row(request))
    return refused.message if refused else None


def approve(request: ApprovalRequest, *, by: User, note: str = "", at: dt.datetime | None = None) -> str:
    """Approve; the last approval that was missing carries out the effect in the same transaction.

    Raises:
        NotAllowed: `by` is no approver, sent it or worked on it.
        WrongState: it is decided, or what would take effect is no longer what was sent.
    """
    with transaction.atomic(), acting_as(by, reason=note or None):
        row, thing = _locked(request)
        _decide(row, thing, Verdict.APPROVE, by=by, reason=note, at=at)
        given = row.decisions.filter(verdict=Verdict.APPROVE).count() if row.required > 1 else 1
        if given < row.required:
            return f"Your approval of {row} counts; {row.required - given} more must follow."
        _close(row, RequestState.APPROVED, thing, at=at)
        subject_of(type(thing)).apply(thing, row, by=by, at=at)
        publish("approval.approved", request_id=row.pk)
    return f"{row} is approved."


def request_changes(request: ApprovalRequest, *, by: User, reason: str, at: dt.datetime | None = None) -> str:
    """Send it back to its author with what has to change.

    Raises:
        InvalidInput: without a reason.
        NotAllowed, WrongState: as for `approve`.
    """
    return _refuse(request, Verdict.REQUEST_CHANGES, by=by, reason=reason, at=at)


def reject(request: ApprovalRequest, *, by: User, reason: str, at: dt.datetime | None = None) -> str:
    """Refuse it.

    Raises:
        InvalidInput: without a reason.
        NotAllowed, WrongState: as for `approve`.
    """
    return _refuse(request, Verdict.REJECT, by=by, reason=reason, at=at)


def refuse_withdrawal(user: User, request: ApprovalRequest) -> str | None:
    """Return why `user` cannot withdraw `request` now, None when they can."""
    if not request.is_open:
        return _closed_sentence(request)
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
        row, thing = _locked(request)
        if refused := refuse_withdrawal(by, row):
            raise (NotAllowed if row.is_open else WrongState)(refused)
        _close(row, RequestState.WITHDRAWN, thing, at=at)
        subject_of(type(thing)).on_refused(thing, row, by=by)
        publish("approval.withdrawn", request_id=row.pk)
    return f"{row} is withdrawn."


def subject_row(request: ApprovalRequest, *, lock: bool = False) -> Any:
    """Return the row a request is about, locked when asked; None when it is gone or no longer can be approved."""
    model = request.content_type.model_class()
    rows = model._base_manager.all() if model is not None else None
    if rows is None:
        return None
    return (rows.select_for_update(of=("self",)) if lock else rows).filter(pk=request.object_id).first()


def _policy_for(model: type[models.Model]) -> ApprovalPolicy:
    policy = ApprovalPolicy.objects.live().filter(subject_kind=kind_of(model)).first()
    if policy is None:
        raise WrongState(
            f"No approval policy is in force for {model._meta.verbose_name_plural}. "
            "An administrator adds one under Approvals, Approval policies."
        )
    return policy  # type: ignore[no-any-return]  # the queryset is shared by all governed models


def _refuse_without_approvers(approvers: Approvers, excluded: Iterable[int], required: int) -> None:
    able = approvers.current().exclude(pk__in=list(excluded)).count()
    if able < required:
        raise WrongState(
            f"{required} must approve, but only {able} could: {approvers.in_words()}, without those who wrote or send "
            "it. Ask an administrator to name more approvers in the policy."
        )


def _refusal(user: User, request: ApprovalRequest, thing: Any) -> DomainError | None:
    """One rule for the button, the list and the operation."""
    if not request.is_open:
        return WrongState(_closed_sentence(request))
    if thing is None:
        return WrongState("What was sent for approval no longer exists; withdraw the request.")
    if refused := refuse_role(user, Approvers.of_request(request)):
        return NotAllowed(refused)
    if own := own_work(user, request.requester_id, [*editors_of(thing), *request.editors]):
        return NotAllowed(own.to_them)
    if request.decisions.filter(approver=user).exists():
        return WrongState("You have decided about this already; it waits for others.")
    if live_digest(thing) != request.digest:
        return WrongState(
            f"{request} was changed since it was sent for approval: what you see is not what would take effect. "
            "Withdraw it and send it again."
        )
    return None


def _locked(request: ApprovalRequest) -> tuple[ApprovalRequest, Any]:
    """Lock the request, then its subject: the order in which everybody locks."""
    rows = ApprovalRequest.objects.select_for_update(of=("self",)).select_related("content_type")
    row: ApprovalRequest = rows.get(pk=request.pk)
    return row, subject_row(row, lock=True)


def _decide(
    row: ApprovalRequest, thing: Any, verdict: Verdict, *, by: User, reason: str, at: dt.datetime | None
) -> None:
    if refused := _refusal(by, row, thing):
        raise refused
    with transition(Decision):
        Decision.objects.create(
            request=row,
            approver=by,
            approver_label=by.get_username(),
            verdict=verdict,
            reason=reason,
            digest=live_digest(thing),
            at=at or clock.now(),
        )


def _refuse(request: ApprovalRequest, verdict: Verdict, *, by: User, reason: str, at: dt.datetime | None) -> str:
    reason = reason.strip()
    if not reason:
        raise InvalidInput("Say why, so that the author knows what to change.", fields={"reason": "Say why."})
    with transaction.atomic(), acting_as(by, reason=reason):
        row, thing = _locked(request)
        _decide(row, thing, verdict, by=by, reason=reason, at=at)
        _close(row, OUTCOME[verdict], thing, at=at)
        subject_of(type(thing)).on_refused(thing, row, by=by)
        publish(f"approval.{OUTCOME[verdict].value}", request_id=row.pk)
    return f"{row}: {OUTCOME[verdict].label.lower()}."


def _close(row: ApprovalRequest, state: RequestState, thing: Any, *, at: dt.datetime | None) -> None:
    row.state, row.decided_at = state, at or clock.now()
    if state == RequestState.APPROVED:
        newest = AuditEvent.objects.of_object(thing).aggregate(newest=models.Max("id"))
        row.ledger_mark = newest["newest"]
    with transition(ApprovalRequest):
        row.save(update_fields=["state", "decided_at", "ledger_mark"])


def _closed_sentence(request: ApprovalRequest) -> str:
    return f"{request} is {RequestState(request.state).label.lower()}; nothing is left to decide."
