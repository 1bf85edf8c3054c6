"""The laws of clocks, and a slow oracle that looks at every minute of every segment."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from hypothesis import assume, given
from hypothesis import strategies as st

from apps.core.calendars.domain.business_time import Calendar, CalendarError, Hours, Schedule, Timeline, Version
from apps.core.clocks.domain.arithmetic import due_at, elapsed, paused
from tests.core.calendars.test_business_time import (
    CLOCK_CHANGES,
    ZONES,
    calendars,
    moments,
    open_by_the_wall_clock,
)

MINUTE, NOTHING, DAY = timedelta(minutes=1), timedelta(0), timedelta(days=1)
TICK = timedelta(microseconds=1)


@dataclass(frozen=True)
class Piece:
    started: datetime
    ended: datetime | None
    running: bool
    reason: str = ""


@st.composite
def chains(draw: st.DrawFn, last_open: bool = True) -> list[Piece]:
    """Up to five segments one after the other, running and paused in turn."""
    edges = sorted({each.astimezone(UTC) for each in draw(st.lists(moments, min_size=2, max_size=6))})
    assume(len(edges) > 1)
    first = draw(st.booleans())
    pieces = [Piece(start, end, running=(n % 2 == 0) == first) for n, (start, end) in enumerate(pairwise(edges))]
    return [*pieces, Piece(edges[-1], None, running=True)] if last_open else pieces


targets = st.builds(timedelta, minutes=st.integers(1, 60 * 40))


def count(segments: list[Piece], schedule: Calendar, at: datetime) -> timedelta:
    """The oracle: every minute of every running segment, asked one by one whether the wall clock stands in the hours.

    Shares no arithmetic with the product; segments begin and end on whole minutes.
    """
    counted = NOTHING
    for segment in segments:
        moment, over = segment.started, min(segment.ended or at, at)
        while segment.running and moment < over:
            counted += MINUTE if open_by_the_wall_clock(schedule, moment) else NOTHING
            moment += MINUTE
    return counted


@given(calendars(), chains(), st.lists(moments, min_size=2, max_size=2))
def test_elapsed_never_runs_backwards_nor_faster_than_time(
    calendar: Calendar, chain: list[Piece], two: list[datetime]
) -> None:
    early, late = sorted(each.astimezone(UTC) for each in two)
    grown = elapsed(chain, calendar, at=late) - elapsed(chain, calendar, at=early)
    assert NOTHING <= grown <= late - early


@given(calendars(), chains(), moments)
def test_elapsed_is_additive_over_segments(calendar: Calendar, chain: list[Piece], at: datetime) -> None:
    assert elapsed(chain, calendar, at=at) == sum((elapsed([each], calendar, at=at) for each in chain), NOTHING)


@given(calendars(), chains(), moments, st.integers(1, 10_000))
def test_cutting_a_segment_in_two_changes_nothing(
    calendar: Calendar, chain: list[Piece], at: datetime, seconds: int
) -> None:
    last = chain[-1]
    cut = last.started + timedelta(seconds=seconds)
    halves = [*chain[:-1], Piece(last.started, cut, running=True), Piece(cut, None, running=True)]
    assert elapsed(halves, calendar, at=at) == elapsed(chain, calendar, at=at)


@given(calendars(), chains(), targets, st.timedeltas(NOTHING, timedelta(hours=9)))
def test_due_is_when_the_target_has_elapsed(
    calendar: Calendar, chain: list[Piece], target: timedelta, carried: timedelta
) -> None:
    try:
        due = due_at(chain, calendar, target, carried=carried)
    except CalendarError:
        assume(False)
    assert due is not None
    counted = elapsed(chain, calendar, at=due, carried=carried)
    assert counted == max(target, carried)
    if due > chain[0].started:
        assert elapsed(chain, calendar, at=due - TICK, carried=carried) == target - TICK


@given(calendars(), chains(last_open=False), targets)
def test_due_of_a_clock_that_stands_still_is_known_only_once_reached(
    calendar: Calendar, chain: list[Piece], target: timedelta
) -> None:
    due = due_at(chain, calendar, target)
    reached = elapsed(chain, calendar, at=datetime(2100, 1, 1, tzinfo=UTC)) >= target
    assert (due is not None) == reached


@given(calendars(), chains(), moments)
def test_running_and_paused_time_make_up_all_working_time(calendar: Calendar, chain: list[Piece], at: datetime) -> None:
    assume(at > chain[0].started)
    whole = [Piece(chain[0].started, None, running=True)]
    assert elapsed(chain, calendar, at=at) + paused(chain, calendar, at=at) == elapsed(whole, calendar, at=at)


def test_elapsed_and_due_agree_with_the_oracle(proof: bool) -> None:
    """Random chains over random calendars near clock changes, half days and year ends, in every zone."""
    chance = random.Random(20261122)
    for number in range(10_000 if proof else 400):
        schedule, chain, at = _case(chance)
        counted = count(chain, schedule, at)
        assert elapsed(chain, schedule, at=at) == counted, number
        if counted:
            due = due_at(chain, schedule, counted)
            assert due is not None, number
            assert due <= at, number
            assert count(chain, schedule, due) == counted, number
            assert count(chain, schedule, due - MINUTE) == counted - MINUTE, number


YEAR_ENDS = (datetime(2026, 12, 31, 20, tzinfo=UTC), datetime(2027, 1, 1, 2, tzinfo=UTC))


def _case(chance: random.Random) -> tuple[Calendar, list[Piece], datetime]:
    around = chance.choice((*CLOCK_CHANGES, *YEAR_ENDS))
    schedule: Calendar = _schedule(chance, around.date())
    if chance.random() < 0.3:
        later = around.date() + chance.randint(-1, 2) * DAY
        schedule = Timeline((Version(date(2020, 1, 1), schedule), Version(later, _schedule(chance, around.date()))))
    moment = around + chance.randint(-2000, 500) * MINUTE
    chain = []
    for n in range(chance.randint(1, 5)):
        over = moment + chance.randint(0, 700) * MINUTE
        chain.append(Piece(moment, over, running=n % 2 == 0))
        moment = over
    chain.append(Piece(moment, None, running=len(chain) % 2 == 0))
    return schedule, chain, moment + chance.randint(0, 900) * MINUTE


def _schedule(chance: random.Random, near: date) -> Schedule:
    def day() -> tuple[Hours, ...]:
        edges = sorted(chance.sample(range(0, 1441, 5), k=chance.choice((0, 2, 2, 4))))
        return tuple(Hours(*pair) for pair in zip(edges[::2], edges[1::2], strict=True))

    return Schedule(
        chance.choice(ZONES),
        tuple(day() for _ in range(7)),
        frozenset(near + chance.randint(-3, 3) * DAY for _ in range(chance.randint(0, 2))),
        {near + chance.randint(-3, 3) * DAY: day() for _ in range(chance.randint(0, 2))},
    )
