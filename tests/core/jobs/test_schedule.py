"""When schedules are due: by the wall clock, once, also when the clocks change."""

import datetime as dt
import zoneinfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.jobs.schedule import Schedule, latest_due, next_due

BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")
NIGHTLY = Schedule("test.job", cron="30 2 * * *", zone="Europe/Berlin")
QUARTERS = Schedule("test.job", cron="*/15 * * * *", zone="Europe/Berlin")
FIVE = Schedule("test.job", every=dt.timedelta(minutes=5))


def utc(*parts):
    return dt.datetime(*parts, tzinfo=dt.UTC)


def fired(schedule, start, end, step=dt.timedelta(minutes=1)):
    """The moments at which somebody who looks every minute sees something new."""
    seen, last, now = [], latest_due(schedule, start), start
    while now <= end:
        if (due := latest_due(schedule, now)) > last:
            seen.append(due)
            last = due
        now += step
    return seen


def test_intervals_are_counted_from_1970_on_every_machine():
    assert latest_due(FIVE, utc(2026, 11, 22, 10, 7, 31)) == utc(2026, 11, 22, 10, 5)
    assert next_due(FIVE, utc(2026, 11, 22, 10, 5)) == utc(2026, 11, 22, 10, 10)


def test_cron_is_due_at_its_very_moment():
    moment = dt.datetime(2026, 7, 1, 2, 30, tzinfo=BERLIN)
    assert latest_due(NIGHTLY, moment) == moment
    assert latest_due(NIGHTLY, moment - dt.timedelta(seconds=1)) == moment - dt.timedelta(days=1)


def test_time_left_out_in_spring_comes_as_much_later_once():
    # 29 March 2026: 02:00 becomes 03:00, so 02:30 is shown by no clock
    got = fired(NIGHTLY, utc(2026, 3, 28, 12), utc(2026, 3, 29, 12))
    assert got == [utc(2026, 3, 29, 1, 30)]
    assert got[0].astimezone(BERLIN).strftime("%H:%M") == "03:30"


def test_time_shown_twice_in_autumn_comes_once():
    # 25 October 2026: 03:00 becomes 02:00
    assert fired(NIGHTLY, utc(2026, 10, 24, 12), utc(2026, 10, 25, 12)) == [utc(2026, 10, 25, 0, 30)]


@pytest.mark.parametrize("day", [(2026, 3, 29), (2026, 10, 25)])
def test_every_quarter_hour_goes_on_through_the_change(day):
    start = utc(*day) - dt.timedelta(minutes=1)
    got = fired(QUARTERS, start, start + dt.timedelta(hours=5))
    assert got == [utc(*day) + n * dt.timedelta(minutes=15) for n in range(20)]


@given(
    st.datetimes(dt.datetime(2026, 1, 1), dt.datetime(2027, 12, 31)),
    st.integers(0, 59),
    st.integers(0, 23),
    st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "UTC"]),
)
def test_daily_schedule_is_due_once_a_day_whatever_the_clocks_do(moment, minute, hour, zone):
    schedule = Schedule("test.job", cron=f"{minute} {hour} * * *", zone=zone)
    now = moment.replace(tzinfo=dt.UTC)
    last, following = latest_due(schedule, now), next_due(schedule, now)
    assert last <= now < following
    assert dt.timedelta(hours=22) <= following - last <= dt.timedelta(hours=26)
    assert latest_due(schedule, following) == following


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({}, "give either `every` or `cron`"),
        ({"every": dt.timedelta(hours=1), "cron": "* * * * *"}, "give either `every` or `cron`"),
        ({"every": dt.timedelta(seconds=1)}, "schedules look at the clock every second"),
        ({"cron": "* * * *"}, "is no cron text of five fields"),
        ({"cron": "61 * * * *"}, "is no cron text of five fields"),
        ({"cron": "0 0 30 2 *"}, "never comes"),
    ],
)
def test_unreadable_schedule_is_refused(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        Schedule("test.job", **arguments)


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        (FIVE, "Every 5 minutes"),
        (Schedule("a.b", every=dt.timedelta(hours=1)), "Every hour"),
        (Schedule("a.b", every=dt.timedelta(seconds=90)), "Every 90 seconds"),
        (NIGHTLY, "Every day at 02:30 (Europe/Berlin)"),
        (Schedule("a.b", cron="0 9 * * 1"), "Every Monday at 09:00 (UTC)"),
        (Schedule("a.b", cron="0 9 * * 1-5"), "Monday to Friday at 09:00 (UTC)"),
        (Schedule("a.b", cron="0 9 1 * *"), "On day 1 of every month at 09:00 (UTC)"),
        (QUARTERS, "*/15 * * * * (Europe/Berlin)"),
    ],
)
def test_schedule_is_told_in_words(schedule, words):
    assert schedule.words == words
