"""The laws of business time, and a slow oracle that looks at the wall clock minute by minute."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import assume, given
from hypothesis import strategies as st

from apps.core.calendars.domain.business_time import (
    Calendar,
    CalendarError,
    Hours,
    Schedule,
    Timeline,
    Version,
    account,
    add_business_days,
    always_open,
    due,
    elapsed,
    is_business_day,
    is_open,
    next_open,
    previous_close,
)

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
TICK = timedelta(microseconds=1)
NOTHING = timedelta(0)

ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Pacific/Kiritimati", "UTC")
CLOCK_CHANGES = (  # UTC moments around which each zone's clocks go forward or back, and quiet days between
    datetime(2026, 3, 29, 1, tzinfo=UTC),
    datetime(2026, 10, 25, 1, tzinfo=UTC),
    datetime(2026, 3, 8, 7, tzinfo=UTC),
    datetime(2026, 11, 1, 6, tzinfo=UTC),
    datetime(2026, 4, 4, 15, tzinfo=UTC),
    datetime(2026, 10, 3, 15, 30, tzinfo=UTC),
    datetime(2026, 6, 17, 12, tzinfo=UTC),
    datetime(2026, 12, 24, 12, tzinfo=UTC),
)


@st.composite
def days(draw: st.DrawFn) -> tuple[Hours, ...]:
    """A day of up to three stretches, some touching, some reaching to midnight."""
    edges = sorted(draw(st.sets(st.integers(0, 96).map(lambda quarter: quarter * 15), max_size=6)))
    return tuple(Hours(*pair) for pair in zip(edges[::2], edges[1::2], strict=False))


@st.composite
def schedules(draw: st.DrawFn) -> Schedule:
    """A week with some holidays and half days close to the clock changes."""
    near = st.sampled_from(CLOCK_CHANGES).flatmap(
        lambda moment: st.integers(-4, 4).map(lambda distance: moment.date() + distance * DAY)
    )
    return Schedule(
        draw(st.sampled_from(ZONES)),
        tuple(draw(st.lists(days(), min_size=7, max_size=7))),
        frozenset(draw(st.sets(near, max_size=4))),
        draw(st.dictionaries(near, days(), max_size=3)),
    )


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    """A schedule on its own, or two or three following one another, not always in one zone."""
    drawn = draw(st.lists(schedules(), min_size=1, max_size=3))
    if len(drawn) == 1:
        return drawn[0]
    gaps = [draw(st.integers(2, 5)) for _ in drawn]
    first = draw(st.sampled_from(CLOCK_CHANGES)).date() - 3 * DAY
    return Timeline(tuple(Version(first + sum(gaps[:n]) * DAY, each) for n, each in enumerate(drawn)))


moments = st.builds(
    lambda around, seconds, zone: (around + timedelta(seconds=seconds)).astimezone(ZoneInfo(zone)),
    st.sampled_from(CLOCK_CHANGES),
    st.integers(-5 * 86400, 5 * 86400),
    st.sampled_from(ZONES),
)
amounts = st.builds(timedelta, minutes=st.integers(0, 60 * 60), microseconds=st.integers(0, 59_999_999))


def open_by_the_wall_clock(calendar: Calendar, moment: datetime) -> bool:
    """The definition, read literally and shared with nothing: which version, what does the wall clock say, is it in."""
    schedule = calendar if isinstance(calendar, Schedule) else in_force(calendar, moment)
    wall = moment.astimezone(ZoneInfo(schedule.zone))
    special = schedule.special_days.get(wall.date())
    closed = wall.date() in schedule.holidays
    stretches = special if special is not None else () if closed else schedule.weekly[wall.weekday()]
    reading = wall.hour * 60 + wall.minute
    return any(opens <= reading < closes for opens, closes in stretches)


def in_force(timeline: Timeline, moment: datetime) -> Schedule:
    chosen = timeline.versions[0].schedule
    for starts, schedule in timeline.versions:
        midnight = datetime(starts.year, starts.month, starts.day, tzinfo=ZoneInfo(schedule.zone))
        if moment.astimezone(UTC) >= midnight.astimezone(UTC):
            chosen = schedule
    return chosen


def count_minutes(calendar: Calendar, start: datetime, end: datetime) -> timedelta:
    """The slow oracle: every whole minute from start to end, asked one by one."""
    counted, moment = NOTHING, start
    while moment < end:
        counted += MINUTE if open_by_the_wall_clock(calendar, moment) else NOTHING
        moment += MINUTE
    return counted


@given(calendars(), st.sampled_from(CLOCK_CHANGES), st.integers(-4000, 4000), st.integers(0, 3000))
def test_elapsed_agrees_with_counting_minutes(calendar: Calendar, around: datetime, offset: int, length: int) -> None:
    start = around + offset * MINUTE
    end = start + length * MINUTE
    assert elapsed(calendar, start, end) == count_minutes(calendar, start, end)


@given(calendars(), st.lists(moments, min_size=3, max_size=3))
def test_elapsed_is_additive(calendar: Calendar, three: list[datetime]) -> None:
    a, b, c = sorted(three, key=lambda moment: moment.astimezone(UTC))
    assert elapsed(calendar, a, c) == elapsed(calendar, a, b) + elapsed(calendar, b, c)


@given(calendars(), st.lists(moments, min_size=3, max_size=3))
def test_elapsed_grows_with_the_span_and_never_faster_than_time(calendar: Calendar, three: list[datetime]) -> None:
    a, b, c = sorted(moment.astimezone(UTC) for moment in three)
    assert NOTHING <= elapsed(calendar, a, b) <= elapsed(calendar, a, c) <= c - a


@given(calendars(), moments, amounts)
def test_due_is_the_earliest_moment_with_that_much_elapsed(
    calendar: Calendar, start: datetime, amount: timedelta
) -> None:
    try:
        answer = due(calendar, start, amount)
    except CalendarError:
        assume(False)
    assert elapsed(calendar, start, answer) == amount
    assert answer.utcoffset() == NOTHING
    if amount:
        assert elapsed(calendar, start, answer - TICK) == amount - TICK
        assert open_by_the_wall_clock(calendar, answer - TICK)
    else:
        assert answer == start.astimezone(UTC)


@given(calendars(), moments, st.timedeltas(NOTHING, 30 * DAY))
def test_due_comes_back_from_what_elapsed_counted(calendar: Calendar, start: datetime, length: timedelta) -> None:
    end = start.astimezone(UTC) + length
    counted = elapsed(calendar, start, end)
    assert due(calendar, start, counted) <= end
    if counted and is_open(calendar, end - TICK):
        assert due(calendar, start, counted) == end


@given(moments, moments, st.sampled_from(ZONES))
def test_a_calendar_open_around_the_clock_counts_wall_time(a: datetime, b: datetime, zone: str) -> None:
    start, end = sorted((a.astimezone(UTC), b.astimezone(UTC)))
    assert elapsed(always_open(zone), start, end) == end - start
    assert due(always_open(zone), start, end - start) == end


@given(calendars(), moments)
def test_openings_and_closings_are_where_the_wall_clock_has_them(calendar: Calendar, at: datetime) -> None:
    assert is_open(calendar, at) == open_by_the_wall_clock(calendar, at)
    try:
        opening, closing = next_open(calendar, at), previous_close(calendar, at)
    except CalendarError:
        assume(False)
    assert open_by_the_wall_clock(calendar, opening)
    assert closing <= at.astimezone(UTC) <= opening
    assert opening == at.astimezone(UTC) or not open_by_the_wall_clock(calendar, opening - TICK)
    assert open_by_the_wall_clock(calendar, closing - TICK)
    assert not open_by_the_wall_clock(calendar, closing)
    assert elapsed(calendar, at, opening) == NOTHING


@given(calendars(), moments, st.timedeltas(NOTHING, 12 * DAY))
def test_account_adds_up_to_elapsed_day_by_day(calendar: Calendar, start: datetime, length: timedelta) -> None:
    end = start.astimezone(UTC) + length
    lines = list(account(calendar, start, end))
    assert sum((line.counted for line in lines), NOTHING) == lines[-1].running == elapsed(calendar, start, end)
    assert [line.day for line in lines] == [lines[0].day + n * DAY for n in range(len(lines))]


@given(calendars(), st.dates(date(2026, 1, 1), date(2026, 12, 31)), st.integers(1, 30))
def test_business_days_are_counted_one_by_one(calendar: Calendar, day: date, count: int) -> None:
    assume(any(is_business_day(calendar, day + n * DAY) for n in range(7)))
    try:
        later, earlier = add_business_days(calendar, day, count), add_business_days(calendar, day, -count)
    except CalendarError:
        assume(False)
    between = [day + n * DAY for n in range(1, (later - day).days + 1)]
    before = [earlier + n * DAY for n in range((day - earlier).days)]
    assert [is_business_day(calendar, each) for each in between].count(True) == count
    assert [is_business_day(calendar, each) for each in before].count(True) == count
    assert is_business_day(calendar, later)
    assert is_business_day(calendar, earlier)
