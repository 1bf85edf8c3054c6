"""The way of everything in technology that needs approval: sent as it is, approved once, or brought back."""

import datetime as dt
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.db import transaction

from apps.approvals.domain.decisions import request_approval
from apps.core import access
from apps.core.actors import acting_as
from apps.core.errors import DomainError, NotAllowed, WrongState
from apps.core.transitions import transition
from apps.technology.enums import CaseState

if TYPE_CHECKING:
    from apps.accounts.models import User
    from apps.approvals.models import ApprovalRequest


def submit_case(
    case: Any,
    *,
    by: "User",
    note: str,
    at: dt.datetime | None,
    refuse: Callable[["User", Any], str | None],
    load: tuple[str, ...] = ("tool",),
) -> str:
    """Send a request, waiver, decision or definition for approval, exactly as it is now.

    Args:
        case: what is sent.
        by: who sends it; its requester from now on, where it had none.
        note: for the approvers.
        at: when; now when not given.
        refuse: `refuse(user, row)` says why not.
        load: what `refuse` reads besides the row.

    Raises:
        NotAllowed, WrongState: as `refuse` says.
    """
    with transaction.atomic(), acting_as(by, reason=note or None):
        row = type(case).objects.select_for_update(of=("self",)).select_related(*load).get(pk=case.pk)
        if refused := refuse(by, row):
            kind: type[DomainError] = WrongState if access.may(by, "change", row) else NotAllowed
            raise kind(refused)
        if row.requester_id is None:
            row.requester = by
            row.save(update_fields=["requester"])
        move_case(row, CaseState.IN_APPROVAL)
        request = request_approval(row, by=by, note=note, at=at)
    return f"{row} is in approval; {request.required} approval{'s' if request.required > 1 else ''} must come in."


def move_case(case: Any, to: CaseState, **more: Any) -> None:
    """Move a case to another state, with the columns that go with it.

    Raises:
        WrongState: it is to be approved and is not in approval.
    """
    if to == CaseState.APPROVED and case.state != CaseState.IN_APPROVAL:
        raise WrongState(f"{case} is not in approval any more; nothing was approved.")
    case.state = to
    for name, value in more.items():
        setattr(case, name, value)
    with transition(type(case)):
        case.save(update_fields=["state", *more])


def bring_back(case: Any, approval: "ApprovalRequest", *, by: "User") -> None:
    """Bring a refused or withdrawn case back, so that it can be worked on again."""
    move_case(case, CaseState.REFUSED)
