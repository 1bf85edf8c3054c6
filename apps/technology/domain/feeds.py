"""Renewals in a calendar program: a personal signed address, revocable, and the calendar it answers with."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.core import signing
from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse

from apps.core import access, clock
from apps.core.actors import acting_as
from apps.core.errors import NotAllowed, WrongState
from apps.core.ical import Event, calendar_of
from apps.core.transitions import transition
from apps.technology.domain.notice import counting_calendar, last_day_to_cancel
from apps.technology.domain.renewals import undecided
from apps.technology.models import CalendarFeed, Contract

if TYPE_CHECKING:
    from apps.accounts.models import User

RENEWALS = "renewals"
_signer = signing.Signer(salt="technology.calendar-feed")


@dataclass(frozen=True)
class FeedCalendar:
    """A calendar that the personal addresses of people answer with.

    Attributes:
        key: stands in the address: "renewals".
        title: as people read it.
        refuse: why a person may not have it, None when they may.
        text: the calendar for a person, a day and a moment; the last argument makes a whole address of a path.
    """

    key: str
    title: str
    refuse: Callable[["User"], str | None]
    text: Callable[["User", dt.date, dt.datetime, Callable[[str], str]], str]


_calendars: dict[str, FeedCalendar] = {}


def register_calendar(calendar: FeedCalendar) -> None:
    """Let personal calendar addresses answer with this calendar."""
    _calendars[calendar.key] = calendar


def calendar_named(key: str) -> FeedCalendar | None:
    """Return the calendar of this key, None where no installed app brings it."""
    return _calendars.get(key)


def refuse_feed(user: "User") -> str | None:
    """Return why `user` cannot have an address of the renewal calendar, None when they can."""
    return None if access.has_model_permission(user, "view", Contract) else "You do not see contracts."


def refuse_any_feed(user: "User") -> str | None:
    """Return why `user` cannot have a calendar address at all, None when one of the calendars is theirs."""
    refused = [each.refuse(user) for each in _calendars.values()]
    return None if None in refused else next(iter(refused), None)


def open_feed(*, by: "User", label: str = "") -> CalendarFeed:
    """Make a new calendar address for oneself.

    Raises:
        NotAllowed: no calendar is theirs to see.
    """
    if refused := refuse_any_feed(by):
        raise NotAllowed(refused)
    with transaction.atomic(), acting_as(by):
        feed: CalendarFeed = CalendarFeed.objects.create(person=by, label=label)
    return feed


def token_of(feed: CalendarFeed) -> str:
    """Return the part of the address that proves it is ours; it cannot be made up without the secret key."""
    return _signer.sign(str(feed.uuid)).replace(":", "~")


def feed_of(token: str, calendar: FeedCalendar) -> CalendarFeed | None:
    """Return the feed of an address; None when it was made up, ended, or its person may not have that calendar."""
    try:
        key = _signer.unsign(token.replace("~", ":"))
    except signing.BadSignature:
        return None
    feed: CalendarFeed | None = _in_use().filter(uuid=key).select_related("person").first()
    return feed if feed is not None and calendar.refuse(feed.person) is None else None


def newest_feed(person: "User") -> CalendarFeed | None:
    """Return the newest address of a person that calendar programs are answered under."""
    feed: CalendarFeed | None = _in_use().filter(person=person).order_by("-pk").first()
    return feed


def _in_use() -> QuerySet[CalendarFeed]:
    return CalendarFeed.objects.filter(revoked_at__isnull=True, archived_at__isnull=True)


def refuse_revocation(user: "User", feed: CalendarFeed) -> str | None:
    """Return why `user` cannot end this address, None when it works."""
    if feed.person_id != user.pk and not access.can(user, "change", feed):
        return "Only its person, or who may change calendar addresses, ends one."
    return "The address has ended already." if feed.revoked_at else None


def revoke_feed(feed: CalendarFeed, *, by: "User") -> str:
    """End a calendar address; what still asks for it is told there is none.

    Raises:
        NotAllowed, WrongState: as `refuse_revocation` says.
    """
    with transaction.atomic(), acting_as(by):
        row = CalendarFeed.objects.select_for_update(of=("self",)).get(pk=feed.pk)
        if refused := refuse_revocation(by, row):
            raise (WrongState if row.revoked_at else NotAllowed)(refused)
        row.revoked_at = clock.now()
        with transition(CalendarFeed):
            row.save(update_fields=["revoked_at"])
    return "The address has ended; calendar programs that use it no longer get anything."


def calendar_text(person: "User", today: dt.date, now: dt.datetime, address: Callable[[str], str]) -> str:
    """Return the renewals `person` may see as an iCalendar (RFC 5545): last days to cancel, and ends of terms."""
    rows = undecided(access.visible(person, Contract).filter(archived_at__isnull=True))
    rows = rows.filter(ends_on__gte=today - dt.timedelta(days=30)).select_related("tool").order_by("ends_on")
    calendar, events = counting_calendar(), []
    for contract in rows:
        last, name = last_day_to_cancel(contract, calendar), contract.called
        renews = " and renews by itself" if contract.auto_renew else ""
        more = f"The term ends on {contract.ends_on:%-d %B %Y}{renews}."
        url = address(reverse("admin:technology_contract_change", args=(contract.pk,)))
        events.append(Event(f"{contract.uuid}-cancel", last, f"Last day to cancel {name}", more=more, url=url))
        events.append(Event(f"{contract.uuid}-end", contract.ends_on, f"Term ends: {name}", url=url))
    return calendar_of("Renewals", RENEWALS, events, now)


def register() -> None:
    """Let personal calendar addresses answer with renewals."""
    register_calendar(FeedCalendar(RENEWALS, "Renewals", refuse_feed, calendar_text))
