"""Quiet hours."""

import datetime as dt
import zoneinfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.notifications.domain.quiet import after_quiet_hours, zone_of

BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")


def at(text):
    return dt.datetime.fromisoformat(text).replace(tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("moment", "quiet_from", "quiet_until", "expected"),
    [
        ("2026-03-02 19:59", 20, 7, "2026-03-02 19:59"),
        ("2026-03-02 20:00", 20, 7, "2026-03-03 07:00"),
        ("2026-03-03 06:59", 20, 7, "2026-03-03 07:00"),
        ("2026-03-03 07:00", 20, 7, "2026-03-03 07:00"),
        ("2026-03-03 12:30", 12, 14, "2026-03-03 14:00"),
        ("2026-03-03 14:00", 12, 14, "2026-03-03 14:00"),
        ("2026-03-29 01:30", 1, 7, "2026-03-29 07:00"),  # the night that loses an hour
        ("2026-10-24 23:00", 22, 7, "2026-10-25 07:00"),  # the night that gains one
    ],
)
def test_mail_waits_for_the_end_of_quiet_hours(moment, quiet_from, quiet_until, expected):
    assert after_quiet_hours(at(moment), BERLIN, dt.time(quiet_from), dt.time(quiet_until)) == at(expected)


def test_without_quiet_hours_mail_goes_at_once():
    assert after_quiet_hours(at("2026-03-02 03:00"), BERLIN, None, None) == at("2026-03-02 03:00")


@given(
    st.datetimes(dt.datetime(2026, 1, 1), dt.datetime(2027, 1, 1)),
    st.times(),
    st.times(),
    st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"]),
)
def test_mail_waits_at_most_a_day_and_never_goes_back(moment, quiet_from, quiet_until, name):
    moment = moment.replace(tzinfo=dt.UTC)
    found = after_quiet_hours(moment, zoneinfo.ZoneInfo(name), quiet_from, quiet_until)
    assert dt.timedelta(0) <= found - moment <= dt.timedelta(hours=26)


def test_an_unknown_zone_is_the_default_one():
    assert [zone_of(name, BERLIN).key for name in ("", "No/Where", "../etc", "UTC")] == [*["Europe/Berlin"] * 3, "UTC"]
