"""Two real workers, killed in the middle of the due scan: every rung fires, none twice."""

import datetime as dt
import random
import time

import pytest

from apps.accounts.enums import Role
from apps.core.alerts.models import Alert
from apps.core.clocks.domain.clocks import start_clock
from apps.core.clocks.models import Clock, EscalationFire
from apps.core.jobs.api import JobRun, RunState, enqueue
from apps.core.jobs.registry import registered
from tests.core.jobs.proofapp.tasks import register
from tests.core.jobs.workers import Workers, kill, wait_for
from tests.factories.accounts import TeamFactory, person_with
from tests.factories.calendars import published_calendar

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.proof]
ROUND_THE_CLOCK = dict.fromkeys(
    ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"), "00:00-24:00"
)
RUNGS = 4


@pytest.fixture(autouse=True)
def _jobs():
    with registered(register):
        yield


@pytest.fixture
def clusters(tmp_path):
    started = [Workers(tmp_path / "first.log"), Workers(tmp_path / "second.log")]
    yield started
    for each in started:
        each.stop()


def test_every_rung_fires_once_though_workers_are_killed(clusters, proof):
    keeper = person_with(Role.ADMINISTRATOR)
    always = published_calendar(keeper, weekly_hours=ROUND_THE_CLOCK, zone="UTC")
    begun = dt.datetime.now(dt.UTC) - dt.timedelta(hours=2)
    number = 400 if proof else 60
    for _ in range(number):
        start_clock(TeamFactory(), "proof.clock", target=60, calendar=always, by=keeper, at=begun)
    for each in clusters:
        each.wait_until_up()
    chance = random.Random(8)
    for _ in range(30 if proof else 8):
        for _ in range(3):
            enqueue("clocks.fire_due", by=None)
        time.sleep(chance.uniform(0.1, 0.6))
        cluster = chance.choice(clusters)
        kill(chance.choice(cluster.below_sentinel()[:2] or [None]))
    waiting = Clock.objects.filter(next_fire_at__isnull=False)
    wait_for(lambda: (enqueue("clocks.fire_due", by=None), time.sleep(0.5), not waiting.exists())[2], 120)
    assert EscalationFire.objects.count() == number * RUNGS
    alerts = Alert.objects.filter(fingerprint__startswith="proof.rung:")
    assert alerts.count() == number * RUNGS
    assert set(alerts.values_list("occurrences", flat=True)) == {1}
    assert not JobRun.objects.filter(key="clocks.fire_due", state=RunState.FAILED).exists()
