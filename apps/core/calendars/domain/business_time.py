"""Business time: how much working time lies between two moments, and when an amount of it will have passed.

`elapsed` and `due` are each other's inverse; approvals, runs, renewals, leads and tickets all count
with them. Questions take aware datetimes in any zone; answers are in UTC, because two datetimes of
one zone are compared by wall clock and would be misordered in the repeated hour of autumn.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from apps.core.calendars.domain.schedule import (
    FIRST_YEAR,
    LAST_YEAR,
    NOTHING,
    ONE_DAY,
    Calendar,
    CalendarError,
    DayHours,
    Hours,
    Schedule,
    Span,
    Timeline,
    Version,
    always_open,
    hours,
)

__all__ = [
    "Calendar",
    "CalendarError",
    "DayAccount",
    "Hours",
    "Schedule",
    "Timeline",
    "Version",
    "account",
    "add_business_days",
    "always_open",
    "due",
    "elapsed",
    "first_business_day_on_or_after",
    "hours",
    "is_business_day",
    "is_open",
    "last_business_day_on_or_before",
    "next_open",
    "previous_close",
]

HORIZON_YEARS = 20
HORIZON = timedelta(days=366 * HORIZON_YEARS)
INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True)
class DayAccount:
    """One line of the arithmetic: a date on the calendar's wall clock, its hours, and what counted."""

    day: date
    hours: DayHours
    counted: timedelta
    running: timedelta


def elapsed(calendar: Calendar, start: datetime, end: datetime) -> timedelta:
    """The working time from `start` to `end`; refused when the end lies before the start."""
    begins, ends = _moment(start), _moment(end)
    if ends < begins:
        raise CalendarError(f"Time cannot be counted backwards, from {start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M}.")
    return _between(calendar, begins, ends)


def due(calendar: Calendar, start: datetime, amount: timedelta) -> datetime:
    """The earliest moment by which `amount` of working time has passed since `start`.

    An amount that ends with the working day is due at closing time, not at the next opening;
    none at all is due at `start`, open or not. Refused when it lies beyond the horizon.
    """
    begins = _moment(start)
    if amount < NOTHING:
        raise CalendarError("A due time needs an amount of working time of zero or more.")
    if not amount:
        return _answer(begins)
    counted = NOTHING
    for day in _days_from(begins):
        total = calendar.open_on(day).total if day != begins.date() else NOTHING
        if total and counted + total < amount:
            counted += total
            continue
        for span in calendar.open_on(day).spans:
            opening = max(span.start, begins)
            if counted + (span.end - opening) >= amount:
                return _answer(opening + (amount - counted))
            counted += max(span.end - opening, NOTHING)
    raise CalendarError(_too_far(counted, amount))


def is_open(calendar: Calendar, at: datetime) -> bool:
    """Whether a moment is working time; the closing moment itself is not."""
    return _is_open(calendar, _moment(at))


def next_open(calendar: Calendar, at: datetime) -> datetime:
    """`at` itself when it is working time, else the next opening."""
    moment = _moment(at)
    for day in _days_from(moment):
        for span in calendar.open_on(day).spans:
            if span.end > moment:
                return _answer(max(span.start, moment))
    raise CalendarError(f"This calendar never opens in the {HORIZON_YEARS} years after {at:%Y-%m-%d %H:%M}.")


def previous_close(calendar: Calendar, at: datetime) -> datetime:
    """The latest moment at or before `at` when working time ended."""
    moment = _moment(at)
    for day in _days_before(moment):
        for span in reversed(calendar.open_on(day).spans):
            if span.end <= moment and not _is_open(calendar, span.end):
                return _answer(span.end)
    raise CalendarError(f"This calendar never closes in the {HORIZON_YEARS} years before {at:%Y-%m-%d %H:%M}.")


def account(calendar: Calendar, start: datetime, end: datetime) -> Iterator[DayAccount]:
    """The arithmetic behind `elapsed`, a line for every date touched; the last `running` is the answer."""
    begins, ends = _moment(start), _moment(end)
    counted: dict[date, timedelta] = {}
    for span in _spans_between(calendar, begins, ends):
        for day, amount in _by_wall_date(calendar, span):
            counted[day] = counted.get(day, NOTHING) + amount
    touched = {_wall_date(calendar, begins), _wall_date(calendar, ends), *counted}
    day, last = min(touched), max(touched)
    running = NOTHING
    while day <= last:
        running += counted.get(day, NOTHING)
        yield DayAccount(day, calendar.hours_on(day), counted.get(day, NOTHING), running)
        day += ONE_DAY


