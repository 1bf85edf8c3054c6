"""What can be done with a clock, and what is refused in which words."""

import datetime as dt

import pytest
from django.db import DatabaseError, transaction

from apps.core.calendars.domain.publishing import publish_version
from apps.core.calendars.domain.schedule import CalendarError
from apps.core.clocks.domain.clocks import (
    cancel_clock,
    pause_clock,
    replace_clock,
    resume_clock,
    start_clock,
    stop_clock,
)
from apps.core.clocks.domain.explaining import explain
from apps.core.clocks.domain.queries import clock_of, clocks_of
from apps.core.clocks.models import Clock, ClockSegment, EscalationFire
from apps.core.clocks.registry import Rung, RungKind
from apps.core.errors import DomainError, InvalidInput, WrongState
from apps.core.jobs.testing import run_queued_jobs
from tests.core.clocks.conftest import METRIC
from tests.factories.calendars import OFFICE_WEEK, CalendarFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("metric")]
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def start(subject, berlin, keeper):
    def start(target=4 * HOUR, **more):
        return start_clock(subject, METRIC, **{"target": target, "calendar": berlin, "by": keeper, **more})

    return start


def refused(exception, does, *args, **kwargs):
    with pytest.raises(exception) as caught:
        does(*args, **kwargs)
    assert isinstance(caught.value, DomainError)
    return caught.value.message


def test_clock_counts_working_time_and_says_so(start, at, keeper):
    at("Mon 15:00")
    clock = start()
    assert clock.due_at == at("Tue 10:30")
    assert clock.next_fire_at == at("Mon 17:00")
    at("Mon 16:10")
    pause_clock(clock, reason="requester", by=keeper)
    at("Mon 17:10")
    resume_clock(clock, by=keeper)
    at("Tue 09:40")
    shown = clock_of(clock.subject, METRIC)
    assert explain(shown) == (
        "2 h 10 min of 4 h, paused 1 h waiting for requester, due Tue 11:30 (Berlin office, Europe/Berlin)"
    )
    at("Tue 11:30")
    stop_clock(clock, by=keeper)
    shown = clock_of(clock.subject, METRIC)
    assert (shown.state, shown.counted, shown.closed_by) == ("met", 4 * HOUR, keeper.get_username())
    assert explain(shown) == "4 h of 4 h, paused 1 h waiting for requester, met (Berlin office, Europe/Berlin)"


def test_clock_that_ends_a_moment_after_its_target_is_late(start, at, keeper):
    at("Mon 09:00")
    clock = start(HOUR)
    at("Mon 10:01")
    stop_clock(clock, by=keeper)
    shown = clock_of(clock.subject, METRIC)
    assert (shown.state, shown.due_at) == ("late", at("Mon 10:00"))
    assert explain(shown) == "1 h 1 min of 1 h, 1 min late (Berlin office, Europe/Berlin)"


def test_started_on_a_sunday_nothing_counts_until_monday(start, at):
    at("Sun 12:00")
    assert start().due_at == at("Mon 13:00", weeks=1)


def test_second_open_clock_of_one_metric_is_refused(start, at):
    at("Mon 09:00")
    start()
    assert refused(WrongState, start) == (
        "First response of Ticket 7 is being counted already; stop or replace that clock first."
    )


def test_pauses_are_refused_in_words(start, at, keeper):
    at("Mon 09:00")
    clock = start()
    assert refused(WrongState, pause_clock, clock, reason="lunch", by=keeper) == (
        "First response does not pause for that; it pauses for: waiting for requester, waiting for the vendor."
    )
    pause_clock(clock, reason="vendor", by=keeper)
    assert refused(WrongState, pause_clock, clock, reason="vendor", by=keeper) == "First response is paused already."
    resume_clock(clock, by=keeper)
    assert refused(WrongState, resume_clock, clock, by=keeper) == "First response is running already."
    cancel_clock(clock, by=keeper)
    assert refused(WrongState, pause_clock, clock, reason="vendor", by=keeper) == (
        "First response is closed (cancelled); it cannot be paused."
    )
    assert refused(WrongState, resume_clock, clock, by=keeper) == (
        "First response is closed (cancelled); it cannot run again."
    )
    assert refused(WrongState, stop_clock, clock, by=keeper) == "First response is closed already (cancelled)."


