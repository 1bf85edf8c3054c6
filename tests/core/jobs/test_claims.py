"""One holder at a time, by lease; overlap; what is left of a worker that died."""

import threading

import pytest
from django.db import connection, connections
from django.db.models.functions import Now

from apps.core.alerts.models import Alert
from apps.core.jobs.api import JobRun, Overlap, RunState, enqueue, job
from apps.core.jobs.broker import JobRunBroker
from apps.core.jobs.domain import claims, sweeping, watching
from apps.core.jobs.models import WorkerCluster
from apps.core.jobs.registry import registered
from apps.core.jobs.testing import run_queued_jobs
from apps.core.notifications.models import Notification
from tests.factories.accounts import UserFactory


def _register():
    job("test.plain", title="Plain", max_attempts=2)(lambda run, number=0: {"done": 1})
    job("test.forbid", title="Forbid", overlap=Overlap.FORBID)(lambda run, number=0: None)
    job("test.allow", title="Allow", overlap=Overlap.ALLOW)(lambda run: None)
    job("test.long", title="Long", timeout=3600)(lambda run: None)


@pytest.fixture(autouse=True)
def _jobs():
    with registered(_register):
        yield


def begin(key="test.plain", worker="here/mops/a/1", **args):
    return claims.claim(enqueue(key, args=args, by=None).pk, worker=worker)


def let_lease_end(run):
    JobRun.objects.filter(pk=run.pk).update(lease_until=Now() - claims.AN_INSTANT)


@pytest.mark.django_db(transaction=True)
def test_two_dequeues_give_one_effect():
    run = enqueue("test.plain", by=None)
    got, barrier = [], threading.Barrier(8)

    def take():
        barrier.wait()
        got.append(claims.claim(run.pk, worker="here/mops/a/1"))
        connections.close_all()

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([each for each in got if each is not None]) == 1
    run.refresh_from_db()
    assert run.attempts == 1


@pytest.mark.django_db
def test_broker_hands_a_run_to_one_cluster_and_takes_it_back_in_time(settings):
    run = enqueue("test.plain", by=None)
    broker = JobRunBroker(list_key="mops")
    assert broker.queue_size() == 1
    assert len(broker.dequeue()) == 1
    assert (broker.queue_size(), broker._take()) == (0, None)
    JobRun.objects.filter(pk=run.pk).update(handed_at=Now() - claims.HANDED_FOR - claims.AN_INSTANT)
    assert broker._take()[0] == run.pk


@pytest.mark.django_db
def test_broker_takes_the_oldest_of_its_own_queue_and_nothing_before_its_time():
    first, second = enqueue("test.plain", by=None), enqueue("test.plain", by=None)
    enqueue("test.long", by=None)
    later = enqueue("test.allow", by=None)
    JobRun.objects.filter(pk=later.pk).update(available_at=Now() + claims.LEASE)
    broker = JobRunBroker(list_key="mops")
    assert [broker._take()[0], broker._take()[0], broker._take()] == [first.pk, second.pk, None]
    assert JobRunBroker(list_key="long")._take()[1] == "test.long"


@pytest.mark.django_db
def test_broker_refuses_anything_that_is_no_run():
    with pytest.raises(TypeError, match="Only runs of registered jobs are queued"):
        JobRunBroker(list_key="mops").enqueue("a pickled call of os.system")


@pytest.mark.django_db
def test_same_work_waits_is_skipped_or_runs_beside():
    begin(number=1)
    assert begin(number=1) is None
    assert JobRun.objects.latest("id").state == RunState.QUEUED
    assert begin(number=2) is not None
    begin("test.forbid")
    assert begin("test.forbid") is None
    skipped = JobRun.objects.latest("id")
    assert (skipped.state, skipped.error) == (
        RunState.SKIPPED_OVERLAP,
        "The same work was running already; this run was not needed.",
    )
    assert begin("test.allow") is not None
    assert begin("test.allow") is not None


@pytest.mark.django_db
def test_whoever_lost_the_lease_changes_nothing():
    late = begin()
    let_lease_end(late)
    assert sweeping.sweep() == {"queued": 1, "timed_out": 0, "dead": 0, "cancelled": 0}
    assert not claims.renew(late)
    assert not claims.finish(late, RunState.SUCCEEDED)
    assert not claims.put_back(late, error="x")
    late.refresh_from_db()
    assert (late.state, late.attempts) == (RunState.QUEUED, 1)


@pytest.mark.django_db
def test_live_lease_is_left_alone():
    run = begin()
    assert sweeping.sweep()["queued"] == 0
    assert claims.renew(run)


