"""What surrounds a job's function: time limits, progress from a thread, secrets, wake-up calls, loss of the server."""

import contextlib
import signal
import threading
import time

import pytest
from django.db import OperationalError, connection, connections, transaction

from apps.core.jobs import wake
from apps.core.jobs.api import JobRun, JobTimedOut, Run, RunState, enqueue, job
from apps.core.jobs.broker import JobRunBroker, package_for
from apps.core.jobs.desk import DirectDesk, ThreadDesk
from apps.core.jobs.domain import claims
from apps.core.jobs.domain.pruning import prune
from apps.core.jobs.models import JobLogLine
from apps.core.jobs.names import make_cluster_name, pid_of
from apps.core.jobs.registry import find_job, registered
from apps.core.jobs.runner import checked_counts, run_job, run_one, time_limit
from apps.core.jobs.testing import run_queued_jobs
from apps.core.redaction import redact
from mops.settings.jobs import Q_CLUSTER
from tests.factories.accounts import UserFactory

DAY = claims.AN_INSTANT * 86400


@pytest.fixture(autouse=True)
def bodies():
    """Jobs whose function is whatever a test puts here."""
    does = {}

    def body(run, number=0):
        return does["body"](run)

    with registered(lambda: job("test.body", title="Body", timeout=5, max_attempts=2)(body)):
        yield does


def _survive_every_row():
    for _ in range(100):
        with contextlib.suppress(Exception):
            time.sleep(0.05)


def test_time_limit_cannot_be_survived_by_a_loop_that_survives_rows():
    began = time.monotonic()
    with pytest.raises(JobTimedOut), time_limit(1):
        _survive_every_row()
    assert time.monotonic() - began < 3


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("together", [True, False])
def test_statement_that_takes_too_long_is_cut_off_with_its_run(bodies, together):
    def body(run):
        with transaction.atomic() if together else contextlib.nullcontext(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(60)")

    bodies["body"] = body
    run = enqueue("test.body", by=None)
    JobRun.objects.filter(pk=run.pk).update(timeout=1)
    assert run_job(run.pk) == "timed_out"
    run.refresh_from_db()
    assert run.error == "It was stopped after its time limit of 1 second."


def test_time_limit_gives_back_the_alarm_that_was_set_outside():
    rang = []
    before = signal.signal(signal.SIGALRM, lambda *args: rang.append(time.monotonic()))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.3)
        with time_limit(5):
            time.sleep(0.1)
        time.sleep(0.4)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert len(rang) == 1


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("postgres://mops:hunter2@db/mops", "postgres://mops:[redacted]@db/mops"),
        ("Authorization: Bearer abc.def-123456", "Authorization: [redacted]"),
        ("{'password': 'hunter2', 'user': 'ada'}", "{'password': '[redacted]', 'user': 'ada'}"),
        ("api_key=hunter2&x=1", "api_key=[redacted]&x=1"),
        ("Row 17 has no price.", "Row 17 has no price."),
    ],
)
def test_secrets_are_taken_out_of_what_is_kept(text, kept):
    shown = redact(text)
    assert "hunter2" not in shown
    assert "abc.def" not in shown
    assert shown.startswith(kept.split("[redacted]")[0])


def test_job_returns_counts_or_nothing():
    assert checked_counts(None) == {}
    assert checked_counts({"created": 3}) == {"created": 3}
    for wrong in ("done", {"created": "three"}, [1]):
        with pytest.raises(TypeError, match="A job returns counts by name"):
            checked_counts(wrong)


@pytest.mark.django_db
def test_job_that_returns_something_else_fails(bodies):
    bodies["body"] = lambda run: "done"
    enqueue("test.body", by=None)
    (run,) = run_queued_jobs()
    assert (run.state, run.error) == (RunState.FAILED, "Something unexpected went wrong (TypeError).")


@pytest.mark.django_db
def test_cancelled_run_stops_at_its_safe_point(bodies):
    def body(run: Run):
        JobRun.objects.filter(pk=run.job_run.pk).update(cancel_requested_at="2026-01-01T00:00Z")
        run.raise_if_cancelled()
        raise AssertionError("it went on")

    bodies["body"] = body
    enqueue("test.body", by=None)
    (run,) = run_queued_jobs()
    assert (run.state, run.error) == (
        RunState.CANCELLED,
        "Cancelled while it ran; what was finished before stays done.",
    )


@pytest.mark.django_db
def test_run_that_lost_its_lease_stops_and_says_nothing(bodies):
    def body(run: Run):
        JobRun.objects.filter(pk=run.job_run.pk).update(lease_token=None)
        run.raise_if_cancelled()
        raise AssertionError("it went on")

    bodies["body"] = body
    run = enqueue("test.body", by=None)
    assert run_one(run.pk, worker="in process", make_desk=DirectDesk) is None


