"""Runs what is queued in this process, for tests of other apps: the real runner, without workers and waiting."""

from apps.core.jobs.desk import DirectDesk
from apps.core.jobs.models import JobRun, RunState
from apps.core.jobs.runner import run_one

MOST_ROUNDS = 1000


def run_queued_jobs() -> list[JobRun]:
    """Run every queued run, those that runs queue included, until none is left.

    A run that fails is tried again at once, as often as it may be, so that afterwards nothing is queued.

    Returns:
        The runs, in the order in which they were first begun, as they are now.

    Raises:
        RuntimeError: jobs go on queueing jobs.
    """
    begun: dict[int, None] = {}
    for _ in range(MOST_ROUNDS):
        waiting = JobRun.objects.filter(state=RunState.QUEUED).order_by("id").values_list("pk", flat=True).first()
        if waiting is None:
            found = JobRun.objects.in_bulk(begun)
            return [found[pk] for pk in begun]
        begun[waiting] = None
        run_one(waiting, worker="in process", make_desk=DirectDesk)
    raise RuntimeError(f"After {MOST_ROUNDS} runs there are still jobs queued.")
