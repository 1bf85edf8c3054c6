"""The year in a picture, and the arithmetic of a due time."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from apps.core.calendars.domain.definition import read_definition
from apps.core.calendars.domain.explaining import DayKind, coming_closed_days, in_hours, try_out, year_picture
from apps.core.calendars.domain.public_holidays import public_holidays_of_years
from apps.core.calendars.domain.schedule import CalendarError, Schedule

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
def schedule() -> Schedule:
    week = dict.fromkeys(("monday", "tuesday", "wednesday", "thursday", "friday"), "09:00-17:30")
    said = read_definition(
        zone="Europe/Berlin", weekly_hours=week, country="DE", half_days={"2026-12-24": "09:00-12:00"}
    )
    return said.schedule(said.book(public_holidays_of_years("DE", "", 2025, 2027), range(2025, 2028)))


def test_year_picture_counts_every_date_once(schedule: Schedule) -> None:
    picture = year_picture(schedule, 2026)
    assert len(picture.cells) == 365
    assert dict(picture.counts) == {DayKind.WORKING: 253, DayKind.HALF: 1, DayKind.HOLIDAY: 9, DayKind.CLOSED: 102}
    assert len(year_picture(schedule, 2028).cells) == 366


def test_year_picture_names_holidays_and_half_days(schedule: Schedule) -> None:
    named = {cell.day: cell.says for cell in year_picture(schedule, 2026).named}
    assert named[dt.date(2026, 12, 24)] == "Thursday, 09:00–12:00"
    assert named[dt.date(2026, 12, 25)] == "Christmas Day"


def test_try_out_shows_why_it_is_due_then(schedule: Schedule) -> None:
    tried = try_out(schedule, dt.datetime(2026, 12, 23, 16, 30, tzinfo=BERLIN), dt.timedelta(hours=5))
    assert tried.due == dt.datetime(2026, 12, 28, 10, 0, tzinfo=BERLIN)
    assert [(line.cell.day.day, line.cell.kind, line.counted, line.running) for line in tried.lines] == [
        (23, DayKind.WORKING, "1:00", "1:00"),
        (24, DayKind.HALF, "3:00", "4:00"),
        (25, DayKind.HOLIDAY, "0:00", "4:00"),
        (26, DayKind.HOLIDAY, "0:00", "4:00"),
        (27, DayKind.CLOSED, "0:00", "4:00"),
        (28, DayKind.WORKING, "1:00", "5:00"),
    ]


def test_try_out_refuses_more_than_a_page_holds(schedule: Schedule) -> None:
    with pytest.raises(CalendarError, match=r"^Try up to 2,000 hours; more does not fit on a page.$"):
        try_out(schedule, dt.datetime(2026, 12, 23, 16, 30, tzinfo=BERLIN), dt.timedelta(hours=2001))


def test_coming_closed_days_are_those_of_twelve_months(schedule: Schedule) -> None:
    coming = [cell.day for cell in coming_closed_days(schedule, dt.date(2026, 12, 1))]
    assert coming[:3] == [dt.date(2026, 12, 24), dt.date(2026, 12, 25), dt.date(2026, 12, 26)]
    assert coming[-1] == dt.date(2027, 10, 3)


def test_in_hours_writes_hours_and_minutes() -> None:
    assert [in_hours(dt.timedelta(seconds=each)) for each in (0, 5400, 5401)] == ["0:00", "1:30", "1:30:01"]
