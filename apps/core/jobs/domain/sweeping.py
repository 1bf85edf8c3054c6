"""Finds runs whose worker is gone and gives them to another, or gives them up."""

from collections.abc import Sequence

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from apps.core import clock
from apps.core.jobs.domain import claims
from apps.core.jobs.models import JobRun, RunState

AT_ONCE = 200


def sweep() -> dict[str, int]:
    """Deal with every running run whose lease has ended; many may sweep at once.

    Returns:
        How many were queued again, timed out, were given up as dead, or were cancelled.
    """
    counts = dict.fromkeys(("queued", "timed_out", "dead", "cancelled"), 0)
    with transaction.atomic():
        lost = JobRun.objects.select_for_update(of=("self",), skip_locked=True).filter(
            state=RunState.RUNNING, lease_until__lt=Now()
        )
        for run in lost.select_related("requested_by").order_by("id")[:AT_ONCE]:
            counts[_settle(run)] += 1
    return counts


def _settle(run: JobRun) -> str:
    began = run.started_at
    if run.cancel_requested_at is not None:
        claims.end(run, RunState.CANCELLED, error="Cancelled; its worker ended meanwhile.")
        return "cancelled"
    if began is not None and (clock.now() - began).total_seconds() > run.timeout:
        claims.end(run, RunState.TIMED_OUT, error=claims.over_time(run))
        return "timed_out"
    if run.attempts >= run.attempt_limit:
        times = "once" if run.attempts == 1 else f"{run.attempts} times"
        claims.say(run, "The worker died; that was the last attempt.")
        claims.end(run, RunState.DEAD, error=f"It was begun {times} and its worker died each time.")
        return "dead"
    pause = claims.pause_after(run.attempts)
    claims.say(run, f"The worker of attempt {run.attempts} died; the next one begins in {pause.total_seconds():.0f} s.")
    claims.requeue(run, pause=pause)
    return "queued"


def workers_died(workers: Sequence[str]) -> int:
    """End the leases of runs whose workers, named as in `JobRun.worker`, are known to be gone."""
    if not workers:
        return 0
    gone = JobRun.objects.filter(state=RunState.RUNNING, worker__in=workers, lease_until__gte=Now())
    return gone.update(lease_until=Now() - claims.AN_INSTANT)


def cluster_died(cluster: str, *, orderly: bool = False) -> int:
    """Take back everything a cluster had that is known to be gone: what it ran and what it had been handed.

    Args:
        cluster: its name, the part of `JobRun.worker` before the slash.
        orderly: it was stopped for reasons of its own, so the attempt it had begun does not count.
    """
    of_cluster = Q(worker=cluster) | Q(worker__startswith=f"{cluster}/")
    JobRun.objects.filter(of_cluster, state=RunState.QUEUED, handed_at__isnull=False).update(handed_at=None)
    running = JobRun.objects.filter(of_cluster, state=RunState.RUNNING)
    if not orderly:
        return running.update(lease_until=Now() - claims.AN_INSTANT)
    with transaction.atomic():
        held = list(running.select_for_update(of=("self",)))
        for run in held:
            claims.say(run, "The worker was stopped; the run begins anew with the next one.")
            claims.requeue(run, pause=claims.NO_PAUSE)
        JobRun.objects.filter(pk__in=[run.pk for run in held]).update(attempts=F("attempts") - 1)
    return len(held)
