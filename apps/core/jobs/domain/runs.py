"""What people and operations do with runs: ask for one, cancel it, have it tried again."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from apps.core import access, clock
from apps.core.actors import current_actor
from apps.core.errors import NotAllowed, WrongState
from apps.core.jobs.models import OPEN_STATES, JobLogLine, JobRun, RunState
from apps.core.jobs.registry import Argument, Job, Overlap, find_job
from apps.core.jobs.wake import wake_workers

MOST_RETRIED = 30  # attempts of one run in its whole life, whoever asks


def enqueue(
    key: str, *, args: Mapping[str, Argument] | None = None, by: Any, idempotency_key: str | None = None
) -> JobRun:
    """Ask for a run of the job `key`; it exists if and only if the surrounding transaction is committed.

    Args:
        key: the job, as registered in a `tasks` module.
        args: ids and short texts; the run fetches what they point to.
        by: the person the run acts for, None for mops itself.
        idempotency_key: asking a second time with the same key returns the first run, whatever became of it.

    Raises:
        LookupError: there is no such job.
        TypeError: the job does not take these arguments.
    """
    job = find_job(key)
    if job is None:
        raise LookupError(f"There is no job {key!r}; jobs are registered with @job in the tasks module of an app.")
    given = job.checked(args or {})
    if idempotency_key and (known := JobRun.objects.filter(idempotency_key=idempotency_key).first()):
        return known
    run = JobRun(
        key=key,
        args=given,
        queue=job.queue,
        timeout=job.timeout,
        attempt_limit=job.max_attempts,
        requested_by=None if by is None or by.is_system else by,
        idempotency_key=idempotency_key or None,
        overlap_key=overlap_key_of(job, given),
    )
    if not idempotency_key:  # nothing it could collide with: no savepoint around it
        run.save(force_insert=True)
        wake_workers(run.queue)
        return run
    try:
        with transaction.atomic():
            run.save(force_insert=True)
    except IntegrityError:
        if known := JobRun.objects.filter(idempotency_key=idempotency_key).first():
            return known  # somebody asked at the same moment
        raise
    wake_workers(run.queue)
    return run


def overlap_key_of(job: Job, args: Mapping[str, Argument]) -> str | None:
    """Return what two runs that must not run at the same time have in common."""
    if job.overlap is Overlap.ALLOW:
        return None
    return hashlib.sha256(json.dumps([job.key, args], sort_keys=True).encode()).hexdigest()


def refuse_cancel(user: Any, run: JobRun) -> str | None:
    """Return why `user` cannot cancel `run` now, None when it works."""
    if not may_steer(user, run):
        return "You may cancel only runs that you asked for yourself."
    if run.is_over:
        return f"This run is over ({run.get_state_display().lower()}); there is nothing left to cancel."
    if run.cancel_requested_at is not None:
        return "It has been asked to stop already and does so at its next safe point."
    return None


def cancel(run: JobRun, *, by: Any) -> str:
    """Stop `run`: at once while it waits, at its next safe point while it runs.

    Raises:
        NotAllowed: `by` neither asked for it nor looks after jobs.
        WrongState: it is over, or was asked to stop already.
    """
    with transaction.atomic():
        locked = _locked(run, by, refuse_cancel)
        who = _name(by)
        locked.cancel_requested_at = clock.now()
        if locked.state == RunState.QUEUED:
            locked.state, locked.finished_at = RunState.CANCELLED, locked.cancel_requested_at
            locked.error = f"Cancelled by {who} before it began."
        locked.save(update_fields=["cancel_requested_at", "state", "finished_at", "error"])
        _note(locked, f"{who} asked to cancel it.")
    if locked.is_over:
        return f"{locked} is cancelled; it had not begun."
    return f"{locked} has been asked to stop; what it has finished stays done."


def refuse_retry(user: Any, run: JobRun) -> str | None:
    """Return why `user` cannot have `run` tried again now, None when it works."""
    if not may_steer(user, run):
        return "You may run again only what you asked for yourself."
    if run.state in OPEN_STATES:
        return "It has not ended yet."
    if run.state == RunState.SUCCEEDED:
        return "It succeeded; start the work anew where it belongs if it is needed once more."
    job = find_job(run.key)
    if job is None:
        return f"This version of mops has no job {run.key} any more."
    if run.attempts + job.max_attempts > MOST_RETRIED:
        return f"It has been tried {run.attempts} times; find out why it fails before asking anew."
    return None


def retry(run: JobRun, *, by: Any, reason: str) -> str:
    """Queue an ended `run` once more, with as many attempts as a new one has.

    Args:
        run: one that failed, timed out, died, was skipped or cancelled.
        by: who asks; the run goes on acting for whoever asked first.
        reason: why it should work this time, kept in its log.

    Raises:
        NotAllowed: `by` neither asked for it nor looks after jobs.
        WrongState: it has not ended, succeeded, was tried too often, or its job is gone.
    """
    with transaction.atomic():
        locked = _locked(run, by, refuse_retry)
        job = find_job(locked.key)
        if job is None:
            raise WrongState(f"This version of mops has no job {locked.key} any more.")
        JobRun.objects.filter(pk=locked.pk).update(
            state=RunState.QUEUED,
            queue=job.queue,
            timeout=job.timeout,
            attempt_limit=locked.attempts + job.max_attempts,
            available_at=Now(),
            started_at=None,
            finished_at=None,
            handed_at=None,
            cancel_requested_at=None,
            done=0,
            total=0,
            counts={},
            error="",
            traceback="",
        )
        _note(locked, f"{_name(by)} asked to run it again: {reason.strip()}")
        wake_workers(job.queue)
    return f"{locked} is queued again."


def may_steer(user: Any, run: JobRun) -> bool:
    """Whether `user` may cancel and retry `run`: who asked for it, and who looks after jobs."""
    own = user.is_active and run.requested_by_id is not None and run.requested_by_id == user.pk
    return own or bool(access.can(user, "change", run))


def _locked(run: JobRun, by: Any, refusal: Any) -> JobRun:
    locked = JobRun.objects.select_for_update(of=("self",)).get(pk=run.pk)
    if refused := refusal(by, locked):
        raise (WrongState if may_steer(by, locked) else NotAllowed)(refused)
    return locked


def _note(run: JobRun, text: str) -> None:
    JobLogLine.objects.create(run=run, attempt=run.attempts, text=text[:500])


def _name(by: Any) -> str:
    return str(by if by is not None else current_actor().label)
