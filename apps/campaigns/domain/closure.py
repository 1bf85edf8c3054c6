"""The end of a campaign: completed, closed with its results, or cancelled with a reason."""

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.db import transaction

from apps.campaigns.domain.budget import standing
from apps.campaigns.domain.moves import locked, move, raise_refusal, refuse_move
from apps.campaigns.domain.performance import totals_of
from apps.campaigns.enums import CampaignState
from apps.campaigns.models import Campaign, Closing
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
        move(row, CampaignState.COMPLETED, at=at, ended_at=at or clock.now())
    return f"{row} is completed; close it with its results."


def refuse_closure(user: "User", campaign: Campaign) -> str | None:
    """Return why `user` cannot close `campaign` now, None when it works."""
    return refuse_move(user, campaign, CampaignState.CLOSED)


def close_campaign(campaign: Campaign, *, by: "User", results: str, lessons: str, at: dt.datetime | None = None) -> str:
    """Close a completed campaign with what came out; its figures are frozen as they stand.

    Args:
        campaign: it must be completed.
        by: who signs for it.
        results: against each success metric.
        lessons: what to do differently next time, or to do again.
        at: when; now when not given.

    Raises:
        InvalidInput: without results or lessons.
        NotAllowed, WrongState: as `refuse_closure` says.
    """
    results, lessons = results.strip(), lessons.strip()
    with transaction.atomic(), acting_as(by):
        row = locked(campaign)
        raise_refusal(by, row, refuse_closure(by, row))
        if not results:
            raise InvalidInput("Write what came out before you close it; nobody can tell afterwards.")
        if not lessons:
            raise InvalidInput("Write what was learned before you close it, and be it to do the same again.")
        moment, figures = at or clock.now(), figures_of(row)
        Closing.objects.create(
            campaign=row,
            at=moment,
            by_label=by.get_username(),
            figures=figures,
            digest=digest_of(figures),
            lessons=lessons,
        )
        move(row, CampaignState.CLOSED, at=moment, results=results)
    return f"{row} is closed; its figures are frozen."


def figures_of(campaign: Campaign) -> dict[str, Any]:
    """Return the figures of a campaign as they are frozen at its closure: money, results by figure, dates."""
    money = standing(campaign)
    return {
        "success_metrics": campaign.success_metrics,
        "currency": campaign.currency,
        "budget": str(money.budget),
        "planned": str(money.total.planned),
        "committed": str(money.total.committed),
        "actual": str(money.total.actual),
        "figures": {each.metric: str(each.total) for each in totals_of(campaign)},
        "launched": campaign.launched_at.isoformat() if campaign.launched_at else "",
        "ended": campaign.ended_at.isoformat() if campaign.ended_at else "",
    }


def digest_of(figures: Mapping[str, Any]) -> str:
    """Return the SHA-256 of frozen figures, whatever the order of their names."""
    return hashlib.sha256(json.dumps(figures, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


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
        move(row, CampaignState.CANCELLED, at=at, ended_at=at or clock.now())
    return f"{row} is cancelled."
