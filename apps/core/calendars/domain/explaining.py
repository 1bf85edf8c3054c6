"""A calendar laid out for people: a year in a picture, and how a due time came about, day by day."""

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from apps.core.calendars.domain.business_time import account, due
from apps.core.calendars.domain.public_holidays import HolidayBook
from apps.core.calendars.domain.schedule import ONE_DAY, WEEKDAYS, Calendar, CalendarError, Schedule

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
LONGEST_TRY = dt.timedelta(hours=2000)
CELL, LEFT, TOP = 18, 36, 20


class DayKind(StrEnum):
    """What a date is to a calendar."""

    WORKING = "working day"
    HALF = "half day"
    HOLIDAY = "holiday"
    CLOSED = "closed"


@dataclass(frozen=True)
class DayCell:
    """One date of the picture, and where it stands in it."""

    day: dt.date
    kind: DayKind
    says: str

    @property
    def style(self) -> str:
        """The class that colours it."""
        return self.kind.name.lower()

    @property
    def x(self) -> int:
        """How far from the left: the day of the month."""
        return LEFT + (self.day.day - 1) * CELL

    @property
    def y(self) -> int:
        """How far from the top: the month."""
        return TOP + (self.day.month - 1) * CELL


@dataclass(frozen=True)
class YearPicture:
    """Every date of a year, the figures below it, and the dates worth naming."""

    year: int
    cells: tuple[DayCell, ...]

    @property
    def counts(self) -> list[tuple[DayKind, int]]:
        """How many dates there are of each kind."""
        counted = Counter(cell.kind for cell in self.cells)
        return [(kind, counted[kind]) for kind in DayKind]

    @property
    def named(self) -> list[DayCell]:
        """The holidays and half days."""
        return [cell for cell in self.cells if cell.kind in (DayKind.HOLIDAY, DayKind.HALF)]

    @property
    def months(self) -> list[tuple[str, int]]:
        """The names at the left, with where their text stands."""
        return [(name, TOP + index * CELL + 12) for index, name in enumerate(MONTHS)]

    @property
    def days(self) -> list[tuple[int, int]]:
        """The numbers on top, with where their text stands."""
        return [(day, LEFT + (day - 1) * CELL + 7) for day in range(1, 32)]


@dataclass(frozen=True)
class TriedLine:
    """A date in the arithmetic: what it is, what counted of it, and the sum so far."""

    cell: DayCell
    counted: str
    running: str


@dataclass(frozen=True)
class Tried:
    """What would be due when, and why."""

    start: dt.datetime
    due: dt.datetime
    lines: tuple[TriedLine, ...]


def day_cell(schedule: Schedule, day: dt.date) -> DayCell:
    """Say what a date is to a schedule, and why."""
    stretches = schedule.hours_on(day)
    in_words = ", ".join(map(str, stretches))
    weekday = WEEKDAYS[day.weekday()]
    if day in schedule.special_days:
        return DayCell(day, DayKind.HALF if stretches else DayKind.CLOSED, f"{weekday}, {in_words or 'closed'}")
    if day in schedule.holidays:
        name = schedule.holidays.name_of(day) if isinstance(schedule.holidays, HolidayBook) else "Holiday"
        return DayCell(day, DayKind.HOLIDAY, name)
    return DayCell(day, DayKind.WORKING if stretches else DayKind.CLOSED, f"{weekday}, {in_words or 'closed'}")


def year_picture(calendar: Calendar, year: int) -> YearPicture:
    """Lay out a year; each date as the version in force on it has it."""
    days = (dt.date(year, 1, 1) + number * ONE_DAY for number in range(366))
    return YearPicture(year, tuple(day_cell(calendar.schedule_on(day), day) for day in days if day.year == year))


def try_out(calendar: Calendar, start: dt.datetime, amount: dt.timedelta) -> Tried:
    """Count `amount` from `start` and show the arithmetic; refused beyond what fits on a page."""
    if amount > LONGEST_TRY:
        raise CalendarError(f"Try up to {LONGEST_TRY / dt.timedelta(hours=1):,.0f} hours; more does not fit on a page.")
    answer = due(calendar, start, amount)
    zone = calendar.zone_at(answer.replace(tzinfo=None))
    lines = tuple(
        TriedLine(day_cell(calendar.schedule_on(line.day), line.day), in_hours(line.counted), in_hours(line.running))
        for line in account(calendar, start, answer)
    )
    return Tried(start.astimezone(zone), answer.astimezone(zone), lines)


def coming_closed_days(schedule: Schedule, start: dt.date) -> Iterator[DayCell]:
    """Yield the holidays and half days of the twelve months from `start` on."""
    for number in range(365):
        cell = day_cell(schedule, start + number * ONE_DAY)
        if cell.kind in (DayKind.HOLIDAY, DayKind.HALF):
            yield cell


def in_hours(amount: dt.timedelta) -> str:
    """Write working time as "8:30"."""
    minutes, seconds = divmod(round(amount.total_seconds()), 60)
    text = f"{minutes // 60}:{minutes % 60:02d}"
    return f"{text}:{seconds:02d}" if seconds else text