def is_business_day(calendar: Calendar, day: date) -> bool:
    """Whether any of the date is working time; a half day is a business day."""
    return bool(calendar.hours_on(day))


def add_business_days(calendar: Calendar, day: date, count: int) -> date:
    """The `count`-th business day after `day` (before it when negative); 0 gives `day` back as it is."""
    if abs(count) > HORIZON.days:
        raise CalendarError(f"{count} business days reach further than {HORIZON_YEARS} years.")
    step = ONE_DAY if count > 0 else -ONE_DAY
    for _ in range(abs(count)):
        day = _nearest_business_day(calendar, day + step, step)
    return day


def last_business_day_on_or_before(calendar: Calendar, day: date) -> date:
    """`day` itself when it is a business day, else the one before: the last day to give notice."""
    return _nearest_business_day(calendar, day, -ONE_DAY)


def first_business_day_on_or_after(calendar: Calendar, day: date) -> date:
    """`day` itself when it is a business day, else the one after."""
    return _nearest_business_day(calendar, day, ONE_DAY)


def _moment(at: datetime) -> datetime:
    if at.utcoffset() is None:
        raise CalendarError(f"{at:%Y-%m-%d %H:%M} says no time zone, so it is not one moment.")
    if not FIRST_YEAR <= at.year <= LAST_YEAR:
        raise CalendarError(f"Calendars reach from {FIRST_YEAR} to {LAST_YEAR}; {at.year} lies outside.")
    return at.astimezone(UTC).replace(tzinfo=None)


def _answer(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC)


def _between(calendar: Calendar, begins: datetime, ends: datetime) -> timedelta:
    first, last = begins.date(), ends.date()
    counted = _clipped(calendar, first, begins, ends)
    if first == last:
        return counted
    day = first + ONE_DAY
    while day < last:
        counted += calendar.open_on(day).total
        day += ONE_DAY
    return counted + _clipped(calendar, last, begins, ends)


def _clipped(calendar: Calendar, day: date, begins: datetime, ends: datetime) -> timedelta:
    stretches = (min(span.end, ends) - max(span.start, begins) for span in calendar.open_on(day).spans)
    return sum((stretch for stretch in stretches if stretch > NOTHING), NOTHING)


def _spans_between(calendar: Calendar, begins: datetime, ends: datetime) -> Iterator[Span]:
    day = begins.date()
    while day <= ends.date():
        for span in calendar.open_on(day).spans:
            clipped = Span(max(span.start, begins), min(span.end, ends))
            if clipped.start < clipped.end:
                yield clipped
        day += ONE_DAY


def _by_wall_date(calendar: Calendar, span: Span) -> Iterator[tuple[date, timedelta]]:
    """A stretch cut by the dates of the wall clock; stretches never reach over the end of a UTC day."""
    first, last = _wall_date(calendar, span.start), _wall_date(calendar, span.end - INSTANT)
    if first == last:
        yield first, span.end - span.start
        return
    low, high = span
    while high - low > INSTANT:
        middle = low + (high - low) // 2
        low, high = (middle, high) if _wall_date(calendar, middle) == first else (low, middle)
    yield first, high - span.start
    yield last, span.end - high


def _wall_date(calendar: Calendar, moment: datetime) -> date:
    return moment.replace(tzinfo=UTC).astimezone(calendar.zone_at(moment)).date()


def _is_open(calendar: Calendar, moment: datetime) -> bool:
    return any(span.start <= moment < span.end for span in calendar.open_on(moment.date()).spans)


def _days_from(moment: datetime) -> Iterator[date]:
    day, last = moment.date(), (moment + HORIZON).date()
    while day <= last:
        yield day
        day += ONE_DAY


def _days_before(moment: datetime) -> Iterator[date]:
    day, last = moment.date(), (moment - HORIZON).date()
    while day >= last:
        yield day
        day -= ONE_DAY


def _nearest_business_day(calendar: Calendar, day: date, step: timedelta) -> date:
    for _ in range(HORIZON.days):
        if is_business_day(calendar, day):
            return day
        day += step
    raise CalendarError(f"This calendar has no business day within {HORIZON_YEARS} years.")


def _too_far(counted: timedelta, amount: timedelta) -> str:
    if not counted:
        return f"This calendar has no working time in the next {HORIZON_YEARS} years, so nothing falls due in it."
    return (
        f"{_in_hours(amount)} of working time lie further away than {HORIZON_YEARS} years; "
        f"this calendar has {_in_hours(counted)} until then."
    )


def _in_hours(amount: timedelta) -> str:
    return f"{amount / timedelta(hours=1):,.10g} hours"
