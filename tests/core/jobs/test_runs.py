"""A job from the wish to the result."""

import pytest
from django.db import transaction

from apps.core.actors import Channel, current_actor
from apps.core.errors import WrongState
from apps.core.jobs.api import JobRun, Run, RunState, enqueue, job
from apps.core.jobs.registry import registered
from apps.core.jobs.testing import run_queued_jobs
from tests.factories.accounts import UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def jobs():
    with registered(lambda: None):
        seen = []

        @job("test.count", title="Count")
        def count(run: Run, *, number: int) -> dict[str, int]:
            seen.append(current_actor())
            run.progress(number, number)
            run.log(f"Counted to {number}.")
            return {"counted": number}

        @job("test.refuse", title="Refuse")
        def refuse(run: Run) -> None:
            raise WrongState("The batch is closed; open a new one.")

        @job("test.break", title="Break", max_attempts=2)
        def break_(run: Run) -> None:
            raise ValueError("postgres://mops:hunter2@db/mops is gone")

        yield seen


def test_run_does_its_work_as_the_person_who_asked(jobs):
    person = UserFactory()
    run = enqueue("test.count", args={"number": 3}, by=person)
    assert (run.state, run.queue) == (RunState.QUEUED, "mops")
    (done,) = run_queued_jobs()
    assert (done.pk, done.state, done.counts, done.attempts) == (run.pk, RunState.SUCCEEDED, {"counted": 3}, 1)
    assert (done.done, done.total) == (3, 3)
    assert [line.text for line in done.lines.all()] == ["Counted to 3."]
    (actor,) = jobs
    assert (actor.user, actor.channel, actor.job_id) == (person, Channel.JOB, str(run.pk))


def test_run_without_a_person_acts_as_mops(jobs):
    enqueue("test.count", args={"number": 1}, by=None)
    run_queued_jobs()
    assert jobs[0].user.is_system


def test_rollback_takes_the_run_back():
    with transaction.atomic():
        enqueue("test.count", args={"number": 1}, by=None)
        transaction.set_rollback(True)
    assert JobRun.objects.count() == 0


def test_refusal_is_final_and_kept_in_its_words():
    enqueue("test.refuse", by=None)
    (run,) = run_queued_jobs()
    assert (run.state, run.attempts) == (RunState.FAILED, 1)
    assert run.error == "The batch is closed; open a new one."
    assert run.traceback == ""


def test_unexpected_error_is_tried_again_then_fails_without_telling_secrets():
    enqueue("test.break", by=None)
    (run,) = run_queued_jobs()
    assert (run.state, run.attempts) == (RunState.FAILED, 2)
    assert run.error == "Something unexpected went wrong (ValueError)."
    assert "postgres://mops:[redacted]@db/mops" in run.traceback
    assert "hunter2" not in run.traceback


def test_same_idempotency_key_gives_the_same_run():
    first = enqueue("test.count", args={"number": 1}, by=None, idempotency_key="once")
    run_queued_jobs()
    assert enqueue("test.count", args={"number": 2}, by=None, idempotency_key="once") == first
    assert JobRun.objects.count() == 1


@pytest.mark.parametrize("args", [{}, {"number": 1, "other": 2}, {"number": [1]}, {"number": "x" * 201}])
def test_arguments_are_checked_when_asked(args):
    with pytest.raises(TypeError):
        enqueue("test.count", args=args, by=None)


def test_unknown_job_is_a_mistake_at_once():
    with pytest.raises(LookupError):
        enqueue("test.nothing", by=None)
