"""Who is told: the approvers when something waits for them, the requester and the others what became of it."""

import datetime as dt

from apps.accounts.models import User
from apps.approvals.domain.eligibility import case_of, kept_out_among
from apps.approvals.domain.seats import holders_of
from apps.approvals.enums import RequestState, StageState
from apps.approvals.models import ApprovalRequest, BreakGlass, Delegation, StageInstance
from apps.core import clock
from apps.core.notifications.domain.notifying import notify

REQUESTED, DECIDED = "approval.requested", "approval.decided"
STAND_IN, LATE, EMERGENCY = "approval.stand_in", "approval.late", "approval.emergency"
OLD_NEWS = dt.timedelta(days=7)


def able_now(request: ApprovalRequest) -> set[int]:
    """Return who could decide in the stage being decided, those included who stand in for one of them."""
    case = case_of(request)
    if case.stage is None or not request.is_open:
        return set()
    done = {key for each in case.said for key in (each.approver, each.principal)}
    able = {key for key in holders_of(case.stage.named) if key not in case.own} - done
    if case.spec.allow_delegates:
        able |= {each.to_person_id for each in case.delegations if each.from_person_id in able}
    able -= set(case.own) | done
    return able - set(kept_out_among(case.thing, able))


def tell_approvers(request: ApprovalRequest) -> int:
    """Tell those who may decide now that something waits for them; nobody when it no longer does.

    Returns:
        How many people were told.
    """
    stage = request.stages.filter(state="active").first()
    if not request.is_open or stage is None:
        return 0
    approvers = User.objects.filter(pk__in=able_now(request))
    return notify(
        approvers,
        REQUESTED,
        title=f"{request.requester} asks for your approval: {request.title}",
        body=request.note,
        subject=request,
        by=request.requester,
        dedupe=f"{request.pk}" if stage.position == 1 else f"{request.pk}:{stage.position}",
    )


def tell_about_decision(request: ApprovalRequest) -> int:
    """Tell the requester and who worked on it what became of it; nobody when that is a week ago.

    Returns:
        How many people were told.
    """
    if request.is_open or request.decided_at is None or request.decided_at < clock.now() - OLD_NEWS:
        return 0
    last = request.decisions.select_related("approver", "principal").order_by("-at", "-id").first()
    by = last.approver if last is not None else request.requester
    said = request.state in (RequestState.APPROVED, RequestState.REJECTED, RequestState.CHANGES_REQUESTED)
    signed = f" by {last.signature}" if last is not None and said else ""
    people = User.objects.filter(pk__in={request.requester_id, *request.editors})
    return notify(
        people.exclude(pk=by.pk) if signed else people,
        DECIDED,
        title=f"{request.title}: {RequestState(request.state).label.lower()}{signed}",
        body=last.reason if last is not None else "",
        subject=request,
        by=by,
        dedupe=f"{request.pk}:{request.state}",
    )


def tell_stage_due(stage: StageInstance, *, late: bool, percent: int) -> int:
    """Remind those who have not decided yet; when it is late, tell the requester too.

    Returns:
        How many people were told.
    """
    request = stage.approval
    if stage.state != StageState.ACTIVE or not request.is_open:
        return 0
    when = "is late" if late else f"is due soon: {percent} % of its time is used"
    people = able_now(request) | ({request.requester_id} if late else set())
    return notify(
        User.objects.filter(pk__in=people),
        LATE,
        title=f"The decision about {request} {when}",
        body="Nothing is approved by time: it waits until somebody decides.",
        subject=request,
        dedupe=f"{stage.pk}:{percent}",
    )


def tell_stand_in(delegation: Delegation) -> int:
    """Tell both sides of a delegation.

    Returns:
        How many people were told.
    """
    over = delegation.revoked_at is not None
    title = f"{delegation.to_person} {'no longer stands' if over else 'stands'} in for {delegation.from_person}"
    span = f"From {delegation.starts_at:%-d %B %Y} until {delegation.ends_at:%-d %B %Y}."
    people = [delegation.from_person, delegation.to_person]
    return notify(
        people, STAND_IN, title=title, body="" if over else span, subject=delegation, dedupe=f"{delegation.pk}:{over}"
    )


def tell_emergency(request: ApprovalRequest) -> int:
    """Tell everybody who would have decided, and who sent it, that somebody approved alone.

    Returns:
        How many people were told.
    """
    emergency = BreakGlass.objects.select_related("declared_by").get(approval=request)
    named = {key for stage in request.stages.all() for key in holders_of(stage.named)}
    return notify(
        User.objects.filter(pk__in=named | {request.requester_id}),
        EMERGENCY,
        title=f"{emergency.declared_by} approved {request} alone, in an emergency",
        body=emergency.reason,
        subject=request,
        by=emergency.declared_by,
        dedupe=f"{emergency.pk}",
    )
