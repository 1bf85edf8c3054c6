"""While a campaign is live: it is paused with a reason, and resumed."""

import datetime as dt
from typing import TYPE_CHECKING

from django.db import transaction

from apps.campaigns.domain.moves import locked, move, raise_refusal, refuse_move
from apps.campaigns.enums import CampaignState
from apps.campaigns.models import Campaign
from apps.core import clock
from apps.core.actors import acting_as
from apps.core.words import reason_given

if TYPE_CHECKING:
    from apps.accounts.models import User


def refuse_pause(user: "User", campaign: Campaign) -> str | None:
    """Return why `user` cannot pause `campaign` now, None when it works."""
    return refuse_move(user, campaign, CampaignState.PAUSED)


def pause_campaign(campaign: Campaign, *, by: "User", reason: str, at: dt.datetime | None = None) -> str:
    """Pause a live campaign; how long it stands still is kept.

    Raises:
        InvalidInput: without a reason.
        NotAllowed, WrongState: as `refuse_pause` says.
    """
    reason = reason_given(reason, "Say why it is paused, and what must happen before it goes on.")
    with transaction.atomic(), acting_as(by, reason=reason):
        row = locked(campaign)
        raise_refusal(by, row, refuse_pause(by, row))
        move(row, CampaignState.PAUSED, at=at)
    return f"{row} is paused. Stop it in its channels too: mops records the pause, the tools carry it out."


def refuse_resume(user: "User", campaign: Campaign, *, today: dt.date | None = None) -> str | None:
    """Return why `user` cannot resume `campaign` now, None when it works."""
    if campaign.state != CampaignState.PAUSED:
        return f"{campaign} is {CampaignState(campaign.state).label.lower()}; only what is paused goes on."
    if refused := refuse_move(user, campaign, CampaignState.LIVE):
        return refused
    if campaign.ends_on is not None and campaign.ends_on < (today or clock.today()):
        return f"The last day of {campaign} has passed; complete it."
    return None


def resume_campaign(campaign: Campaign, *, by: "User", reason: str, at: dt.datetime | None = None) -> str:
    """Let a paused campaign go on.

    Raises:
        InvalidInput: without a reason.
        NotAllowed, WrongState: as `refuse_resume` says.
    """
    reason = reason_given(reason, "Say what was done about the reason it was paused for.")
    with transaction.atomic(), acting_as(by, reason=reason):
        row = locked(campaign)
        raise_refusal(by, row, refuse_resume(by, row, today=at.date() if at else None))
        move(row, CampaignState.LIVE, at=at)
    return f"{row} is live again."
