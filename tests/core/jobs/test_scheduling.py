"""The clock queues what is due: once, with one catch-up at most."""

import datetime as dt

import pytest

from apps.core import clock
from apps.core.jobs.api import JobRun, job
from apps.core.jobs.checks import schedules_name_jobs, wiring_names_jobs
from apps.core.jobs.domain.scheduling import planned, tick
from apps.core.jobs.registry import find_job, registered
from apps.core.jobs.schedule import Schedule
from mops.schedules import SCHEDULES
from mops.wiring import JOBS_AFTER, handlers_of

START = dt.datetime(2026, 11, 22, 10, 7, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)
TABLE = (Schedule("test.tick", every=5 * MINUTE),)


@pytest.fixture(autouse=True)
def _jobs():
    with registered(lambda: job("test.tick", title="Tick")(lambda run: None)):
        yield


@pytest.mark.django_db
def test_new_schedule_owes_nothing():
    assert tick(START, TABLE) == []
    assert tick(START + MINUTE, TABLE) == []
    assert JobRun.objects.count() == 0


@pytest.mark.django_db
def test_each_moment_is_queued_once_however_often_the_clock_is_looked_at():
    tick(START, TABLE)
    (run,) = tick(START + 3 * MINUTE, TABLE)
    assert run.requested_by is None
    assert tick(START + 3 * MINUTE, TABLE) == []
    assert tick(START + 4 * MINUTE, TABLE) == []
    assert len(tick(START + 8 * MINUTE, TABLE)) == 1


@pytest.mark.django_db
def test_missed_runs_are_made_up_for_once():
    tick(START, TABLE)
    assert len(tick(START + dt.timedelta(days=3), TABLE)) == 1
    assert JobRun.objects.count() == 1


@pytest.mark.django_db
def test_clock_that_jumps_back_queues_nothing_twice():
    tick(START, TABLE)
    assert len(tick(START + 5 * MINUTE, TABLE)) == 1
    assert tick(START - dt.timedelta(hours=2), TABLE) == []
    assert tick(START + 5 * MINUTE, TABLE) == []


@pytest.mark.django_db
def test_plan_shows_every_schedule_with_what_became_of_it():
    rows = planned(clock.now())
    assert {row.schedule.key for row in rows} == {schedule.key for schedule in SCHEDULES}
    assert all(row.next_at > clock.now() - MINUTE for row in rows)
    assert [row.next_at for row in rows] == sorted(row.next_at for row in rows)


def test_every_scheduled_and_wired_job_exists():
    assert schedules_name_jobs(None) == []
    assert wiring_names_jobs(None) == []


def test_checks_name_what_is_missing(monkeypatch):
    monkeypatch.setattr(
        "mops.schedules.SCHEDULES",
        (
            Schedule("test.nothing", every=MINUTE),
            Schedule("test.tick", every=MINUTE, args={"number": 1}),
            Schedule("test.tick", every=MINUTE),
        ),
    )
    monkeypatch.setitem(JOBS_AFTER, "test.happened", ("test.nothing",))
    assert [error.msg for error in schedules_name_jobs(None)] == [
        "mops/schedules.py names the job test.nothing, which no tasks module registers.",
        "mops/schedules.py: test.tick: arguments missing [], unknown ['number'].",
        "mops/schedules.py has two schedules named test.tick; give one a name of its own.",
    ]
    assert [error.msg for error in wiring_names_jobs(None)] == [
        "mops/wiring.py starts test.nothing after test.happened, but no tasks module registers that job."
    ]


@pytest.mark.django_db
def test_announcement_queues_its_jobs_with_the_facts_they_take(monkeypatch):
    job("test.after", title="After")(lambda run, *, thing_id: None)
    monkeypatch.setitem(JOBS_AFTER, "test.happened", ("test.after", "test.tick"))
    for handler in handlers_of("test.happened"):
        handler({"thing_id": 7, "note": "x"})
    assert list(JobRun.objects.order_by("id").values_list("key", "args")) == [
        ("test.after", {"thing_id": 7}),
        ("test.tick", {}),
    ]
    assert find_job("test.after") is not None
