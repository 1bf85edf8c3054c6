"""Runs one run: the only function that django-q2 is ever told to call, and what happens around a job's function."""

import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress

import psycopg
import structlog
from django.db import InterfaceError, OperationalError, connection

from apps.core.actors import Channel, acting_as, system_principal
from apps.core.admin_kit.refusals import sentence_of
from apps.core.errors import DomainError
from apps.core.jobs.desk import DirectDesk, ThreadDesk
from apps.core.jobs.domain import claims
from apps.core.jobs.models import JobRun, RunState
from apps.core.jobs.names import cluster_name, worker_name
from apps.core.jobs.registry import Job, find_job
from apps.core.jobs.run import JobCancelled, JobTimedOut, LeaseLost, Run
from apps.core.redaction import redact

log = structlog.get_logger(__name__)
GRACE_SECONDS = 30  # after this much more django-q2 kills the process of a run that ignores its time limit
PATIENCE_SECONDS = 20  # less than the lease
LONGEST_TRACEBACK = 20_000
MakeDesk = Callable[[JobRun], AbstractContextManager[DirectDesk | ThreadDesk]]


def run_job(pk: int) -> str:
    """Run the run `pk` in a worker; returns what became of it."""
    try:
        return str(run_one(pk, worker=worker_name(cluster_name()), make_desk=_thread_desk))
    except (OperationalError, InterfaceError) as error:  # the server is away: the run stays queued, or its lease ends
        log.warning("jobs.database_away", run=pk, reason=str(error).strip())
        connection.close()
        return "database away"


def run_one(pk: int, *, worker: str, make_desk: MakeDesk) -> RunState | None:
    """Claim the run and carry it out; None when there was nothing to do."""
    run = claims.claim(pk, worker=worker)
    if run is None:
        return None
    job = find_job(run.key)
    if job is None:
        raise LookupError(run.key)  # claim() has looked
    structlog.contextvars.bind_contextvars(job=run.key, run=run.pk, attempt=run.attempts)
    try:
        return _carry_out(run, job, make_desk)
    finally:
        structlog.contextvars.unbind_contextvars("job", "run", "attempt")


def _carry_out(run: JobRun, job: Job, make_desk: MakeDesk) -> RunState | None:
    actor = run.requested_by or system_principal()
    with acting_as(actor, channel=Channel.JOB, job_id=str(run.pk), request_id=""):
        try:
            with make_desk(run) as desk, time_limit(run.timeout):
                counts = checked_counts(job.body(Run(run, actor, desk), **run.args))
        except JobCancelled:
            return _ended(run, RunState.CANCELLED, "Cancelled while it ran; what was finished before stays done.")
        except JobTimedOut:
            _leave_connection()
            return _ended(run, RunState.TIMED_OUT, claims.over_time(run))
        except LeaseLost:
            log.warning("jobs.lease_lost")
            return None
        except Exception as error:  # noqa: BLE001  # whatever a job does, its run must end in words
            return _failed(run, error)
        return _ended(run, RunState.SUCCEEDED, counts=counts)


def _ended(run: JobRun, state: RunState, error: str = "", counts: Mapping[str, int] | None = None) -> RunState | None:
    return state if _kept(lambda: claims.finish(run, state, counts=counts, error=error)) else None


def _failed(run: JobRun, error: Exception) -> RunState | None:
    """End the run, or queue it again: a refusal is final, anything else may pass."""
    sentence = sentence_of(error) or f"Something unexpected went wrong ({type(error).__name__})."
    whole = "" if isinstance(error, DomainError) else redact("".join(traceback.format_exception(error)))
    details = whole[-LONGEST_TRACEBACK:]
    final = isinstance(error, DomainError) or run.attempts >= run.attempt_limit
    log.warning("jobs.attempt_failed", final=final, error=redact(str(error)))
    if final:
        ended = _kept(lambda: claims.finish(run, RunState.FAILED, error=sentence, traceback=details))
        return RunState.FAILED if ended else None
    queued = _kept(lambda: claims.put_back(run, error=sentence, traceback=details))
    return RunState.QUEUED if queued else None


def _kept(write: Callable[[], bool]) -> bool:
    """Write what became of a run; where the server is away for a moment, keep trying while the lease lasts."""
    for _ in range(PATIENCE_SECONDS):
        try:
            kept = write()
        except (OperationalError, InterfaceError) as error:
            if connection.in_atomic_block:
                raise
            log.warning("jobs.database_away", reason=str(error).strip())
            connection.close()
            time.sleep(1)
            continue
        if not kept:
            log.warning("jobs.lease_lost")
        return kept
    return False


def checked_counts(result: object) -> dict[str, int]:
    """Return what a job's function returned when it is counts by name, or nothing.

    Raises:
        TypeError: it is something else; a mistake in the job.
    """
    if result is None:
        return {}
    if not isinstance(result, Mapping) or not all(isinstance(count, int) for count in result.values()):
        raise TypeError(f"A job returns counts by name, not {type(result).__name__}.")
    return {str(name): count for name, count in result.items()}


@contextmanager
def time_limit(seconds: int) -> Iterator[None]:
    """Raise `JobTimedOut` in the block after `seconds`; only where signals can be had, that is in a main thread.

    Whatever alarm was set outside goes on afterwards with the time it has left.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    began = time.monotonic()
    outer_handler = signal.signal(signal.SIGALRM, _time_is_up)
    outer_left, _ = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, outer_handler)
        if outer_left:
            signal.setitimer(signal.ITIMER_REAL, max(0.1, outer_left - (time.monotonic() - began)))


def _time_is_up(number: int, frame: object) -> None:
    """Have the server drop the statement it is at, which it would finish even with nobody left to listen."""
    session = connection.connection
    if session is not None and session.info.transaction_status == psycopg.pq.TransactionStatus.ACTIVE:
        with suppress(psycopg.Error):  # the connection may be gone as well, which is as good
            session.cancel_safe(timeout=5)
    raise JobTimedOut


def _leave_connection() -> None:
    """Start anew with the server where a statement was cut off in the middle."""
    if not connection.in_atomic_block:
        connection.close()


def _thread_desk(run: JobRun) -> ThreadDesk:
    return ThreadDesk(run, until=time.monotonic() + run.timeout + GRACE_SECONDS)
