"""The due scan: each rung once, in order, in working time, by index, whatever one hook does."""

import datetime as dt

import pytest
from django.db import connection

from apps.core.alerts.models import Alert
from apps.core.clocks import registry
from apps.core.clocks.domain.clocks import pause_clock, replace_clock, start_clock, stop_clock
from apps.core.clocks.domain.firing import due_clocks, fire_due
from apps.core.clocks.domain.queries import clock_of
from apps.core.clocks.models import Clock, EscalationFire
from apps.core.clocks.registry import Metric
from tests.core.clocks.conftest import METRIC

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("metric")]
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def clock(subject, berlin, keeper, at):
    at("Mon 09:00")
    return start_clock(subject, METRIC, target=4 * HOUR, calendar=berlin, by=keeper)


def test_rungs_fire_once_each_when_they_are_reached(clock, at, told):
    at("Mon 10:59")
    assert fire_due() == {"clocks": 0, "rungs": 0, "failed": 0}
    half = at("Mon 11:00")
    assert fire_due()["rungs"] == 1
    assert fire_due()["rungs"] == 0
    assert told == [(50, "notify", half)]
    end = at("Mon 13:00")
    assert fire_due() == {"clocks": 1, "rungs": 3, "failed": 0}
    assert [(percent, kind) for percent, kind, _ in told] == [
        (50, "notify"),
        (75, "notify"),
        (90, "escalate"),
        (100, "escalate"),
    ]
    assert told[-1][2] == end
    late = clock_of(clock.subject, METRIC)
    assert (late.state, late.breached_at, late.next_fire_at) == ("breached", end, None)


def test_nobody_is_told_at_night(clock, at, told):
    at("Mon 23:00")
    assert fire_due()["rungs"] == 0
    late = clock_of(clock.subject, METRIC)
    assert (late.state, late.next_fire_at, told) == ("breached", at("Tue 09:00"), [])
    at("Tue 09:00")
    assert fire_due()["rungs"] == 4
    assert told[-1][2] == at("Mon 13:00")


def test_rung_at_closing_time_still_fires_that_evening(subject, berlin, keeper, at, told):
    at("Mon 15:30")
    start_clock(subject, METRIC, target=2 * HOUR, calendar=berlin, by=keeper)
    at("Mon 17:31")
    fire_due()
    assert told[-1] == (100, "escalate", at("Mon 17:30"))


def test_paused_clock_fires_nothing_until_its_pause_is_used_up(clock, at, told, keeper):
    at("Mon 10:30")
    pause_clock(clock, reason="requester", by=keeper)
    at("Tue 09:59")
    assert fire_due()["clocks"] == 0
    at("Tue 10:00")
    fire_due()
    running = clock_of(clock.subject, METRIC)
    assert (running.state, running.due_at) == ("running", at("Tue 12:30"))
    assert running.segments.order_by("-started").first().note == (
        "Runs again: 8 h of waiting for requester are used up."
    )
    assert told == []


def test_pause_without_limit_waits_for_ever(clock, at, keeper):
    at("Mon 10:00")
    pause_clock(clock, reason="vendor", by=keeper)
    assert clock_of(clock.subject, METRIC).next_fire_at is None


def test_rung_reached_before_a_pause_is_fired_during_it(clock, at, told, keeper):
    at("Mon 11:05")
    pause_clock(clock, reason="vendor", by=keeper)
    fire_due()
    assert [percent for percent, *_ in told] == [50]


def test_stopped_clock_fires_nothing(clock, at, told, keeper):
    at("Mon 12:59")
    stop_clock(clock, by=keeper)
    assert fire_due()["clocks"] == 0
    assert told == []


def test_record_that_somebody_works_on_comes_the_next_time(clock, at, monkeypatch):
    at("Mon 11:00")
    monkeypatch.setattr("apps.core.clocks.domain.firing._held_subjects", lambda due: set())
    assert fire_due()["rungs"] == 0
    assert clock_of(clock.subject, METRIC).next_fire_at == at("Mon 11:00") + dt.timedelta(seconds=15)


@pytest.fixture
def use(metric):
    """Let another hook answer."""

    def use(hook):
        registry.register_metric(Metric(METRIC, "First response", on_rung=hook))

    return use


def test_hook_that_replaces_its_clock_is_not_called_for_the_old_one(clock, at, use):
    calls = []

    def hook(clock, rung, *, at):
        calls.append((clock.pk, rung.percent))
        if len(calls) == 1:
            replace_clock(clock, target=8 * HOUR, by=None)

    use(hook)
    at("Mon 13:00")
    fire_due()
    new = clock_of(clock.subject, METRIC)
    assert calls == [(clock.pk, 50), (new.pk, 50)]
    assert (new.follows, new.due_at) == (clock, at("Mon 17:00"))


def test_broken_hook_is_told_put_off_and_holds_up_nobody(clock, at, use):
    def hook(clock, rung, *, at):
        raise ZeroDivisionError("no such queue")

    use(hook)
    at("Mon 11:00")
    assert fire_due() == {"clocks": 1, "rungs": 0, "failed": 1}
    alert = Alert.objects.get()
    assert (alert.title, alert.severity) == (
        "What should happen when First response runs out has failed.",
        "critical",
    )
    assert alert.detail == f"Clock {clock.pk}: ZeroDivisionError: no such queue"
    assert not EscalationFire.objects.exists()
    assert clock_of(clock.subject, METRIC).next_fire_at == at("Mon 11:00") + dt.timedelta(minutes=5)


def test_clocks_of_an_app_that_is_gone_are_closed_off_quietly(clock, at, metric):
    registry._metrics.pop(METRIC)
    at("Mon 13:00")
    assert fire_due()["rungs"] == 4
    registry.register_metric(metric)


def test_scan_goes_by_index_among_ten_thousand(clock, at):
    at("Mon 11:00")
    columns = [field.column for field in Clock._meta.concrete_fields if field.column not in ("id", "object_id")]
    kept = [name for name in columns if name not in ("next_fire_at", "follows_id")]
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO clocks_clock ({', '.join(kept)}, object_id, next_fire_at) "
            f"SELECT {', '.join(f'c.{name}' for name in kept)}, 1000000 + n, '2027-01-01'::timestamptz + n * "
            "interval '1 minute' FROM clocks_clock c, generate_series(1, 10000) n"
        )
        cursor.execute("ANALYZE clocks_clock")
    plan = due_clocks(at("Mon 11:00"), 100).explain(analyze=True)
    assert "clock_next_fire" in plan
    assert "Seq Scan on clocks_clock" not in plan
    assert list(due_clocks(at("Mon 11:00"), 100)) == [clock]
