"""Real worker processes, killed in every way: nothing is lost, nothing is done twice, nobody has to help."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.db import connection

from apps.core.alerts.models import Alert
from apps.core.jobs.api import JobRun, RunState, enqueue
from apps.core.jobs.domain.runs import cancel
from apps.core.jobs.models import JobLogLine, WorkerCluster
from apps.core.jobs.registry import registered
from tests.core.jobs.proofapp.tasks import EFFECT, register
from tests.factories.accounts import UserFactory

ROOT = Path(__file__).resolve().parents[3]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.proof]


class Workers:
    """`manage.py worker` as a process, and the processes below it."""

    def __init__(self, log: Path, **environment):
        self.log = log.open("ab")
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "worker", "--clusters", "mops", "--grace", "5"],
            cwd=ROOT,
            env={
                **os.environ,
                "DJANGO_SETTINGS_MODULE": "tests.core.jobs.worker_settings",
                "PROOF_DATABASE": connection.settings_dict["NAME"],
                **environment,
            },
            stdout=self.log,
            stderr=self.log,
        )

    def first(self):
        """The first process of the cluster."""
        return next(iter(children(self.process.pid)), None)

    def sentinel(self):
        main = self.first()
        return next(iter(children(main)), None) if main else None

    def below_sentinel(self):
        """Workers, monitor, pusher, in the order in which they were started."""
        sentinel = self.sentinel()
        return children(sentinel) if sentinel else []

    def wait_until_up(self, count=4):
        wait_for(lambda: len(self.below_sentinel()) == count, 20)

    def everybody(self):
        return [pid for pid in (self.first(), self.sentinel(), *self.below_sentinel()) if pid]

    def stop(self):
        below = self.everybody()
        self.process.terminate()
        self.process.wait(20)
        self.log.close()
        wait_for(lambda: not any(alive(pid) for pid in below), 5)


def children(pid):
    try:
        return sorted(int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
    except OSError:
        return []


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def kill(*pids):
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def wait_for(condition, seconds):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"still waiting after {seconds} s"
        time.sleep(0.05)


def state(run):
    return JobRun.objects.values_list("state", flat=True).get(pk=run.pk)


def is_in(run, *states):
    return lambda: state(run) in states


def quick(number):
    return [enqueue("proof.quick", args={"number": each}, by=None) for each in range(number)]


def all_done(runs):
    ids = [run.pk for run in runs]
    return lambda: not JobRun.objects.filter(pk__in=ids).exclude(state=RunState.SUCCEEDED).exists()


def effects(runs):
    return JobLogLine.objects.filter(run__in=runs, text=EFFECT).count()


@pytest.fixture(autouse=True)
def jobs():
    with registered(register):
        yield


@pytest.fixture
def workers(tmp_path):
    started = []

    def start(**environment):
        each = Workers(tmp_path / "workers.log", **environment)
        started.append(each)
        return each

    yield start
    for each in started:
        if each.process.poll() is None:
            each.stop()
    print((tmp_path / "workers.log").read_text()[-6000:])  # noqa: T201  # shown where a test fails


def test_killing_any_process_loses_nothing(workers, proof):
    cluster = workers()
    cluster.wait_until_up()
    slow = enqueue("proof.slow_once", by=None)
    wait_for(is_in(slow, RunState.RUNNING), 10)
    kill(int(JobRun.objects.get(pk=slow.pk).worker.rpartition("/")[2]))
    wait_for(is_in(slow, RunState.SUCCEEDED), 15)
    assert JobRun.objects.get(pk=slow.pk).attempts == 2

    workers_, monitor, pusher = cluster.below_sentinel()[-4:], None, None
    for victims in (
        lambda: cluster.below_sentinel(),  # idle workers, the one that holds the queue's lock among them
        lambda: [cluster.sentinel()],
        lambda: [cluster.first()],
    ):
        cluster.wait_until_up()
        before = cluster.first()
        orphans = cluster.everybody()
        kill(*victims())
        runs = quick(10)
        wait_for(all_done(runs), 20)
        assert effects(runs) == 10
        del before, orphans
    del workers_, monitor, pusher


def test_poison_is_parked_with_an_alert_and_others_go_on(workers):
    workers()
    poison, long = enqueue("proof.poison", by=None), enqueue("proof.too_long", by=None)
    runs = quick(5)
    wait_for(is_in(poison, RunState.DEAD), 40)
    wait_for(is_in(long, RunState.TIMED_OUT), 10)
    wait_for(all_done(runs), 10)
    parked = JobRun.objects.get(pk=poison.pk)
    assert (parked.attempts, parked.error) == (3, "It was begun 3 times and its worker died each time.")
    assert JobRun.objects.get(pk=long.pk).error == "It was stopped after its time limit of 1 seconds."
    alert = Alert.objects.get(fingerprint="job:proof.poison")
    assert (alert.severity, alert.title) == ("critical", "Poison keeps killing its worker.")
