"""What other apps use of the jobs: `from apps.core.jobs.api import job, enqueue, Run, Overlap`."""

from apps.core.jobs.domain.runs import enqueue
from apps.core.jobs.models import JobRun, RunState
from apps.core.jobs.registry import Overlap, job
from apps.core.jobs.run import JobCancelled, JobTimedOut, LeaseLost, Run

__all__ = ["JobCancelled", "JobRun", "JobTimedOut", "LeaseLost", "Overlap", "Run", "RunState", "enqueue", "job"]