def test_pause_that_never_ends_runs_again_at_its_cap(start, at, keeper):
    at("Mon 09:00")
    clock = start()
    at("Mon 11:00")
    pause_clock(clock, reason="requester", by=keeper)
    shown = clock_of(clock.subject, METRIC)
    assert shown.due_at is None
    assert explain(shown) == (
        "2 h of 4 h, standing still since Mon 11:00, runs again by itself Tue 10:30 (Berlin office, Europe/Berlin)"
    )
    at("Tue 11:30")
    resume_clock(clock, by=keeper)
    again, paused, last = clock.segments.order_by("started", "id")
    assert (again.running, paused.running, paused.ended, last.started) == (
        True,
        False,
        at("Tue 10:30"),
        at("Tue 10:30"),
    )
    assert (last.note, last.actor_label) == (
        "Runs again: 8 h of waiting for requester are used up.",
        "system@mops.invalid",
    )
    assert clock_of(clock.subject, METRIC).due_at == at("Tue 12:30")
    assert refused(WrongState, pause_clock, clock, reason="requester", by=keeper) == (
        "First response has used up its 8 h of waiting for requester; it keeps running."
    )


def test_replaced_clock_carries_its_time_and_both_stay(start, at, keeper):
    at("Mon 09:00")
    old = start(8 * HOUR)
    at("Mon 12:00")
    new = replace_clock(old, target=4 * HOUR, by=keeper)
    first, second = clocks_of(old.subject)
    assert (first.state, first.counted, first.replaced_by) == ("replaced", 3 * HOUR, new)
    assert (second.carried, second.due_at) == (3 * HOUR, at("Mon 13:00"))
    assert [(fire.rung, fire.silent) for fire in second.fires.all()] == [(50, True)]
    at("Mon 12:00")
    third = replace_clock(new, target=2 * HOUR, carry=False, by=keeper)
    assert (third.carried, third.due_at) == (dt.timedelta(0), at("Mon 14:00"))
    at("Mon 12:30")
    assert explain(second, at=at("Mon 12:00")).startswith("3 h of 4 h, 3 h of it carried over, ")


def test_replaced_while_paused_the_new_one_stands_still(start, at, keeper):
    at("Mon 09:00")
    old = start()
    at("Mon 10:00")
    pause_clock(old, reason="vendor", by=keeper)
    at("Mon 11:00")
    new = replace_clock(old, target=HOUR * 6, by=keeper)
    assert (new.state, new.due_at, new.counted) == ("paused", None, HOUR)


def test_reopened_clock_goes_on_from_a_closed_one(start, at, keeper):
    at("Mon 09:00")
    first = start()
    assert refused(WrongState, start, carry_from=first) == (
        "First response still counts; replace it instead of going on from it."
    )
    at("Mon 10:00")
    first = stop_clock(first, by=keeper)
    at("Mon 12:00")
    assert start(carry_from=first).due_at == at("Mon 15:00")


def test_moments_that_make_no_sense_are_refused(start, at, keeper):
    at("Mon 12:00")
    future, past = at("Tue 12:00"), at("Mon 10:00")
    at("Mon 12:00")
    assert refused(InvalidInput, start, at=future) == (
        "2026-11-17 12:00 lies in the future; clocks record what has happened."
    )
    clock = start()
    assert refused(InvalidInput, stop_clock, clock, by=keeper, at=past) == (
        "2026-11-16 10:00 lies before 2026-11-16 11:00, since when First response has been running."
    )


def test_targets_that_make_no_sense_are_refused(start, at):
    at("Mon 12:00")
    assert refused(InvalidInput, start, 0) == "A target lies between one minute and 43,920 h."
    assert refused(InvalidInput, start, dt.timedelta(seconds=90)) == (
        "A target is given in whole minutes of working time."
    )


