"""Calendars for calendar programs: whole-day events as iCalendar (RFC 5545)."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

import icalendar


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
    """Return a calendar as text, for programs to ask for again every twelve hours."""
    written = icalendar.Calendar()
    said = {"version": "2.0", "prodid": f"-//mops//{key}//EN", "calscale": "GREGORIAN", "method": "PUBLISH"}
    for property_name, value in {**said, "x-wr-calname": name}.items():
        written.add(property_name, value)
    written.add("refresh-interval", dt.timedelta(hours=12), parameters={"value": "DURATION"})
    for each in events:
        written.add_component(_written(each, now))
    text: str = written.to_ical().decode()
    return text


def _written(event: Event, now: dt.datetime) -> icalendar.Event:
    row = icalendar.Event()
    row.add("uid", f"{event.uid}@mops")
    row.add("dtstamp", now.astimezone(dt.UTC))
    row.add("dtstart", event.first)
    row.add("dtend", (event.last or event.first) + dt.timedelta(days=1))
    row.add("summary", event.summary)
    if event.more:
        row.add("description", event.more)
    if event.url:
        row.add("url", event.url)
    row.add("transp", "TRANSPARENT")
    return row
