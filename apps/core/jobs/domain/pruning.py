"""Deletes runs that ended long ago; what they changed stands in the ledger, which nobody prunes."""

import datetime as dt
from collections.abc import Callable

from django.db import transaction
from django.db.models import Q

from apps.core.jobs.models import BAD_STATES, OPEN_STATES, JobLogLine, JobRun, WorkerCluster
from apps.core.retention.domain.periods import kept
from apps.core.retention.registry import Period, register_period

ENDED = "the end of the run"
# what the clock asked for and what went well: thousands a day
ROUTINE = register_period(Period("jobs.routine", "Runs by the clock that went well", 7, 1, 90, ENDED))
GOOD = register_period(Period("jobs.good", "Runs that people asked for", 90, 7, 730, ENDED))
BAD = register_period(Period("jobs.bad", "Runs that went wrong", 365, 30, 1825, ENDED))
KEEP_CLUSTERS = dt.timedelta(days=1)
AT_ONCE = 500


def prune(now: dt.datetime, *, stop: Callable[[], None] = lambda: None) -> dict[str, int]:
    """Delete what is older than its period; `ROUTINE` holds for the clock's own, `BAD` where it went wrong.

    Args:
        now: the moment from which age is counted.
        stop: called between batches; raises when somebody wants this to stop.

    Returns:
        How many runs and how many entries of worker clusters went.
    """
    old = JobRun.objects.filter(
        Q(finished_at__lt=now - kept(BAD))
        | (~Q(state__in=BAD_STATES) & Q(finished_at__lt=now - kept(GOOD)))
        | (~Q(state__in=BAD_STATES) & Q(requested_by__isnull=True, finished_at__lt=now - kept(ROUTINE)))
    ).exclude(state__in=OPEN_STATES)
    deleted = 0
    while batch := list(old.order_by("id").values_list("pk", flat=True)[:AT_ONCE]):
        stop()
        with transaction.atomic():
            JobLogLine.objects.filter(run__in=batch).delete()
            JobRun.objects.filter(pk__in=batch).delete()
        deleted += len(batch)
    clusters, _ = WorkerCluster.objects.filter(beat_at__lt=now - KEEP_CLUSTERS).delete()
    return {"runs": deleted, "clusters": clusters}