def test_calendar_without_working_time_is_refused(start, at, keeper):
    at("Mon 12:00")
    empty = CalendarFactory(name="Empty")
    assert refused(CalendarError, start, calendar=empty) == "Empty has no hours yet; publish its first version."
    never = CalendarFactory(name="Sundays of 2020")
    with transaction.atomic():
        publish_version(
            never,
            by=keeper,
            effective_from=dt.date(2020, 1, 1),
            zone="UTC",
            weekly_hours={"sunday": "09:00-10:00"},
            extra_holidays={
                str(day): "Closed" for day in (dt.date(2020, 1, 5) + dt.timedelta(weeks=n) for n in range(52 * 40))
            },
        )
    assert refused(CalendarError, start, calendar=never) == (
        "This calendar has no working time in the next 20 years, so nothing falls due in it."
    )
    assert not Clock.objects.exists()


def test_new_calendar_version_moves_open_clocks_and_leaves_closed_ones(start, berlin, at, keeper):
    at("Mon 09:00")
    closed = start(2 * HOUR)
    at("Mon 10:00")
    closed = stop_clock(closed, by=keeper)
    before = explain(clock_of(closed.subject, METRIC))
    at("Mon 16:30")
    still = start(4 * HOUR)
    assert still.due_at == at("Tue 12:00")
    at("Mon 16:40")
    publish_version(
        berlin,
        by=keeper,
        effective_from=dt.date(2026, 11, 17),
        zone="Europe/Berlin",
        weekly_hours=dict.fromkeys(OFFICE_WEEK, "12:00-20:00"),
    )
    run_queued_jobs()
    still.refresh_from_db()
    assert (still.due_at, still.calendar_version.number) == (at("Tue 15:00"), 2)
    closed = Clock.objects.get(pk=closed.pk)
    assert (closed.calendar_version.number, explain(closed)) == (1, before)


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        ("UPDATE clocks_clock SET state = 'met'", "A clock is moved by what happens to its record, not by an edit."),
        ("UPDATE clocks_clock SET due_at = now()", "A clock is moved by what happens to its record, not by an edit."),
        ("UPDATE clocks_clock SET target = 9", "What a clock measures stays as it was; replace it by another one."),
        (
            "UPDATE clocks_clocksegment SET started = now()",
            "Segments of a clock are evidence: an open one ends once, and nothing else of it ever changes.",
        ),
    ],
)
def test_database_refuses_edits(start, at, statement, sentence):
    at("Mon 09:00")
    start()
    with pytest.raises(DatabaseError, match=sentence), transaction.atomic():
        _run(statement)


@pytest.mark.parametrize("table", ["clocksegment", "escalationfire", "clock"])
def test_database_refuses_removal(start, at, table):
    at("Mon 09:00")
    start()
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
        _run(f"DELETE FROM clocks_{table}")


def test_database_refuses_changes_of_closed_clocks(start, at, keeper):
    at("Mon 09:00")
    stop_clock(start(), by=keeper)
    with pytest.raises(DatabaseError, match="A closed clock never changes"), transaction.atomic():
        _run("UPDATE clocks_clock SET closed_by = 'somebody'")


def test_database_refuses_segments_that_overlap(start, at, keeper):
    at("Mon 09:00")
    clock = start()
    with pytest.raises(DatabaseError, match="segment_no_overlap"), transaction.atomic():
        ClockSegment.objects.create(
            clock=clock, started=at("Mon 10:00"), ended=at("Mon 11:00"), running=True, actor_label="x"
        )


def test_rungs_fire_once_in_the_database(start, at):
    clock = start(at=at("Mon 09:00"))
    fire = {"clock": clock, "rung": 50, "kind": "notify", "reached_at": clock.started_at, "fired_at": clock.started_at}
    EscalationFire.objects.create(**fire)
    with pytest.raises(DatabaseError, match="rung_fires_once"), transaction.atomic():
        EscalationFire.objects.create(**fire)


def test_ladders_that_make_no_sense_are_refused(start, at):
    at("Mon 09:00")
    with pytest.raises(ValueError, match="between 1 and 1000 %"):
        Rung(0)
    with pytest.raises(ValueError, match="same percentage"):
        start(ladder=(Rung(50), Rung(50, RungKind.ESCALATE)))


def test_starting_and_stopping_ask_few_questions(start, at, keeper, django_assert_max_num_queries):
    at("Mon 09:00")
    clock = start()
    stop_clock(clock, by=keeper)
    with django_assert_max_num_queries(9):
        clock = start()
    with django_assert_max_num_queries(9):
        stop_clock(clock, by=keeper)


def _run(statement):
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement)
