"""How a worker takes a run, keeps it and gives it back: attempt counted first, one holder at a time, by lease.

All moments that decide come from the database's clock, so that machines whose clocks differ agree.
"""

import datetime as dt
import uuid
from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now

from apps.core import clock
from apps.core.jobs.domain.consequences import after_end
from apps.core.jobs.models import BAD_STATES, JobLogLine, JobRun, RunState
from apps.core.jobs.registry import Overlap, find_job

LEASE = dt.timedelta(seconds=30)
HANDED_FOR = dt.timedelta(seconds=15)
NO_PAUSE, AN_INSTANT = dt.timedelta(0), dt.timedelta(seconds=1)
WAIT_FOR_OTHER = dt.timedelta(seconds=2)
LONGEST_PAUSE_SECONDS = 600
LONGEST_LINE = 500


def pause_after(attempt: int) -> dt.timedelta:
    """Return how long to wait after the n-th attempt has failed, counted from 1: 5 s, 10 s, 20 s, … 10 min."""
    return dt.timedelta(seconds=min(settings.JOBS_FIRST_PAUSE_SECONDS * 2 ** (attempt - 1), LONGEST_PAUSE_SECONDS))


def claim(pk: int, *, worker: str) -> JobRun | None:
    """Take the queued run `pk` for `worker`: from now on it is this worker's until the lease ends.

    Returns:
        The run, its attempt counted; None when there is nothing to do: somebody else has it, it is over, its job is
        gone, or another run stands in its way.
    """
    run = JobRun.objects.select_related("requested_by").filter(pk=pk, state=RunState.QUEUED).first()
    if run is None:
        return None
    job = find_job(run.key)
    if job is None:
        _end_queued(run, RunState.FAILED, f"This version of mops has no job {run.key}; nothing was done.")
    elif run.attempts >= run.attempt_limit:
        _end_queued(run, RunState.DEAD, "It was begun as often as it may be and never came back.")
    elif _begin(run, worker, job.overlap):
        return run
    return None


def renew(run: JobRun) -> bool:
    """Prolong the lease; False when the run is no longer this worker's."""
    return bool(_mine(run).update(lease_until=Now() + LEASE, heartbeat_at=Now()))


def finish(
    run: JobRun, state: RunState, *, counts: Mapping[str, int] | None = None, error: str = "", traceback: str = ""
) -> bool:
    """End the run in `state`; False when it is no longer this worker's, and then nothing changes."""
    values = _last_words(state, counts=counts, error=error, traceback=traceback)
    if state in BAD_STATES:  # what follows, the alert for one, belongs to the same transaction
        with transaction.atomic():
            return _close(_mine(run), run, state, values)
    return _close(_mine(run), run, state, values)


def put_back(run: JobRun, *, error: str, traceback: str = "") -> bool:
    """Queue the run again after a failed attempt; False when it is no longer this worker's."""
    with transaction.atomic():
        if not _mine(run).select_for_update(of=("self",)).exists():
            return False
        pause = pause_after(run.attempts)
        say(run, f"Attempt {run.attempts} failed: {error} It is tried again in {pause.total_seconds():.0f} seconds.")
        requeue(run, pause=pause, error=error, traceback=traceback)
    return True


def requeue(run: JobRun, *, pause: dt.timedelta, error: str = "", traceback: str = "") -> None:
    """Make a locked run wait for its next attempt."""
    JobRun.objects.filter(pk=run.pk).update(
        state=RunState.QUEUED,
        available_at=Now() + pause,
        handed_at=None,
        lease_until=None,
        lease_token=None,
        error=error,
        traceback=traceback,
    )


def over_time(run: JobRun) -> str:
    """Return what is said of a run that used up its time."""
    return f"It was stopped after its time limit of {run.timeout} second{'' if run.timeout == 1 else 's'}."


def say(run: JobRun, text: str) -> None:
    """Add a sentence to the run's log."""
    JobLogLine.objects.create(run=run, attempt=run.attempts, text=text[:LONGEST_LINE])


def _begin(run: JobRun, worker: str, overlap: Overlap) -> bool:
    """Take the run if it still is as it was read: one statement, of which only one can come first."""
    token, as_read = uuid.uuid4(), JobRun.objects.filter(pk=run.pk, state=RunState.QUEUED, attempts=run.attempts)
    try:
        with transaction.atomic() if connection.in_atomic_block else nullcontext():
            taken = as_read.update(
                state=RunState.RUNNING,
                attempts=F("attempts") + 1,
                worker=worker[:100],
                lease_token=token,
                lease_until=Now() + LEASE,
                heartbeat_at=Now(),
                started_at=Now(),
                done=0,
                total=0,
                counts={},
            )
    except IntegrityError:  # jobrun_one_at_a_time: the same work is running
        if overlap is Overlap.FORBID:
            _end_queued(run, RunState.SKIPPED_OVERLAP, "The same work was running already; this run was not needed.")
        else:
            as_read.update(available_at=Now() + WAIT_FOR_OTHER, handed_at=None)
        return False
    run.state, run.attempts, run.lease_token, run.worker = RunState.RUNNING, run.attempts + 1, token, worker[:100]
    run.started_at = clock.now()
    return bool(taken)


def _end_queued(run: JobRun, state: RunState, error: str) -> None:
    with transaction.atomic():
        _close(JobRun.objects.filter(pk=run.pk, state=RunState.QUEUED), run, state, _last_words(state, error=error))


def _mine(run: JobRun) -> "QuerySet[JobRun]":
    return JobRun.objects.filter(pk=run.pk, state=RunState.RUNNING, lease_token=run.lease_token)


def end(run: JobRun, state: RunState, *, error: str) -> None:
    """End a locked run whose worker is gone."""
    _close(JobRun.objects.filter(pk=run.pk), run, state, _last_words(state, error=error))


def _last_words(
    state: RunState, *, counts: Mapping[str, int] | None = None, error: str = "", traceback: str = ""
) -> dict[str, Any]:
    freed = {"finished_at": Now(), "lease_until": None, "lease_token": None}
    return {"state": state, "counts": dict(counts or {}), "error": error, "traceback": traceback, **freed}


def _close(rows: "QuerySet[JobRun]", run: JobRun, state: RunState, values: dict[str, Any]) -> bool:
    if not rows.update(**values):
        return False
    after_end(run, state, str(values["error"]))
    return True
