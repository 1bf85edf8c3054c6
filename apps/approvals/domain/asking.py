"""Asking for an approval: sending the exact version, taking it back, sending it again."""

import datetime as dt
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction

from apps.accounts.models import User
from apps.approvals.domain.alarms import without_approvers
from apps.approvals.domain.content import payload_before, record_revision
from apps.approvals.domain.effects import close_request, end_request
from apps.approvals.domain.eligibility import (
    closed_sentence,
    subject_row,
)
from apps.approvals.domain.locking import locked
from apps.approvals.domain.routing import Route, route_of
from apps.approvals.domain.stages import write_stages
from apps.approvals.enums import RequestState
from apps.approvals.models import ApprovalRequest
from apps.approvals.registry import subject_of
from apps.core import access, clock
from apps.core.actors import acting_as
from apps.core.errors import NotAllowed, WrongState
from apps.core.events import publish


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
