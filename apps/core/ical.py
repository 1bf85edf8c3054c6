"""Calendars for calendar programs: whole-day events written as iCalendar (RFC 5545)."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

FOLD = 75  # octets in a line, RFC 5545 section 3.1


@dataclass(frozen=True)
class Event:
    """One event of whole days.

    Attributes:
        uid: the same for the same thing at every asking.
        first: the first day.
        summary: what it is called.
        last: the last day, itself included; the first one where None.
        more: further words.
        url: where it stands.
    """

    uid: str
    first: dt.date
    summary: str
    last: dt.date | None = None
    more: str = ""
    url: str = ""


def calendar_of(name: str, key: str, events: Iterable[Event], now: dt.datetime) -> str:
    """Return a calendar as text, lines folded and ended as the standard wants them."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:-//mops//{key}//EN", "CALSCALE:GREGORIAN"]
    lines += ["METHOD:PUBLISH", f"X-WR-CALNAME:{_escaped(name)}", "REFRESH-INTERVAL;VALUE=DURATION:PT12H"]
    for each in events:
        lines += _lines_of(each, now)
    return "\r\n".join(_folded([*lines, "END:VCALENDAR"])) + "\r\n"


def _lines_of(event: Event, now: dt.datetime) -> list[str]:
    after = (event.last or event.first) + dt.timedelta(days=1)
    lines = [
        "BEGIN:VEVENT",
        f"UID:{event.uid}@mops",
        f"DTSTAMP:{now.astimezone(dt.UTC):%Y%m%dT%H%M%SZ}",
        f"DTSTART;VALUE=DATE:{event.first:%Y%m%d}",
        f"DTEND;VALUE=DATE:{after:%Y%m%d}",
        f"SUMMARY:{_escaped(event.summary)}",
    ]
    if event.more:
        lines.append(f"DESCRIPTION:{_escaped(event.more)}")
    if event.url:
        lines.append(f"URL:{event.url}")
    return [*lines, "TRANSP:TRANSPARENT", "END:VEVENT"]


def _escaped(text: str) -> str:
    for sign in ("\\", ";", ","):
        text = text.replace(sign, "\\" + sign)
    return text.replace("\r\n", "\\n").replace("\n", "\\n").replace("\r", "\\n")


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
