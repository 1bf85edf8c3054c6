"""The calendar of campaigns: what runs when in which channel, moving a campaign in time, and what speaks against it."""

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.db import transaction

from apps.campaigns.domain.audiences import members_now, refuse_selection
from apps.campaigns.domain.blackouts import raise_start, warnings_on
from apps.campaigns.domain.moves import locked, raise_refusal, refuse_work
from apps.campaigns.enums import EDITABLE, NOT_YET_LIVE, RUNNING, VOIDABLE, CampaignState
from apps.campaigns.models import Audience, Blackout, Campaign
from apps.core import access, clock
from apps.core.actors import acting_as
from apps.core.calendars.domain.business_time import Calendar, is_business_day
from apps.core.errors import InvalidInput, WrongState

if TYPE_CHECKING:
    from apps.accounts.models import User

MOST, MOST_BLACKOUTS = 300, 50  # campaigns and blackouts drawn on one page
COMPARED = 5  # audiences of other campaigns that are compared person by person


def in_span(user: "User", first: dt.date, last: dt.date, *, channel: str = "") -> list[Campaign]:
    """Return the campaigns `user` sees that run on a day of the span, by channel and start; none that is cancelled.

    Args:
        user: who looks.
        first: the first day.
        last: the last day.
        channel: this one alone; all where empty.
    """
    rows = access.visible(user, Campaign).filter(archived_at=None, starts_on__lte=last, ends_on__gte=first)
    rows = rows.exclude(state=CampaignState.CANCELLED)
    if channel:
        rows = rows.filter(main_channel=channel)
    return list(rows.order_by("main_channel", "starts_on", "pk")[: MOST + 1])


def movable(user: "User", campaigns: Sequence[Campaign]) -> set[int]:
    """Return which of `campaigns` could be moved by `user`, in one question; the operation looks again."""
    open_ones = [
        each.pk
        for each in campaigns
        if each.state in EDITABLE
        and each.archived_at is None
        and each.starts_on is not None
        and each.ends_on is not None
    ]
    if not open_ones:
        return set()
    return set(access.visible(user, Campaign, verb="change").filter(pk__in=open_ones).values_list("pk", flat=True))


def kept_free(user: "User", first: dt.date, last: dt.date, *, channel: str = "") -> list[Blackout]:
    """Return the blackouts `user` sees on days of the span, of every channel or of this one."""
    rows = access.visible(user, Blackout).filter(archived_at=None, first_day__lte=last, last_day__gte=first)
    if channel:
        rows = rows.filter(only_channel__in=("", channel))
    return list(rows.order_by("first_day", "pk")[:MOST_BLACKOUTS])


def refuse_reschedule(user: "User", campaign: Campaign) -> str | None:
    """Return why `user` cannot move `campaign` in time, None when they can."""
    if refused := refuse_work(user, campaign):
        return refused
    if campaign.state == CampaignState.IN_APPROVAL:
        return f"{campaign} is in approval; withdraw the request first."
    if campaign.state not in EDITABLE:
        return f"{campaign} is {campaign.get_state_display().lower()}; its dates stay."
    if campaign.starts_on is None or campaign.ends_on is None:
        return f"{campaign} has no dates yet; give it some on its page."
    return None


def reschedule(
    campaign: Campaign, *, by: "User", starts_on: dt.date, ends_on: dt.date | None = None, reason: str = ""
) -> str:
    """Move a campaign in time; an approval it has is void by that, as by every change of the plan.

    Args:
        campaign: it is not live yet.
        by: who moves it.
        starts_on: the new first day.
        ends_on: the new last day; as long as before where not given.
        reason: why.

    Raises:
        InvalidInput: the dates are crossed, or the first day has passed.
        NotAllowed, WrongState: as `refuse_reschedule` says, nothing would move, or the day is kept free.
    """
    with transaction.atomic(), acting_as(by, reason=reason or None):
        row = locked(campaign)
        raise_refusal(by, row, refuse_reschedule(by, row))
        began, ended = row.starts_on, row.ends_on
        if began is None or ended is None:  # refused above; said for whoever reads types
            raise WrongState(f"{row} has no dates yet; give it some on its page.")
        last = ends_on or starts_on + (ended - began)
        if last < starts_on:
            raise InvalidInput("A campaign cannot end before it starts; look at the two dates.")
        if starts_on < clock.today() and starts_on != began:
            raise InvalidInput(f"{starts_on:%-d %B %Y} has passed; choose a day to come.")
        if (starts_on, last) == (began, ended):
            raise WrongState(f"{row} runs from {began:%-d %B %Y} to {ended:%-d %B %Y} already.")
        if starts_on != began:
            raise_start(row, starts_on)
        was_approved = row.state in VOIDABLE
        row.starts_on, row.ends_on = starts_on, last
        row.save(update_fields=["starts_on", "ends_on"])
        row.refresh_from_db()
    void = " Its approval is void by that; send it again." if was_approved else ""
    return f"{row} runs from {starts_on:%-d %B %Y} to {last:%-d %B %Y}.{void}"


def warnings_of(campaign: Campaign, calendar: Calendar, *, reader: "User") -> list[str]:
    """Return what speaks against the dates of a campaign: days off, and people addressed elsewhere at the same time.

    Args:
        campaign: with dates; without them nothing is said.
        calendar: whose days off count.
        reader: who is warned; campaigns that they do not see count and are not named.
    """
    if campaign.starts_on is None or campaign.ends_on is None or campaign.state not in NOT_YET_LIVE:
        return []
    said = warnings_on(campaign, campaign.starts_on)
    if not is_business_day(calendar, campaign.starts_on):
        said.append(f"{campaign.starts_on:%A, %-d %B %Y} is a day off: nobody is there when it goes live.")
    others = Campaign.objects.filter(
        archived_at=None,
        state__in=(*NOT_YET_LIVE, *RUNNING),
        starts_on__lte=campaign.ends_on,
        ends_on__gte=campaign.starts_on,
    ).exclude(pk=campaign.pk)
    return said + _shared_people(campaign, list(others.values_list("pk", flat=True)[:MOST]), reader)


def _shared_people(campaign: Campaign, others: list[int], reader: "User") -> list[str]:
    """Say of how many people several campaigns of the same time want something."""
    said = []
    for own in campaign.live_parts("audiences"):
        if not own.is_frozen:
            continue
        own.campaign = campaign
        rivals = Audience.objects.filter(
            campaign__in=others, provider=own.provider, archived_at=None, frozen_at__isnull=False
        ).select_related("campaign")[:COMPARED]
        mine: frozenset[int] | None = None
        for rival in rivals:
            if refuse_selection(own.provider, own.selection) or refuse_selection(rival.provider, rival.selection):
                continue
            mine = frozenset(members_now(own).keys) if mine is None else mine
            shared = len(mine.intersection(members_now(rival).keys))
            if shared:
                named = rival.campaign if access.can(reader, "view", rival.campaign) else "A campaign elsewhere"
                said.append(f"{named} addresses {shared:,} of “{own}” at the same time.")
    return said
