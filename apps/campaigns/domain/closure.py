"""The end of a campaign: completed, closed with its results, or cancelled with a reason."""

import datetime as dt
from typing import TYPE_CHECKING

from django.db import transaction

from apps.campaigns.domain.moves import locked, move, raise_refusal, refuse_move
from apps.campaigns.enums import CampaignState
from apps.campaigns.models import Campaign
from apps.core import clock
from apps.core.actors import acting_as
from apps.core.errors import InvalidInput
from apps.core.words import reason_given

if TYPE_CHECKING:
    from apps.accounts.models import User


def refuse_completion(user: "User", campaign: Campaign) -> str | None:
    """Return why `user` cannot complete `campaign` now, None when it works."""
    return refuse_move(user, campaign, CampaignState.COMPLETED)


def complete_campaign(campaign: Campaign, *, by: "User", note: str = "", at: dt.datetime | None = None) -> str:
    """End a live campaign; its results are still to be written.

    Raises:
        NotAllowed, WrongState: as `refuse_completion` says.
    """
    with transaction.atomic(), acting_as(by, reason=note or None):
        row = locked(campaign)
        raise_refusal(by, row, refuse_completion(by, row))
        move(row, CampaignState.COMPLETED, ended_at=at or clock.now())
    return f"{row} is completed; close it with its results."


def refuse_closure(user: "User", campaign: Campaign) -> str | None:
    """Return why `user` cannot close `campaign` now, None when it works."""
    return refuse_move(user, campaign, CampaignState.CLOSED)


def close_campaign(campaign: Campaign, *, by: "User", results: str) -> str:
    """Close a completed campaign with what came out, against its success metrics.

    Raises:
        InvalidInput: without results.
        NotAllowed, WrongState: as `refuse_closure` says.
    """
    results = results.strip()
    with transaction.atomic(), acting_as(by):
        row = locked(campaign)
        raise_refusal(by, row, refuse_closure(by, row))
        if not results:
            raise InvalidInput("Write what came out before you close it; nobody can tell afterwards.")
        move(row, CampaignState.CLOSED, results=results)
    return f"{row} is closed."


def refuse_cancellation(user: "User", campaign: Campaign) -> str | None:
    """Return why `user` cannot cancel `campaign` now, None when it works."""
    if campaign.state == CampaignState.IN_APPROVAL:
        return f"{campaign} is in approval; withdraw the request first."
    return refuse_move(user, campaign, CampaignState.CANCELLED)


def cancel_campaign(campaign: Campaign, *, by: "User", reason: str, at: dt.datetime | None = None) -> str:
    """Cancel a campaign for good; the ledger keeps the reason.

    Raises:
        InvalidInput: without a reason.
        NotAllowed, WrongState: as `refuse_cancellation` says.
    """
    reason = reason_given(reason, "Say why it is cancelled.")
    with transaction.atomic(), acting_as(by, reason=reason):
        row = locked(campaign)
        raise_refusal(by, row, refuse_cancellation(by, row))
        move(row, CampaignState.CANCELLED, ended_at=at or clock.now())
    return f"{row} is cancelled."
