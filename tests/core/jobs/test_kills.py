"""Real worker processes, killed in every way: nothing is lost, nothing is done twice, nobody has to help."""

import os
import random
import signal
import time

import pytest

from apps.core.alerts.models import Alert
from apps.core.jobs.api import JobRun, RunState, enqueue
from apps.core.jobs.domain.runs import cancel
from apps.core.jobs.models import JobLogLine, WorkerCluster
from apps.core.jobs.names import pid_of
from apps.core.jobs.registry import registered
from tests.core.jobs.proofapp.tasks import EFFECT, register
from tests.core.jobs.workers import Workers, alive, kill, wait_for
from tests.factories.accounts import UserFactory

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.proof]
OTHER_KEY = "another-secret-key-than-the-one-the-runs-were-queued-under-0123456789"


@pytest.fixture(autouse=True)
def _jobs():
    with registered(register):
        yield


@pytest.fixture
def workers(tmp_path, capsys):
    started = []

    def start(**environment):
        started.append(Workers(tmp_path / "workers.log", **environment))
        return started[-1]

    yield start
    for each in started:
        each.stop()


@pytest.fixture
def full(proof):
    if not proof:
        pytest.skip("a long proof; manage.py test --proof runs it")


def is_in(run, *states):
    return lambda: JobRun.objects.values_list("state", flat=True).get(pk=run.pk) in states


def quick(number):
    return [enqueue("proof.quick", args={"number": each}, by=None) for each in range(number)]


def all_done(runs):
    first, last = runs[0].pk, runs[-1].pk
    unfinished = JobRun.objects.filter(pk__range=(first, last)).exclude(state=RunState.SUCCEEDED)
    return lambda: not unfinished.exists()


def effects(runs):
    return JobLogLine.objects.filter(run__in=runs, text=EFFECT).count()


def test_workers_killed_poisoned_and_overdue_lose_nothing(workers):
    """The reduced profile: a worker killed at work, idle ones killed, poison, a deaf run, another SECRET_KEY."""
    runs = quick(20)
    poison, deaf = enqueue("proof.poison", by=None), enqueue("proof.too_long", by=None)
    slow = enqueue("proof.slow_once", by=None)
    cluster = workers(SECRET_KEY=OTHER_KEY)
    wait_for(is_in(slow, RunState.RUNNING), 60)
    kill(pid_of(JobRun.objects.get(pk=slow.pk).worker))
    wait_for(is_in(slow, RunState.SUCCEEDED), 60)
    wait_for(is_in(poison, RunState.DEAD), 60)
    wait_for(is_in(deaf, RunState.TIMED_OUT), 60)
    wait_for(all_done(runs), 60)
    assert (effects(runs), effects([slow])) == (20, 1)
    assert JobRun.objects.get(pk=slow.pk).counts == {"attempts": 2}
    parked = JobRun.objects.get(pk=poison.pk)
    assert (parked.attempts, parked.error) == (3, "It was begun 3 times and its worker died each time.")
    assert JobRun.objects.get(pk=deaf.pk).error == "It was stopped after its time limit of 1 second."
    alert = Alert.objects.get(fingerprint="job:proof.poison")
    assert (alert.severity, alert.title) == ("critical", "Poison keeps killing its worker.")

    wait_for(lambda: len(cluster.below_sentinel()) == 4, 60)
    kill(*cluster.below_sentinel())  # idle: whoever holds the queue's lock takes it along
    runs = quick(5)
    wait_for(all_done(runs), 60)
    assert effects(runs) == 5


@pytest.mark.usefixtures("full")
@pytest.mark.parametrize("victims", ["idle workers", "monitor", "pusher", "sentinel", "first", "group"])
def test_cluster_survives_the_death_of(workers, victims):
    cluster = workers()
    cluster.wait_until_up()
    time.sleep(1)
    *idle, monitor, pusher = cluster.below_sentinel()
    found = {
        "idle workers": idle,
        "monitor": [monitor],
        "pusher": [pusher],
        "sentinel": [cluster.sentinel()],
        "first": [cluster.first()],
        "group": cluster.everybody(),
    }[victims]
    before = cluster.everybody()
    kill(*found)
    began = time.monotonic()
    runs = quick(20)
    wait_for(all_done(runs), 60)
    print(f"{victims}: {time.monotonic() - began:.1f} s")  # noqa: T201
    assert effects(runs) == 20
    if victims in ("sentinel", "first", "group"):
        assert not any(map(alive, before)), "orphans are left"


@pytest.mark.usefixtures("full")
def test_killed_supervisor_takes_its_cluster_along_and_another_goes_on(workers):
    cluster = workers()
    cluster.wait_until_up()
    slow = enqueue("proof.slow_once", by=None)
    wait_for(is_in(slow, RunState.RUNNING), 60)
    below = cluster.everybody()
    cluster.process.kill()
    cluster.process.wait()
    wait_for(lambda: not any(map(alive, below)), 20)
    workers()
    wait_for(is_in(slow, RunState.SUCCEEDED), 60)


@pytest.mark.usefixtures("full")
def test_two_clusters_share_the_work_without_doubles(workers):
    first, second = workers(), workers()
    first.wait_until_up()
    second.wait_until_up()
    runs = quick(400)
    wait_for(all_done(runs), 120)
    rows = JobRun.objects.filter(pk__in=[run.pk for run in runs])
    assert set(rows.values_list("attempts", flat=True)) == {1}
    assert effects(runs) == 400
    shares = [rows.filter(worker__startswith=f"{name}/").count() for name in _cluster_names()]
    assert len(shares) == 2
    assert min(shares) > 50


def _cluster_names():
    wait_for(lambda: WorkerCluster.objects.count() == 2, 60)
    return WorkerCluster.objects.values_list("name", flat=True)


@pytest.mark.usefixtures("full")
def test_storm_of_kills_loses_and_doubles_nothing(workers):
    clusters = [workers(), workers()]
    for cluster in clusters:
        cluster.wait_until_up()
    chance = random.Random(7)
    runs = quick(600)
    for _ in range(30):
        cluster = chance.choice(clusters)
        kill(chance.choice([cluster.process.pid, *cluster.everybody()]))
        time.sleep(chance.uniform(0.1, 0.8))
        if cluster.process.poll() is not None:
            cluster.start()
    began = time.monotonic()
    wait_for(all_done(runs), 120)
    print(f"drained {time.monotonic() - began:.1f} s after the last of 30 kills")  # noqa: T201
    assert effects(runs) == 600


def test_stopped_in_order_gives_the_attempt_back(workers):
    person = UserFactory()
    cluster = workers()
    slow, patient = enqueue("proof.slow_once", by=None), enqueue("proof.patient", by=person)
    wait_for(is_in(slow, RunState.RUNNING), 60)
    wait_for(is_in(patient, RunState.RUNNING), 60)
    wait_for(lambda: JobRun.objects.get(pk=patient.pk).done > 3, 60)
    assert cancel(patient, by=person) == f"{patient} has been asked to stop; what it has finished stays done."
    wait_for(is_in(patient, RunState.CANCELLED), 60)
    os.kill(cluster.process.pid, signal.SIGTERM)
    cluster.process.wait(30)
    slow.refresh_from_db()
    assert (slow.state, slow.attempts) == (RunState.QUEUED, 0)
    assert [line.text for line in slow.lines.all()] == [
        "The first attempt is slow.",
        "The worker was stopped; the run begins anew with the next one.",
    ]
    assert not WorkerCluster.objects.exists()