@pytest.mark.django_db(transaction=True)
def test_progress_and_log_are_seen_while_the_transaction_is_open_and_stay_when_it_is_rolled_back(bodies):
    seen = []

    def body(run: Run):
        with transaction.atomic():
            run.progress(3, 10)
            run.log("Halfway there.")
            deadline = time.monotonic() + 10
            while time.monotonic() < deadline and not seen:
                time.sleep(0.05)
                looked = threading.Thread(target=look)
                looked.start()
                looked.join()
            transaction.set_rollback(True)

    def look():
        row = JobRun.objects.get()
        if row.done and JobLogLine.objects.exists():
            seen.append((row.done, row.total))
        connections.close_all()

    bodies["body"] = body
    run = enqueue("test.body", by=None)
    make = lambda row: ThreadDesk(row, until=time.monotonic() + 30)  # noqa: E731
    assert run_one(run.pk, worker="here/mops/a/1", make_desk=make) == RunState.SUCCEEDED
    assert seen == [(3, 10)]
    assert JobLogLine.objects.get().text == "Halfway there."


@pytest.mark.django_db(transaction=True)
def test_result_is_kept_when_the_server_is_away_for_a_moment(bodies, monkeypatch):
    finish, calls = claims.finish, []

    def away_once(*args, **kwargs):
        calls.append(1)
        if len(calls) == 1:
            raise OperationalError("server closed the connection unexpectedly")
        return finish(*args, **kwargs)

    bodies["body"] = lambda run: {"created": 1}
    monkeypatch.setattr(claims, "finish", away_once)
    run = enqueue("test.body", by=None)
    assert run_job(run.pk) == "succeeded"
    assert len(calls) == 2


@pytest.mark.django_db(transaction=True)
def test_asking_wakes_who_waits():
    waited = []

    def wait():
        wake.wait_for_work("mops", 0)
        ready.set()
        began = time.monotonic()
        wake.wait_for_work("mops", 20)
        waited.append(time.monotonic() - began)
        connections.close_all()

    ready = threading.Event()
    thread = threading.Thread(target=wait)
    thread.start()
    ready.wait(20)
    enqueue("test.body", by=None)
    thread.join()
    assert waited[0] < 15


@pytest.mark.django_db(transaction=True)
def test_redis_that_is_away_keeps_nobody_from_asking_or_working(settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    wake._redis.cache_clear()
    try:
        enqueue("test.body", by=None)
        wake.wait_for_work("mops", 0.01)
        assert JobRunBroker(list_key="mops")._take() is not None
    finally:
        wake._redis.cache_clear()


@pytest.mark.django_db
def test_broker_outlives_the_server(monkeypatch):
    def away(*args):
        raise OperationalError("the server is away")

    monkeypatch.setattr(JobRunBroker, "_take", away)
    monkeypatch.setattr("apps.core.jobs.broker.connection", type("C", (), {"close": staticmethod(lambda: None)}))
    assert JobRunBroker(list_key="mops").dequeue() is None


def test_package_names_one_function_and_one_id():
    from django_q.signing import SignedPackage

    package = SignedPackage.loads(package_for(7, "test.body", 5))
    assert (package["func"], package["args"], package["kwargs"]) == ("apps.core.jobs.runner.run_job", (7,), {})


def test_queue_library_keeps_no_queue_schedule_or_result_of_its_own():
    assert Q_CLUSTER["broker_class"] == "apps.core.jobs.broker.JobRunBroker"
    assert (Q_CLUSTER["scheduler"], Q_CLUSTER["save_limit"], Q_CLUSTER["ack_failures"]) == (False, -1, True)
    for cluster in (Q_CLUSTER, *Q_CLUSTER["ALT_CLUSTERS"].values()):
        assert cluster["retry"] > cluster["timeout"]


@pytest.mark.django_db
def test_old_runs_go_and_bad_ones_stay_longer(bodies):
    from apps.core import clock

    person = UserFactory()

    def ended(state, days, by=person):
        run = claims.claim(enqueue("test.body", args={"number": days}, by=by).pk, worker="here/mops/a/1")
        claims.say(run, "A line.")
        claims.finish(run, state)
        JobRun.objects.filter(pk=run.pk).update(finished_at=clock.now() - DAY * days)
        return run.pk

    kept = [ended(RunState.SUCCEEDED, 89), ended(RunState.FAILED, 91)]
    ended(RunState.SUCCEEDED, 91)
    ended(RunState.SUCCEEDED, 8, by=None)
    ended(RunState.FAILED, 366)
    waiting = enqueue("test.body", by=None)
    assert prune(clock.now()) == {"runs": 3, "clusters": 0}
    assert set(JobRun.objects.exclude(key__startswith="notifications.").values_list("pk", flat=True)) == {
        *kept,
        waiting.pk,
    }
    assert JobLogLine.objects.count() == 2


def test_clearing_away_is_a_job_itself():
    assert find_job("jobs.prune").title == "Clear away old runs"


@pytest.mark.parametrize(
    ("given", "sentence"), [({"max_attempts": 6}, "between 1 and 5"), ({"timeout": 0}, "at least a second")]
)
def test_job_with_impossible_figures_is_refused(given, sentence):
    with pytest.raises(ValueError, match=sentence):
        job("test.impossible", title="x", **given)(lambda run: None)


def test_two_jobs_cannot_share_a_key():
    with pytest.raises(ValueError, match=r"There are two jobs named test\.body"):
        job("test.body", title="Another")(lambda run: None)


def test_worker_names_tell_the_process():
    name = make_cluster_name("mops")
    assert name.count("/") == 2
    assert pid_of(f"{name}/4711") == 4711
    assert connection.vendor == "postgresql"
