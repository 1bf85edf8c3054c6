"""When a calendar is open: weekly hours, holidays and half days read on the wall clock of one time zone.

One rule decides everything: a moment is open when the clock on the wall (in the schedule's zone, on
that date) stands inside one of the date's hours. When clocks go forward the skipped hour is not
there to be worked; when they go back the repeated hour is worked twice. That makes a calendar open
around the clock agree exactly with elapsed time.

Inside this package a moment is a naive datetime in UTC: Python subtracts and compares two aware
datetimes of one zone by their wall clocks, which is an hour wrong twice a year.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

from apps.core.errors import InvalidInput

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MINUTES_A_DAY = 24 * 60
FIRST_YEAR, LAST_YEAR = 1900, 2200
ONE_DAY = timedelta(days=1)
NOTHING = timedelta(0)


class CalendarError(InvalidInput):
    """A calendar, or a question put to one, that makes no sense; the message says why in a sentence."""


class Hours(NamedTuple):
    """One stretch of working time within a day, in minutes after midnight; 1440 is the day's end."""

    opens: int
    closes: int

    def __str__(self) -> str:
        return f"{_clock(self.opens)}–{_clock(self.closes)}"


class Span(NamedTuple):
    """One open stretch between two moments (naive UTC), the second not included."""

    start: datetime
    end: datetime


class OpenDay(NamedTuple):
    """The open stretches of one UTC day, in order and not touching, and their sum."""

    spans: tuple[Span, ...]
    total: timedelta


DayHours = tuple[Hours, ...]


def hours(opens: str, closes: str) -> Hours:
    """Read "09:00" and "17:30" (or "24:00" for the day's end); a stretch past midnight is refused."""
    stretch = Hours(_minutes(opens), _minutes(closes))
    if stretch.opens == stretch.closes:
        raise CalendarError(f"{opens} to {closes} is no time at all; leave the day out to keep it closed.")
    if stretch.opens > stretch.closes:
        raise CalendarError(
            f"{opens} to {closes} ends before it starts. For a night shift write {opens} to 24:00 on that day "
            f"and 00:00 to {closes} on the next."
        )
    return stretch


def day_hours(stretches: Sequence[Hours], *, on: str) -> DayHours:
    """The hours of one day in order; overlapping ones are refused, naming the day they are `on`."""
    ordered = tuple(sorted(stretches))
    for stretch in ordered:
        if not 0 <= stretch.opens < stretch.closes <= MINUTES_A_DAY:
            raise CalendarError(f"{on}: {stretch} does not lie within one day.")
    for earlier, later in pairwise(ordered):
        if later.opens < earlier.closes:
            raise CalendarError(f"{on}: {earlier} and {later} overlap.")
    return ordered


@dataclass(frozen=True, eq=False)
class Schedule:
    """One version of a calendar. `special_days` gives a date hours of its own, holiday or not.

    `holidays` is anything that can say whether a date is in it, so it may reach over years that
    nobody has listed yet. Days once worked out are remembered: treat what you pass as frozen.
    """

    zone: str
    weekly: tuple[DayHours, ...]
    holidays: Container[date] = frozenset()
    special_days: Mapping[date, DayHours] = field(default_factory=dict)
    _days: dict[date, OpenDay] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        check_zone(self.zone)
        if len(self.weekly) != len(WEEKDAYS):
            raise CalendarError(f"A week has seven days from Monday to Sunday; {len(self.weekly)} were given.")
        week = tuple(day_hours(day, on=name) for name, day in zip(WEEKDAYS, self.weekly, strict=True))
        special = {day: day_hours(value, on=day.isoformat()) for day, value in self.special_days.items()}
        object.__setattr__(self, "weekly", week)
        object.__setattr__(self, "special_days", special)

    def hours_on(self, day: date) -> DayHours:
        """The wall-clock hours of a date: its own if it is special, none on a holiday, else its weekday's."""
        if day in self.special_days:
            return self.special_days[day]
        return () if day in self.holidays else self.weekly[day.weekday()]

    def schedule_on(self, day: date) -> Schedule:
        """The schedule in force on a date (always this one)."""
        return self

    def zone_at(self, moment: datetime) -> ZoneInfo:
        """The zone this calendar reads clocks in at a moment (always the same one)."""
        return ZoneInfo(self.zone)

    def open_on(self, utc_day: date) -> OpenDay:
        """The open stretches of one UTC day."""
        if utc_day not in self._days:
            self._days[utc_day] = _sum(_stretches(self, utc_day))
        return self._days[utc_day]


class Version(NamedTuple):
    """A schedule and the date it takes over, at midnight in its own zone."""

    effective_from: date
    schedule: Schedule


