"""The work before an approval: creative work begins, a plan goes back, and the standard process runs beside it."""

import datetime as dt
from typing import TYPE_CHECKING

from django.contrib.contenttypes.models import ContentType
from django.db import transaction

from apps.campaigns.domain.checklist import ensure_checklist
from apps.campaigns.domain.moves import locked, move, raise_refusal, refuse_move
from apps.campaigns.enums import EDITABLE, CampaignState
from apps.campaigns.models import Campaign
from apps.core.actors import acting_as
from apps.core.words import reason_given
from apps.processes.domain.triggers import start_for
from apps.processes.models import Run

if TYPE_CHECKING:
    from apps.accounts.models import User

BEGUN = "campaigns.begun"


def begin_work(campaign: Campaign, *, by: "User", at: dt.datetime | None = None) -> list[str]:
    """Start what every campaign begins with, once: its checklist, and the processes that ask for it.

    Returns:
        A sentence for each process that was started, or could not be.
    """
    ensure_checklist(campaign)
    kind = ContentType.objects.get_for_model(Campaign)
    if Run.objects.filter(content_type=kind, object_id=campaign.pk, process__starts_with=BEGUN).exists():
        return []
    return start_for(BEGUN, campaign, by=by, at=at)


def refuse_creative(user: "User", campaign: Campaign) -> str | None:
    """Return why creative work on `campaign` cannot begin now, None when it can."""
    if refused := refuse_move(user, campaign, CampaignState.IN_CREATIVE):
        return refused
    if not campaign.objective.strip() or not campaign.audience.strip():
        return "Say first what it is to achieve and whom it addresses; creative work needs objective and audience."
    return None


def begin_creative(campaign: Campaign, *, by: "User", note: str = "", at: dt.datetime | None = None) -> str:
    """Begin the creative work on a planned campaign.

    Raises:
        NotAllowed, WrongState: as `refuse_creative` says.
    """
    with transaction.atomic(), acting_as(by, reason=note or None):
        row = locked(campaign)
        raise_refusal(by, row, refuse_creative(by, row))
        move(row, CampaignState.IN_CREATIVE, at=at)
        started = begin_work(row, by=by, at=at)
    return " ".join((f"{row} is in creative work.", *started))


def refuse_return(user: "User", campaign: Campaign) -> str | None:
    """Return why `campaign` cannot go back to planning now, None when it can."""
    if campaign.state == CampaignState.IN_APPROVAL:
        return f"{campaign} is in approval; withdraw the request first."
    if refused := refuse_move(user, campaign, CampaignState.PLANNING):
        return refused
    return None if campaign.state in EDITABLE else f"{campaign} has been live; its plan stays."


def return_to_plan(campaign: Campaign, *, by: "User", reason: str, at: dt.datetime | None = None) -> str:
    """Take a campaign back to planning; an approval it has does not count any more.

    Raises:
        InvalidInput: without a reason.
        NotAllowed, WrongState: as `refuse_return` says.
    """
    reason = reason_given(reason, "Say why it goes back to planning.")
    with transaction.atomic(), acting_as(by, reason=reason):
        row = locked(campaign)
        raise_refusal(by, row, refuse_return(by, row))
        move(row, CampaignState.PLANNING, at=at)
    return f"{row} is being planned again."
