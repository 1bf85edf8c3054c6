"""Who is told: the approvers when something is sent, the requester and the others when it is decided."""

import datetime as dt

from apps.accounts.models import User
from apps.approvals.domain.eligibility import Approvers
from apps.approvals.enums import RequestState
from apps.approvals.models import ApprovalRequest
from apps.core import clock
from apps.core.notifications.domain.notifying import notify

REQUESTED, DECIDED = "approval.requested", "approval.decided"
OLD_NEWS = dt.timedelta(days=7)


def tell_approvers(request: ApprovalRequest) -> int:
    """Tell those who may decide that something waits for them; nobody when it no longer does.

    Returns:
        How many people were told.
    """
    if not request.is_open:
        return 0
    others = {request.requester_id, *request.editors}
    approvers = Approvers.of_request(request).current().exclude(pk__in=others)
    return notify(
        approvers,
        REQUESTED,
        title=f"{request.requester} asks for your approval: {request.title}",
        body=request.note,
        subject=request,
        by=request.requester,
        dedupe=f"{request.pk}",
    )


def tell_about_decision(request: ApprovalRequest) -> int:
    """Tell the requester and who worked on it what was decided; nobody when that is a week ago.

    Returns:
        How many people were told.
    """
    if request.is_open or request.decided_at is None or request.decided_at < clock.now() - OLD_NEWS:
        return 0
    last = request.decisions.select_related("approver").order_by("-at", "-id").first()
    by = last.approver if last is not None else request.requester
    people = User.objects.filter(pk__in={request.requester_id, *request.editors}).exclude(pk=by.pk)
    return notify(
        people,
        DECIDED,
        title=f"{request.title}: {RequestState(request.state).label.lower()} by {by}",
        body=last.reason if last is not None else "",
        subject=request,
        by=by,
        dedupe=f"{request.pk}",
    )
