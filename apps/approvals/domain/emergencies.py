"""Break glass: approving alone in an emergency, told to everybody who would have decided, reviewed by somebody else."""

import datetime as dt

from django.db import transaction

from apps.accounts.models import User
from apps.approvals.domain.content import live_digest
from apps.approvals.domain.effects import apply_now
from apps.approvals.domain.eligibility import case_of, closed_sentence
from apps.approvals.domain.locking import locked
from apps.approvals.domain.own_work import OwnWork
from apps.approvals.domain.stages import close_stages
from apps.approvals.enums import Finding
from apps.approvals.models import ApprovalRequest, BreakGlass
from apps.core import clock
from apps.core.actors import acting_as
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.core.events import publish
from apps.core.transitions import transition

PERMISSION = "approvals.breakglass_approvalrequest"
SHORTEST_REASON = 20


def refuse_emergency(user: User, request: ApprovalRequest) -> str | None:
    """Return why `user` cannot approve `request` alone in an emergency, None when they can."""
    if not user.is_active or not user.has_perm(PERMISSION):
        return "Approving alone in an emergency is a right of its own, which you do not have."
    if not request.is_open:
        return closed_sentence(request)
    case = case_of(request)
    if case.thing is None:
        return "What was sent for approval no longer exists; withdraw the request."
    own = case.own.get(user.pk)
    if own in (OwnWork.SENT, OwnWork.CHANGED, OwnWork.STANDS_IN):
        return f"{own.to_them} That holds in an emergency too."
    if live_digest(case.thing) != request.digest:
        return f"{request} was changed since it was sent for approval; withdraw it and send it again."
    return None


def approve_in_emergency(request: ApprovalRequest, *, by: User, reason: str, at: dt.datetime | None = None) -> str:
    """Let what was sent take effect at once, without the approvals its policy asks for.

    Everybody who would have decided is told, and an alert stays open until somebody else has reviewed it; announces
    `approval.emergency`. Never for one's own work.

    Raises:
        InvalidInput: the reason is missing or says too little.
        NotAllowed: `by` may not, or worked on it.
        WrongState: it is decided already, or was changed meanwhile.
    """
    moment, reason = at or clock.now(), reason.strip()
    if len(reason) < SHORTEST_REASON:
        raise InvalidInput(
            "Say what the emergency is, so that whoever reviews it understands why nobody could wait.",
            fields={"reason": f"At least {SHORTEST_REASON} characters."},
        )
    with transaction.atomic(), acting_as(by, reason=reason):
        row, thing = locked(request)
        if refused := refuse_emergency(by, row):
            raise (NotAllowed if row.is_open else WrongState)(refused)
        with transition(BreakGlass, ApprovalRequest):
            BreakGlass.objects.create(
                approval=row, declared_by=by, declared_by_label=by.get_username(), reason=reason, at=moment
            )
            row.break_glass = True
            row.save(update_fields=["break_glass"])
        close_stages(row, by=by, at=moment)
        apply_now(row, thing, by=by, at=moment)
        publish("approval.emergency", request_id=row.pk)
    return f"{row} is in effect. Everybody who would have decided is told, and somebody else reviews it."


def refuse_review(user: User, emergency: BreakGlass) -> str | None:
    """Return why `user` cannot review `emergency`, None when they can."""
    if emergency.reviewed_at is not None:
        return "This emergency has been reviewed already."
    if user.pk == emergency.declared_by_id:
        return "You declared this emergency yourself; somebody else reviews it."
    request = emergency.approval
    if user.pk == request.requester_id or user.pk in request.editors:
        return "It was about your own work; somebody else reviews it."
    named = any(user.pk == each["person"] for stage in request.stages.all() for each in stage.resolved)
    if not (user.is_active and (named or user.has_perm(PERMISSION) or user.has_perm("audit.view_auditevent"))):
        return "Those who would have decided, auditors, and who may declare emergencies review them."
    return None


def review_emergency(emergency: BreakGlass, *, by: User, finding: str, note: str) -> str:
    """Write down what somebody else found afterwards; the alert is resolved with it.

    Raises:
        InvalidInput: without a finding or a note.
        NotAllowed: `by` declared it, worked on it, or has no part in it.
        WrongState: it was reviewed already.
    """
    if finding not in Finding.values or not note.strip():
        raise InvalidInput("Say whether it was justified, and what you looked at.", fields={"note": "Say why."})
    with transaction.atomic(), acting_as(by, reason=note.strip()):
        row: BreakGlass = BreakGlass.objects.select_for_update(of=("self",)).get(pk=emergency.pk)
        if refused := refuse_review(by, row):
            raise (WrongState if row.reviewed_at is not None else NotAllowed)(refused)
        row.finding, row.review_note, row.reviewed_by, row.reviewed_at = finding, note.strip(), by, clock.now()
        with transition(BreakGlass):
            row.save(update_fields=["finding", "review_note", "reviewed_by", "reviewed_at"])
        publish("approval.emergency_reviewed", emergency_id=row.pk)
    return f"The review is written down: {Finding(finding).label.lower()}."
