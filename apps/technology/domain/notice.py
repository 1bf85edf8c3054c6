"""When notice must be given and when to remind of it: dates alone, on a business calendar."""

import calendar as months
import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from apps.core.calendars.domain.business_time import Calendar, last_business_day_on_or_before
from apps.core.calendars.domain.queries import default_calendar, schedule_for
from apps.technology.domain.rates import policy
from apps.technology.enums import NoticeUnit

LADDER = (180, 90, 60, 30)


class Term(Protocol):
    """What counts of a contract."""

    ends_on: dt.date
    notice_length: int
    notice_unit: str


@dataclass(frozen=True)
class Rung:
    """One reminder: how many days before the last day to cancel, and on which business day it comes."""

    days_before: int
    on: dt.date


def months_before(day: dt.date, number: int) -> dt.date:
    """Return the same day `number` months earlier; where that month has no such day, its last one."""
    year, month = divmod(day.year * 12 + day.month - 1 - number, 12)
    return dt.date(year, month + 1, min(day.day, months.monthrange(year, month + 1)[1]))


def notice_day(term: Term) -> dt.date:
    """Return the day on which notice must have arrived by the wording of the contract, business day or not."""
    if term.notice_unit == NoticeUnit.MONTHS:
        return months_before(term.ends_on, term.notice_length)
    return term.ends_on - dt.timedelta(days=term.notice_length)


def last_day_to_cancel(term: Term, calendar: Calendar) -> dt.date:
    """Return the last business day on which the contract can be cancelled."""
    return last_business_day_on_or_before(calendar, notice_day(term))


def ladder(term: Term, calendar: Calendar) -> list[Rung]:
    """Return the reminders before the last day to cancel, the earliest first, each on a business day, never later."""
    last = last_day_to_cancel(term, calendar)
    days = ((step, last - dt.timedelta(days=step)) for step in LADDER)
    return [Rung(step, last_business_day_on_or_before(calendar, day)) for step, day in days]


def rungs_between(term: Term, calendar: Calendar, start: dt.date, end: dt.date) -> list[Rung]:
    """Return the reminders that fall between two days, both included."""
    return [rung for rung in ladder(term, calendar) if start <= rung.on <= end]


def most_urgent(rungs: Iterable[Rung]) -> Rung | None:
    """Return the reminder nearest to the last day."""
    return min(rungs, key=lambda rung: rung.days_before, default=None)


def counting_calendar() -> Calendar:
    """Return the business calendar of the stack policy, else the default one."""
    return schedule_for(policy().calendar or default_calendar())
