"""How a worker takes a run, keeps it and gives it back: attempt counted first, one holder at a time, by lease.

All moments that decide come from the database's clock, so that machines whose clocks differ agree.
"""

import datetime as dt
import uuid
from collections.abc import Mapping

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now

from apps.core.jobs.domain.consequences import after_end
from apps.core.jobs.models import JobLogLine, JobRun, RunState
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
    with transaction.atomic():
        run = JobRun.objects.select_for_update(of=("self",), skip_locked=True).filter(pk=pk).first()
        if run is None or run.state != RunState.QUEUED:
            return None
        job = find_job(run.key)
        if job is None:
            end(run, RunState.FAILED, error=f"This version of mops has no job {run.key}; nothing was done.")
            return None
        if run.attempts >= run.attempt_limit:
            end(run, RunState.DEAD, error="It was begun as often as it may be and never came back.")
            return None
        if not _begin(run, worker):
            _step_aside(run, job.overlap)
            return None
    run.refresh_from_db()
    return run


def renew(run: JobRun) -> bool:
    """Prolong the lease; False when the run is no longer this worker's."""
    return bool(_mine(run).update(lease_until=Now() + LEASE, heartbeat_at=Now()))


def finish(
    run: JobRun, state: RunState, *, counts: Mapping[str, int] | None = None, error: str = "", traceback: str = ""
) -> bool:
    """End the run in `state`; False when it is no longer this worker's, and then nothing changes."""
    with transaction.atomic():
        if not _mine(run).select_for_update(of=("self",)).exists():
            return False
        end(run, state, counts=counts, error=error, traceback=traceback)
    return True


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


def _begin(run: JobRun, worker: str) -> bool:
    try:
        with transaction.atomic():
            JobRun.objects.filter(pk=run.pk).update(
                state=RunState.RUNNING,
                attempts=F("attempts") + 1,
                worker=worker[:100],
                lease_token=uuid.uuid4(),
                lease_until=Now() + LEASE,
                heartbeat_at=Now(),
                started_at=Now(),
                done=0,
                total=0,
                counts={},
            )
    except IntegrityError:  # jobrun_one_at_a_time: the same work is running
        return False
    return True


def _step_aside(run: JobRun, overlap: Overlap) -> None:
    if overlap is Overlap.FORBID:
        end(run, RunState.SKIPPED_OVERLAP, error="The same work was running already; this run was not needed.")
    else:
        JobRun.objects.filter(pk=run.pk).update(available_at=Now() + WAIT_FOR_OTHER, handed_at=None)


def _mine(run: JobRun) -> "QuerySet[JobRun]":
    return JobRun.objects.filter(pk=run.pk, state=RunState.RUNNING, lease_token=run.lease_token)


def end(
    run: JobRun, state: RunState, *, counts: Mapping[str, int] | None = None, error: str = "", traceback: str = ""
) -> None:
    """End a run that is locked, or that no worker holds any more."""
    JobRun.objects.filter(pk=run.pk).update(
        state=state,
        finished_at=Now(),
        lease_until=None,
        lease_token=None,
        counts=dict(counts or {}),
        error=error,
        traceback=traceback,
    )
    after_end(run, state, error)