@dataclass(frozen=True, eq=False)
class Timeline:
    """A calendar's versions one after the other, each counting for its own time.

    The first version also answers for the time before it, so a question about an early date has
    an answer rather than an error.
    """

    versions: tuple[Version, ...]
    _starts: tuple[datetime, ...] = field(init=False, repr=False, default=())
    _days: dict[date, OpenDay] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        if not self.versions:
            raise CalendarError("A calendar without a version has no working time.")
        starts = tuple(takes_over(version) for version in self.versions)
        dates = [version.effective_from for version in self.versions]
        for earlier, later in pairwise(dates):
            if later <= earlier:
                raise CalendarError(f"The version from {later} must take effect after the one from {earlier}.")
        for start, following in pairwise(starts):
            if following <= start:
                raise CalendarError(f"Two versions take effect at the same moment, {start} UTC.")
        object.__setattr__(self, "_starts", starts)

    def hours_on(self, day: date) -> DayHours:
        """The wall-clock hours of a date under the version in force on it."""
        return self.schedule_on(day).hours_on(day)

    def schedule_on(self, day: date) -> Schedule:
        """The schedule in force on a date."""
        dates = [version.effective_from for version in self.versions]
        return self.versions[max(bisect_right(dates, day) - 1, 0)].schedule

    def zone_at(self, moment: datetime) -> ZoneInfo:
        """The zone of the version in force at a moment (naive UTC)."""
        return ZoneInfo(self.versions[self._index(moment)].schedule.zone)

    def open_on(self, utc_day: date) -> OpenDay:
        """The open stretches of one UTC day, each taken from the version in force at the time."""
        start = datetime.combine(utc_day, time.min)
        first, last = self._index(start), self._index(start + ONE_DAY - timedelta(microseconds=1))
        if first == last:
            return self.versions[first].schedule.open_on(utc_day)
        if utc_day not in self._days:
            self._days[utc_day] = _sum(self._changeover(utc_day, first, last))
        return self._days[utc_day]

    def _index(self, moment: datetime) -> int:
        return max(bisect_right(self._starts, moment) - 1, 0)

    def _changeover(self, utc_day: date, first: int, last: int) -> Iterator[Span]:
        for index in range(first, last + 1):
            for span in self.versions[index].schedule.open_on(utc_day).spans:
                start = max(span.start, self._starts[index]) if index > 0 else span.start
                end = min(span.end, self._starts[index + 1]) if index + 1 < len(self._starts) else span.end
                yield Span(start, end)


Calendar = Schedule | Timeline


def always_open(zone: str = "UTC") -> Schedule:
    """A calendar open around the clock on every day: elapsed time and nothing else."""
    return Schedule(zone, ((Hours(0, MINUTES_A_DAY),),) * len(WEEKDAYS))


def takes_over(version: Version) -> datetime:
    """The moment (naive UTC) from which a version counts: midnight of its date in its own zone."""
    if not FIRST_YEAR <= version.effective_from.year <= LAST_YEAR:
        raise CalendarError(
            f"Versions take effect from {FIRST_YEAR} to {LAST_YEAR}, not in {version.effective_from.year}."
        )
    zone = ZoneInfo(version.schedule.zone)
    return datetime.combine(version.effective_from, time.min, zone).astimezone(UTC).replace(tzinfo=None)


def check_zone(name: str) -> None:
    """Refuse a time zone nobody knows."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as problem:  # what zoneinfo raises for a name, a path and a folder
        raise CalendarError(f'There is no time zone called "{name}"; write one like Europe/Berlin.') from problem


def _minutes(text: str) -> int:
    hour, colon, minute = text.strip().partition(":")
    well_formed = colon and len(minute) == 2 and 1 <= len(hour) <= 2 and (hour + minute).isascii()
    if not (well_formed and hour.isdigit() and minute.isdigit()):
        raise CalendarError(f'"{text}" is not a time of day; write it like 09:00.')
    total = int(hour) * 60 + int(minute)
    if int(minute) > 59 or total > MINUTES_A_DAY:
        raise CalendarError(f'"{text}" is not a time of day; the latest is 24:00.')
    return total


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _stretches(schedule: Schedule, utc_day: date) -> Iterator[Span]:
    for start, end, offset in _constant_offsets(ZoneInfo(schedule.zone), utc_day):
        day, last = (start + offset).date(), (end + offset).date()
        while day <= last:
            midnight = datetime.combine(day, time.min) - offset
            for opens, closes in schedule.hours_on(day):
                opening, closing = midnight + timedelta(minutes=opens), midnight + timedelta(minutes=closes)
                yield Span(max(start, opening), min(end, closing))
            day += ONE_DAY


def _constant_offsets(zone: ZoneInfo, utc_day: date) -> list[tuple[datetime, datetime, timedelta]]:
    """Cut a UTC day where the zone's clocks change; no zone changes them twice within one."""
    start = datetime.combine(utc_day, time.min)
    end = start + ONE_DAY
    before, after = _offset(zone, start), _offset(zone, end)
    if before == after:
        return [(start, end, before)]
    low, high = 0, int(ONE_DAY.total_seconds())
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _offset(zone, start + timedelta(seconds=middle)) == before else (low, middle)
    change = start + timedelta(seconds=high)
    return [piece for piece in ((start, change, before), (change, end, after)) if piece[0] < piece[1]]


def _offset(zone: ZoneInfo, moment: datetime) -> timedelta:
    offset = moment.replace(tzinfo=UTC).astimezone(zone).utcoffset()
    return offset if offset is not None else NOTHING


def _sum(stretches: Iterator[Span]) -> OpenDay:
    """Drop the empty stretches, join those that touch, and add up."""
    joined: list[Span] = []
    for span in sorted(span for span in stretches if span.start < span.end):
        if joined and span.start <= joined[-1].end:
            joined[-1] = Span(joined[-1].start, max(joined[-1].end, span.end))
        else:
            joined.append(span)
    return OpenDay(tuple(joined), sum((span.end - span.start for span in joined), NOTHING))