@pytest.mark.django_db
def test_worker_that_dies_again_and_again_is_given_up_with_an_alert():
    run = begin()
    let_lease_end(run)
    sweeping.sweep()
    JobRun.objects.update(available_at=Now())
    let_lease_end(claims.claim(run.pk, worker="here/mops/a/2"))
    assert sweeping.sweep()["dead"] == 1
    run.refresh_from_db()
    assert (run.state, run.error) == (RunState.DEAD, "It was begun 2 times and its worker died each time.")
    assert [line.text for line in run.lines.all()] == [
        "The worker of attempt 1 died; the next one begins in 5 s.",
        "The worker died; that was the last attempt.",
    ]
    alert = Alert.objects.get()
    assert (alert.fingerprint, alert.severity, alert.subject_id) == ("job:test.plain", "critical", str(run.pk))
    assert alert.title == "Plain keeps killing its worker."


@pytest.mark.django_db
def test_next_success_resolves_the_alert():
    test_worker_that_dies_again_and_again_is_given_up_with_an_alert()
    enqueue("test.plain", by=None)
    run_queued_jobs()
    assert Alert.objects.get().state == "resolved"


@pytest.mark.django_db
def test_overdue_and_cancelled_runs_of_dead_workers_end_as_such():
    overdue, cancelled = begin(), begin("test.allow")
    JobRun.objects.filter(pk=overdue.pk).update(started_at=Now() - claims.LEASE * 100)
    JobRun.objects.filter(pk=cancelled.pk).update(cancel_requested_at=Now())
    let_lease_end(overdue)
    let_lease_end(cancelled)
    assert sweeping.sweep() == {"queued": 0, "timed_out": 1, "dead": 0, "cancelled": 1}


@pytest.mark.django_db
def test_person_is_told_of_what_failed():
    person = UserFactory()
    run = claims.claim(enqueue("test.plain", by=person).pk, worker="here/mops/a/1")
    claims.finish(run, RunState.FAILED, error="The file is gone.")
    told = Notification.objects.get(recipient=person)
    assert (told.kind, told.title) == ("job.failed", "Plain failed: The file is gone.")
    assert not Alert.objects.exists()


@pytest.mark.django_db
def test_trouble_in_telling_does_not_keep_a_run_from_ending(monkeypatch):
    def broken(*args, **kwargs):
        raise ValueError

    monkeypatch.setattr("apps.core.jobs.domain.consequences.raise_alert", broken)
    run = begin()
    assert claims.finish(run, RunState.FAILED, error="x")
    run.refresh_from_db()
    assert run.state == RunState.FAILED


@pytest.mark.django_db
def test_job_that_this_version_does_not_have_fails_in_words():
    run = enqueue("test.plain", by=None)
    JobRun.objects.update(key="test.gone")
    assert claims.claim(run.pk, worker="here/mops/a/1") is None
    run.refresh_from_db()
    assert run.error == "This version of mops has no job test.gone; nothing was done."


@pytest.mark.django_db
def test_known_deaths_free_what_was_held_at_once():
    running, handed = begin(), enqueue("test.allow", by=None)
    JobRun.objects.filter(pk=handed.pk).update(handed_at=Now(), worker="here/mops/a")
    other = begin("test.allow", worker="here/mops/b/9")
    assert watching.workers_of("here/mops/a") == ["here/mops/a/1"]
    assert sweeping.workers_died(["here/mops/a/1"]) == 1
    assert sweeping.cluster_died("here/mops/a") == 1
    assert sweeping.sweep()["queued"] == 1
    for run in (running, handed, other):
        run.refresh_from_db()
    assert (running.state, handed.handed_at, other.state) == (RunState.QUEUED, None, RunState.RUNNING)


@pytest.mark.django_db
def test_cluster_without_progress_is_one_with_due_work_a_free_worker_and_no_beginning():
    run = enqueue("test.plain", by=None)
    asked = ("here/mops/a", "mops", 1)
    assert not watching.makes_no_progress(*asked)
    JobRun.objects.filter(pk=run.pk).update(available_at=Now() - claims.LEASE)
    assert watching.makes_no_progress(*asked)
    assert not watching.makes_no_progress("here/long/a", "long", 1)
    JobRun.objects.filter(pk=run.pk).update(handed_at=Now(), worker="there/mops/b")
    assert not watching.makes_no_progress(*asked)
    JobRun.objects.filter(pk=run.pk).update(handed_at=None)
    begin("test.allow", worker="here/mops/a/1")
    assert not watching.makes_no_progress(*asked)
    JobRun.objects.filter(state="running").update(started_at=Now() - claims.LEASE)
    assert not watching.makes_no_progress(*asked)
    assert watching.makes_no_progress("here/mops/a", "mops", 2)


@pytest.mark.django_db
def test_time_is_kept_and_heartbeats_are_left():
    watching.keep_time()
    watching.beat("here/mops/a", "mops", 1, restarts=0, reason="")
    assert watching.clusters_alive()
    assert watching.clusters_alive("mops")
    assert not watching.clusters_alive("long")
    watching.farewell("here/mops/a")
    assert not WorkerCluster.objects.exists()


@pytest.mark.django_db
def test_log_lines_are_never_changed():
    run = begin()
    claims.say(run, "Once.")
    with connection.cursor() as cursor, pytest.raises(Exception, match="Log lines are never changed"):
        cursor.execute("UPDATE jobs_joblogline SET text = 'Twice.'")
