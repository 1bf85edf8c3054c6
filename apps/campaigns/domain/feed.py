"""Campaigns in a calendar program: when each runs, when it goes live by itself, and the days kept free."""

import datetime as dt
from collections.abc import Callable
from typing import TYPE_CHECKING

from django.urls import reverse

from apps.campaigns.enums import CampaignState
from apps.campaigns.models import Blackout, Campaign
from apps.core import access
from apps.core.ical import Event, calendar_of
from apps.technology.domain.feeds import FeedCalendar, register_calendar

if TYPE_CHECKING:
    from apps.accounts.models import User

KEY, MOST, LOOKED_BACK = "campaigns", 1000, dt.timedelta(days=90)


def refuse_feed(user: "User") -> str | None:
    """Return why `user` cannot have campaigns in a calendar program, None when they can."""
    return None if access.has_model_permission(user, "view", Campaign) else "You do not see campaigns."


def calendar_text(person: "User", today: dt.date, now: dt.datetime, address: Callable[[str], str]) -> str:
    """Return the campaigns and blackouts `person` may see as an iCalendar (RFC 5545), none that is cancelled."""
    since = today - LOOKED_BACK
    rows = access.visible(person, Campaign).filter(archived_at=None, starts_on__isnull=False, ends_on__gte=since)
    rows = rows.exclude(state=CampaignState.CANCELLED).order_by("starts_on", "pk")[:MOST]
    events = [_event(each, address) for each in rows if each.starts_on is not None]
    free = access.visible(person, Blackout).filter(archived_at=None, last_day__gte=since).order_by("first_day")[:MOST]
    events += [
        Event(str(each.uuid), each.first_day, f"Kept free: {each}", last=each.last_day, more=each.reason)
        for each in free
    ]
    return calendar_of("Campaigns", KEY, events, now)


def _event(campaign: Campaign, address: Callable[[str], str]) -> Event:
    more = f"{campaign.get_state_display()}, {campaign.get_main_channel_display()}."
    if campaign.launch_at is not None:
        more += f" Goes live by itself on {campaign.launch_at:%-d %B %Y at %H:%M %Z}."
    url = address(reverse("admin:campaigns_campaign_change", args=(campaign.pk,)))
    first = campaign.starts_on or dt.date.min
    return Event(str(campaign.uuid), first, f"Campaign: {campaign}", last=campaign.ends_on, more=more, url=url)


def register() -> None:
    """Let personal calendar addresses answer with campaigns."""
    register_calendar(FeedCalendar(KEY, "Campaigns", refuse_feed, calendar_text))
