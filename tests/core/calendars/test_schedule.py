"""Schedules and timelines that make no sense are refused in words."""

from __future__ import annotations

from datetime import date

import pytest

from apps.core.calendars.domain.business_time import (
    CalendarError,
    Hours,
    Schedule,
    Timeline,
    Version,
    hours,
)

OFFICE = (hours("09:00", "17:30"),)
WEEK = (OFFICE,) * 5 + ((), ())
BERLIN = Schedule("Europe/Berlin", WEEK)


def refusal(match: str) -> pytest.RaisesExc[CalendarError]:
    return pytest.raises(CalendarError, match=match)


@pytest.mark.parametrize(
    ("opens", "closes", "sentence"),
    [
        ("9", "17:00", '^"9" is not a time of day; write it like 09:00.$'),
        ("09:0", "17:00", '^"09:0" is not a time of day; write it like 09:00.$'),
        ("nine", "17:00", '^"nine" is not a time of day'),
        ("09:00", "24:01", '^"24:01" is not a time of day; the latest is 24:00.$'),
        ("09:60", "17:00", '^"09:60" is not a time of day'),
        ("09:00", "09:00", "no time at all"),
        ("22:00", "06:00", "For a night shift write 22:00 to 24:00 on that day and 00:00 to 06:00 on the next."),
    ],
)
def test_hours_that_make_no_sense_are_refused(opens: str, closes: str, sentence: str) -> None:
    with refusal(sentence):
        hours(opens, closes)


def test_a_schedule_that_makes_no_sense_is_refused() -> None:
    with refusal('^There is no time zone called "Europe/Atlantis"; write one like Europe/Berlin.$'):
        Schedule("Europe/Atlantis", WEEK)
    with refusal("^A week has seven days from Monday to Sunday; 5 were given.$"):
        Schedule("UTC", (OFFICE,) * 5)
    with refusal("^Tuesday: 09:00–17:30 and 12:00–13:00 overlap.$"):
        Schedule("UTC", (OFFICE, (*OFFICE, hours("12:00", "13:00")), *(OFFICE,) * 5))
    with refusal("^2026-12-24: 25:00–26:00 does not lie within one day.$"):
        Schedule("UTC", WEEK, frozenset(), {date(2026, 12, 24): (Hours(1500, 1560),)})


def test_versions_out_of_order_are_refused() -> None:
    with refusal("without a version"):
        Timeline(())
    with refusal("^The version from 2026-01-01 must take effect after the one from 2026-01-01.$"):
        Timeline((Version(date(2026, 1, 1), BERLIN), Version(date(2026, 1, 1), BERLIN)))
