"""The jobs that look after jobs."""

from django_q.models import Task

from apps.core import clock
from apps.core.jobs.domain.pruning import GOOD, prune
from apps.core.jobs.registry import Overlap, job
from apps.core.jobs.run import Run
from apps.core.retention.domain.periods import kept


@job("jobs.prune", title="Clear away old runs", timeout=300, overlap=Overlap.FORBID)
def prune_runs(run: Run) -> dict[str, int]:
    """Delete runs that ended long ago with their log lines, and what django-q2 noted of failures of its own."""
    now = clock.now()
    counts = prune(now, stop=run.raise_if_cancelled)
    packages, _ = Task.objects.filter(started__lt=now - kept(GOOD)).delete()
    return {**counts, "packages": packages}
