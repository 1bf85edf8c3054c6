"""Days that are kept free of launches: what a blackout says about a campaign and a day."""

import datetime as dt
from typing import Any

from apps.campaigns.models import Blackout, Campaign
from apps.core.errors import WrongState
from apps.core.gates import Finding


def blackouts_on(campaign: Campaign, day: dt.date) -> list[Blackout]:
    """Return the blackouts that concern a campaign on a day, the strict ones first."""
    rows: Any = Blackout.objects.filter(archived_at__isnull=True, first_day__lte=day, last_day__gte=day)
    channel, region = campaign.main_channel, campaign.region
    return [each for each in rows.order_by("-is_strict", "name") if each.concerns(channel, region)]


def told(blackout: Blackout) -> str:
    """Say what a blackout is, and until when."""
    return f"{blackout} (until {blackout.last_day:%-d %B %Y}): {blackout.reason}"


def refuse_start(campaign: Campaign, day: dt.date) -> str | None:
    """Return why nothing may go live on a day, None where something may."""
    strict = next((each for each in blackouts_on(campaign, day) if each.is_strict), None)
    return f"{day:%-d %B %Y} is kept free of launches: {told(strict)}" if strict is not None else None


def raise_start(campaign: Campaign, day: dt.date) -> None:
    """Refuse a start on a day that is kept free.

    Raises:
        WrongState: as `refuse_start` says.
    """
    if refused := refuse_start(campaign, day):
        raise WrongState(refused)


def warnings_on(campaign: Campaign, day: dt.date) -> list[str]:
    """Return what speaks against a start on a day, strict or not."""
    return [
        f"{day:%-d %B %Y} is {'kept free of launches' if each.is_strict else 'better avoided'}: {told(each)}"
        for each in blackouts_on(campaign, day)
    ]


def blackout_finding(campaign: Campaign, today: dt.date) -> Finding | None:
    """Say whether the day is kept free; None where it is not."""
    strict = [each for each in blackouts_on(campaign, today) if each.is_strict]
    return Finding(False, told(strict[0]).rstrip(".")) if strict else None
