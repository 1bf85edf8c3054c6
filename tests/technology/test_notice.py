"""The last day to cancel and the ladder before it, against a table worked by hand."""

import datetime as dt
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.calendars.domain.business_time import Schedule, hours
from apps.technology.domain.notice import ladder, last_day_to_cancel, months_before, notice_day

D = dt.date
# Monday to Friday, with the holidays of the table
HOLIDAYS = {D(2026, 5, 1), D(2026, 12, 25), D(2026, 10, 2), D(2028, 2, 29), D(2026, 4, 3), D(2026, 4, 6)}


@dataclass
class Term:
    ends_on: dt.date
    notice_length: int
    notice_unit: str = "days"


@pytest.fixture
def office():
    nine_to_five = (hours("09:00", "17:00"),)
    return Schedule("Europe/Berlin", (*[nine_to_five] * 5, (), ()), holidays=HOLIDAYS)


# ends on, notice, counted in → the day by the wording → the last business day on or before it
TABLE = [
    (D(2026, 12, 31), 90, "days", D(2026, 10, 2), D(2026, 10, 1)),  # Friday, a holiday here → Thursday
    (D(2026, 12, 31), 30, "days", D(2026, 12, 1), D(2026, 12, 1)),  # Tuesday
    (D(2026, 12, 31), 3, "months", D(2026, 9, 30), D(2026, 9, 30)),  # no 31 September; a Wednesday
    (D(2026, 5, 31), 3, "months", D(2026, 2, 28), D(2026, 2, 27)),  # no 31 February; Saturday → Friday
    (D(2028, 5, 31), 3, "months", D(2028, 2, 29), D(2028, 2, 28)),  # leap year, and a holiday on the 29th → Monday
    (D(2028, 2, 29), 12, "months", D(2027, 2, 28), D(2027, 2, 26)),  # no 29 February 2027; Sunday → Friday
    (D(2028, 2, 29), 365, "days", D(2027, 3, 1), D(2027, 3, 1)),  # Monday
    (D(2028, 3, 1), 1, "days", D(2028, 2, 29), D(2028, 2, 28)),
    (D(2026, 5, 31), 30, "days", D(2026, 5, 1), D(2026, 4, 30)),  # 1 May is a holiday → Thursday
    (D(2026, 5, 6), 30, "days", D(2026, 4, 6), D(2026, 4, 2)),  # Easter Monday → over Good Friday to Thursday
    (D(2026, 12, 27), 0, "days", D(2026, 12, 27), D(2026, 12, 24)),  # Sunday, Saturday, a holiday → Thursday
    (D(2027, 1, 31), 1, "months", D(2026, 12, 31), D(2026, 12, 31)),  # over the turn of the year
]


@pytest.mark.parametrize(("ends", "length", "unit", "by_wording", "last"), TABLE)
def test_last_day_to_cancel(office, ends, length, unit, by_wording, last):
    term = Term(ends, length, unit)
    assert (notice_day(term), last_day_to_cancel(term, office)) == (by_wording, last)


def test_the_ladder_stands_on_business_days(office):
    term = Term(D(2026, 12, 31), 90)  # the last day to cancel is Thursday 1 October
    assert [(rung.days_before, rung.on) for rung in ladder(term, office)] == [
        (180, D(2026, 4, 2)),  # 4 April is a Saturday, 3 April a holiday
        (90, D(2026, 7, 3)),  # Friday
        (60, D(2026, 7, 31)),  # 2 August is a Sunday
        (30, D(2026, 9, 1)),  # Tuesday
    ]


@given(st.dates(D(2000, 1, 31), D(2090, 1, 1)), st.integers(0, 60))
def test_months_before_keeps_the_day_or_the_end_of_the_month(day, number):
    before = months_before(day, number)
    assert (day.year * 12 + day.month) - (before.year * 12 + before.month) == number
    assert before.day == day.day or (before.day < day.day and (before + dt.timedelta(days=1)).day == 1)
