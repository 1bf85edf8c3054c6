"""Business time a reader can check by hand, and every question it refuses."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from apps.core.calendars.domain.business_time import (
    CalendarError,
    Schedule,
    Timeline,
    Version,
    account,
    add_business_days,
    always_open,
    due,
    elapsed,
    first_business_day_on_or_after,
    hours,
    is_business_day,
    is_open,
    last_business_day_on_or_before,
    next_open,
    previous_close,
)

OFFICE = (hours("09:00", "17:30"),)
SPLIT = (hours("09:00", "12:00"), hours("13:00", "17:00"))
WEEK = (OFFICE,) * 5 + ((), ())
BERLIN = Schedule("Europe/Berlin", WEEK)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
TICK = timedelta(microseconds=1)
NOTHING = timedelta(0)


def at(text: str, zone: str = "Europe/Berlin") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("2026-06-15 09:00", "2026-06-15 17:30", 8.5),
        ("2026-06-15 00:00", "2026-06-16 00:00", 8.5),
        ("2026-06-19 16:30", "2026-06-22 10:00", 2.0),  # over a weekend
        ("2026-06-20 10:00", "2026-06-21 18:00", 0.0),  # within one
        ("2026-06-15 12:00", "2026-06-15 12:00", 0.0),
        ("2026-01-01 00:00", "2027-01-01 00:00", 261 * 8.5),
    ],
)
def test_elapsed_in_an_office_week(start: str, end: str, expected: float) -> None:
    assert elapsed(BERLIN, at(start), at(end)) == expected * HOUR


@pytest.mark.parametrize(
    ("zone", "night", "expected"),
    [
        ("Europe/Berlin", "2026-03-29", 3),
        ("Europe/Berlin", "2026-10-25", 5),
        ("America/New_York", "2026-03-08", 3),
        ("America/New_York", "2026-11-01", 5),
        ("Australia/Lord_Howe", "2026-10-04", 3.5),
        ("Australia/Lord_Howe", "2026-04-05", 4.5),
        ("Asia/Kolkata", "2026-03-29", 4),
    ],
)
def test_a_night_shift_is_as_long_as_the_night_really_was(zone: str, night: str, expected: float) -> None:
    shift = Schedule(zone, ((hours("00:00", "04:00"),),) * 7)
    assert elapsed(shift, at(f"{night} 00:00", zone), at(f"{night} 12:00", zone)) == expected * HOUR


def test_hours_inside_the_skipped_hour_do_not_exist_and_inside_the_repeated_hour_count_twice() -> None:
    shift = Schedule("Europe/Berlin", ((hours("02:00", "02:30"),),) * 7)
    assert elapsed(shift, at("2026-03-29 00:00"), at("2026-03-30 00:00")) == NOTHING
    assert elapsed(shift, at("2026-10-25 00:00"), at("2026-10-26 00:00")) == HOUR
    second = at("2026-10-25 02:15").replace(fold=1)
    assert is_open(shift, second)
    assert elapsed(shift, at("2026-10-25 02:15"), second) == HOUR / 2


def test_due_at_the_end_of_the_day_is_closing_time() -> None:
    assert due(BERLIN, at("2026-06-19 09:00"), 8.5 * HOUR) == at("2026-06-19 17:30")
    assert due(BERLIN, at("2026-06-19 09:00"), 8.5 * HOUR + TICK) == at("2026-06-22 09:00") + TICK
    assert due(BERLIN, at("2026-06-20 12:00"), HOUR) == at("2026-06-22 10:00")
    assert due(BERLIN, at("2026-06-20 12:00"), NOTHING) == at("2026-06-20 12:00")


def test_half_days_and_holidays_count_what_they_are() -> None:
    half = {date(2026, 12, 24): (hours("09:00", "12:00"),)}
    winter = Schedule("Europe/Berlin", WEEK, frozenset({date(2026, 12, 25), date(2027, 1, 1)}), half)
    assert elapsed(winter, at("2026-12-23 12:00"), at("2026-12-28 10:00")) == (5.5 + 3 + 0 + 1) * HOUR
    assert due(winter, at("2026-12-24 09:00"), 4 * HOUR) == at("2026-12-28 10:00")
    assert is_business_day(winter, date(2026, 12, 24))
    assert not is_business_day(winter, date(2026, 12, 25))


def test_a_change_of_version_counts_each_for_its_own_dates() -> None:
    short = Schedule("Europe/Berlin", ((hours("10:00", "14:00"),),) * 5 + ((), ()))
    both = Timeline((Version(date(2026, 1, 1), BERLIN), Version(date(2026, 6, 17), short)))
    assert elapsed(both, at("2026-06-15 00:00"), at("2026-06-20 00:00")) == (2 * 8.5 + 3 * 4) * HOUR
    assert due(both, at("2026-06-16 09:00"), 9.5 * HOUR) == at("2026-06-17 11:00")
    assert elapsed(both, at("2025-06-16 00:00"), at("2025-06-17 00:00")) == 8.5 * HOUR


def test_a_move_to_another_zone_keeps_every_moment_counted_once() -> None:
    moved = Timeline(
        (Version(date(2026, 1, 1), always_open("Asia/Tokyo")), Version(date(2026, 6, 17), always_open("Asia/Kolkata")))
    )
    start, end = at("2026-06-10 00:00", "UTC"), at("2026-06-24 00:00", "UTC")
    assert elapsed(moved, start, end) == 14 * DAY


def test_account_shows_the_arithmetic_of_a_weekend() -> None:
    lines = list(account(BERLIN, at("2026-06-19 16:30"), at("2026-06-22 10:00")))
    assert [(line.day.day, line.counted / HOUR, line.running / HOUR) for line in lines] == [
        (19, 1.0, 1.0),
        (20, 0.0, 1.0),
        (21, 0.0, 1.0),
        (22, 1.0, 2.0),
    ]


def test_account_follows_the_wall_clock_over_midnight() -> None:
    lines = list(account(always_open("America/New_York"), at("2026-06-15 00:00", "UTC"), at("2026-06-16 00:00", "UTC")))
    assert [(line.day.day, line.counted / HOUR) for line in lines] == [(14, 4.0), (15, 20.0)]


def test_business_days_step_over_weekends_both_ways() -> None:
    friday, saturday, monday = date(2026, 6, 19), date(2026, 6, 20), date(2026, 6, 22)
    assert add_business_days(BERLIN, friday, 1) == monday
    assert add_business_days(BERLIN, monday, -1) == friday
    assert add_business_days(BERLIN, saturday, 0) == saturday
    assert last_business_day_on_or_before(BERLIN, saturday) == friday
    assert last_business_day_on_or_before(BERLIN, friday) == friday
    assert first_business_day_on_or_after(BERLIN, saturday) == monday


def test_openings_and_closings_of_a_split_day() -> None:
    split = Schedule("Europe/Berlin", (SPLIT,) * 5 + ((), ()))
    assert next_open(split, at("2026-06-15 12:30")) == at("2026-06-15 13:00")
    assert next_open(split, at("2026-06-15 14:00")) == at("2026-06-15 14:00")
    assert previous_close(split, at("2026-06-15 14:00")) == at("2026-06-15 12:00")
    assert previous_close(split, at("2026-06-15 08:00")) == at("2026-06-12 17:00")


def test_touching_hours_are_one_stretch_without_a_closing_between() -> None:
    touching = Schedule("UTC", ((hours("08:00", "12:00"), hours("12:00", "16:00")),) * 7)
    assert previous_close(touching, at("2026-06-15 13:00", "UTC")) == at("2026-06-14 16:00", "UTC")


def refusal(match: str) -> pytest.RaisesExc[CalendarError]:
    return pytest.raises(CalendarError, match=match)


def test_elapsed_refuses_to_count_backwards() -> None:
    with refusal("^Time cannot be counted backwards, from 2026-06-16 09:00 to 2026-06-15 09:00.$"):
        elapsed(BERLIN, at("2026-06-16 09:00"), at("2026-06-15 09:00"))


def test_elapsed_sees_the_repeated_hour_as_later() -> None:
    first = at("2026-10-25 02:30")
    assert elapsed(always_open(), first, first.replace(fold=1)) == HOUR
    with refusal("backwards"):
        elapsed(always_open(), first.replace(fold=1), first)


def test_a_moment_without_a_zone_is_refused() -> None:
    with refusal("^2026-06-15 09:00 says no time zone, so it is not one moment.$"):
        is_open(BERLIN, datetime(2026, 6, 15, 9))


def test_a_moment_out_of_reach_is_refused() -> None:
    with refusal("^Calendars reach from 1900 to 2200; 9999 lies outside.$"):
        is_open(BERLIN, datetime.max.replace(tzinfo=UTC))


def test_due_refuses_a_negative_amount() -> None:
    with refusal("zero or more"):
        due(BERLIN, at("2026-06-15 09:00"), -MINUTE)


def test_a_calendar_that_never_opens_is_refused_and_not_searched_forever() -> None:
    never = Schedule("UTC", ((),) * 7)
    now = at("2026-06-15 09:00", "UTC")
    with refusal("^This calendar has no working time in the next 20 years, so nothing falls due in it.$"):
        due(never, now, MINUTE)
    with refusal("never opens in the 20 years after 2026-06-15 09:00"):
        next_open(never, now)
    with refusal("no business day within 20 years"):
        last_business_day_on_or_before(never, now.date())
    assert elapsed(never, now, now + 30 * DAY) == NOTHING


def test_a_calendar_that_never_closes_has_no_previous_close() -> None:
    with refusal("never closes in the 20 years before"):
        previous_close(always_open(), at("2026-06-15 09:00"))


def test_due_too_far_away_is_refused_with_the_figures() -> None:
    few = Schedule("UTC", ((hours("09:00", "10:00"),),) + ((),) * 6)
    with refusal(r"^2,000 hours of working time lie further away than 20 years; this calendar has 1,045 hours until"):
        due(few, at("2026-06-16 09:00", "UTC"), 2000 * HOUR)


def test_business_days_too_far_away_are_refused() -> None:
    with refusal("^100000 business days reach further than 20 years.$"):
        add_business_days(BERLIN, date(2026, 6, 15), 100_000)
