"""Moving planned money between channels and months: proposed with reason and evidence, counted once approved."""

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db import transaction

from apps.approvals.domain.decisions import request_approval
from apps.campaigns.domain.budget import standing
from apps.campaigns.domain.money import ZERO
from apps.campaigns.enums import CampaignState, Money, ShiftState
from apps.campaigns.models import BudgetEntry, BudgetShift
from apps.core import access
from apps.core.actors import acting_as
from apps.core.errors import DomainError, NotAllowed, WrongState
from apps.core.money import money
from apps.core.transitions import transition

if TYPE_CHECKING:
    from apps.accounts.models import User
    from apps.approvals.models import ApprovalRequest

MATERIAL = ("amount", "from_channel", "from_month", "to_channel", "to_month", "reason", "evidence")
_OPEN = (CampaignState.APPROVED, CampaignState.SCHEDULED, CampaignState.LIVE, CampaignState.PAUSED)


def planned_in(shift: BudgetShift) -> Decimal:
    """Return what is planned where the money would come from."""
    cells = standing(shift.campaign).cells
    where = (shift.from_month, shift.from_channel)
    return next((sums.planned for month, channel, sums in cells if (month, channel) == where), ZERO)


def refuse_submission(user: "User", shift: BudgetShift) -> str | None:
    """Return why this proposal cannot be sent for approval, None when it can."""
    if not access.may(user, "change", shift):
        return "You may not propose to move budget."
    if shift.is_archived:
        return f"{shift} is archived; restore it first."
    if not shift.is_editable:
        return f"{shift} is {shift.get_state_display().lower()}."
    return refuse_shift(shift)


def refuse_shift(shift: BudgetShift) -> str | None:
    """Return why the money cannot move as proposed, None when it can."""
    campaign = shift.campaign
    if campaign.state not in _OPEN:
        return f"{campaign} is {campaign.get_state_display().lower()}; only what is approved is moved, until it ends."
    there = planned_in(shift)
    if shift.amount > there:
        return (
            f"Only {money(there, campaign.currency)} are planned for {shift.get_from_channel_display()} in "
            f"{shift.from_month:%B %Y}; {money(shift.amount)} cannot move from there."
        )
    return None


def submit_shift(shift: BudgetShift, *, by: "User", note: str = "", at: dt.datetime | None = None) -> str:
    """Send a proposal for approval; it is fixed until that is decided.

    Raises:
        NotAllowed, WrongState: as `refuse_submission` says.
    """
    with transaction.atomic(), acting_as(by, reason=note or None):
        rows: Any = BudgetShift.objects.select_for_update(of=("self",)).select_related("campaign")
        row: BudgetShift = rows.get(pk=shift.pk)
        if refused := refuse_submission(by, row):
            kind: type[DomainError] = WrongState if access.may(by, "change", row) else NotAllowed
            raise kind(refused)
        _move(row, ShiftState.IN_APPROVAL, requester=row.requester or by)
        request = request_approval(row, by=by, note=note, at=at)
    return (
        f"The proposal is in approval; {request.required} approval{'s' if request.required > 1 else ''} must come in."
    )


def carry_out(shift: BudgetShift, request: "ApprovalRequest", *, by: "User", at: dt.datetime | None = None) -> None:
    """Move the money: the effect of the approval, in the transaction of the decision.

    Raises:
        WrongState: it is not in approval any more, or the money is not there any more.
    """
    if shift.state != ShiftState.IN_APPROVAL:
        raise WrongState(f"{shift} is not in approval any more; nothing was moved.")
    if refused := refuse_shift(shift):
        raise WrongState(refused)
    sides = ((shift.from_channel, shift.from_month, -shift.amount), (shift.to_channel, shift.to_month, shift.amount))
    for channel, month, amount in sides:
        BudgetEntry.objects.create(
            campaign=shift.campaign,
            kind=Money.PLANNED,
            spent_on=channel,
            month=month,
            amount=amount,
            currency=shift.campaign.currency,
            note=f"Moved by an approved shift: {shift.reason}"[:250],
            shift=shift,
        )
    _move(shift, ShiftState.APPROVED)


def bring_back(shift: BudgetShift, request: "ApprovalRequest", *, by: "User") -> None:
    """Bring a refused or withdrawn proposal back, so that it can be worked on again."""
    _move(shift, ShiftState.REFUSED)


def facts(shift: BudgetShift) -> dict[str, Any]:
    """Return what a decision table may look at besides the proposal itself."""
    return {"amount": shift.amount, "currency": shift.campaign.currency}


def cost_impact(shift: BudgetShift) -> str:
    """Say what it costs: nothing more, it is moved."""
    return f"{money(shift.amount, shift.campaign.currency)} moved, nothing added"


def _move(shift: BudgetShift, to: ShiftState, **more: Any) -> None:
    for name, value in {"state": to, **more}.items():
        setattr(shift, name, value)
    with transition(BudgetShift):
        shift.save(update_fields=["state", *more])
