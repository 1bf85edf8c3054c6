"""Renewals in a calendar program: a personal signed address, revocable, and the calendar it answers with."""

import datetime as dt
from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.core import signing
from django.db import transaction

from apps.core import access, clock
from apps.core.actors import acting_as
from apps.core.errors import NotAllowed, WrongState
from apps.core.transitions import transition
from apps.technology.domain.notice import counting_calendar, last_day_to_cancel
from apps.technology.domain.renewals import undecided
from apps.technology.models import CalendarFeed, Contract

if TYPE_CHECKING:
    from apps.accounts.models import User

_signer = signing.Signer(salt="technology.calendar-feed")
FOLD = 75  # octets in a line, RFC 5545 section 3.1


def refuse_feed(user: "User") -> str | None:
    """Return why `user` cannot have a calendar address, None when they can."""
    return None if access.has_model_permission(user, "view", Contract) else "You do not see contracts."


def open_feed(*, by: "User", label: str = "") -> CalendarFeed:
    """Make a new calendar address for oneself.

    Raises:
        NotAllowed: the person sees no contracts.
    """
    if refused := refuse_feed(by):
        raise NotAllowed(refused)
    with transaction.atomic(), acting_as(by):
        feed: CalendarFeed = CalendarFeed.objects.create(person=by, label=label)
    return feed


def token_of(feed: CalendarFeed) -> str:
    """Return the part of the address that proves it is ours; it cannot be made up without the secret key."""
    return _signer.sign(str(feed.uuid)).replace(":", "~")


def feed_of(token: str) -> CalendarFeed | None:
    """Return the feed of an address; None when it was made up, revoked, or its person has left or lost the right."""
    try:
        key = _signer.unsign(token.replace("~", ":"))
    except signing.BadSignature:
        return None
    feeds = CalendarFeed.objects.filter(uuid=key, revoked_at__isnull=True, archived_at__isnull=True)
    feed: CalendarFeed | None = feeds.select_related("person").first()
    return feed if feed is not None and refuse_feed(feed.person) is None else None


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


def calendar_text(person: "User", today: dt.date, now: dt.datetime) -> str:
    """Return the renewals `person` may see as an iCalendar (RFC 5545): last days to cancel, and ends of terms."""
    rows = undecided(access.visible(person, Contract).filter(archived_at__isnull=True))
    rows = rows.filter(ends_on__gte=today - dt.timedelta(days=30)).select_related("tool").order_by("ends_on")
    calendar, events = counting_calendar(), []
    for contract in rows:
        last, name = last_day_to_cancel(contract, calendar), f"{contract.tool}: {contract.name}"
        events += _event(
            f"{contract.uuid}-cancel",
            last,
            f"Last day to cancel {name}",
            now,
            f"The term ends on {contract.ends_on:%-d %B %Y}{' and renews by itself' if contract.auto_renew else ''}.",
        )
        events += _event(f"{contract.uuid}-end", contract.ends_on, f"Term ends: {name}", now, "")
    head = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//mops//renewals//EN", "CALSCALE:GREGORIAN"]
    head += ["METHOD:PUBLISH", "X-WR-CALNAME:Renewals", "REFRESH-INTERVAL;VALUE=DURATION:PT12H"]
    return "\r\n".join(_folded([*head, *events, "END:VCALENDAR"])) + "\r\n"


def _event(uid: str, day: dt.date, summary: str, now: dt.datetime, more: str) -> list[str]:
    lines = [
        "BEGIN:VEVENT",
        f"UID:{uid}@mops",
        f"DTSTAMP:{now.astimezone(dt.UTC):%Y%m%dT%H%M%SZ}",
        f"DTSTART;VALUE=DATE:{day:%Y%m%d}",
        f"DTEND;VALUE=DATE:{day + dt.timedelta(days=1):%Y%m%d}",
        f"SUMMARY:{_escaped(summary)}",
    ]
    if more:
        lines.append(f"DESCRIPTION:{_escaped(more)}")
    return [*lines, "TRANSP:TRANSPARENT", "END:VEVENT"]


def _escaped(text: str) -> str:
    for sign in ("\\", ";", ","):
        text = text.replace(sign, "\\" + sign)
    return text.replace("\r\n", "\\n").replace("\n", "\\n")


def _folded(lines: Iterable[str]) -> Iterable[str]:
    for line in lines:
        rest, room = line, FOLD
        while len(rest.encode()) > room:
            cut = room
            while len(rest[:cut].encode()) > room:
                cut -= 1
            yield rest[:cut] if room == FOLD else f" {rest[:cut]}"
            rest, room = rest[cut:], FOLD - 1
        yield rest if room == FOLD else f" {rest}"
