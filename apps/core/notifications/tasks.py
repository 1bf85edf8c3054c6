"""The jobs of notifications: sending mail, making digests, putting away what is old."""

import datetime as dt
from collections import Counter

from apps.core import clock
from apps.core.jobs.api import Run, enqueue, job
from apps.core.notifications.domain.delivering import deliver_due, give_up_stuck
from apps.core.notifications.domain.digests import queue_digests
from apps.core.notifications.domain.pruning import prune
from apps.core.notifications.queue import DELIVER

BUDGET = dt.timedelta(minutes=4)


@job(DELIVER, title="Send mail", timeout=300)
def deliver_mail(run: Run) -> dict[str, int]:
    """Send what is due; asks for another run when there is more than fits into one."""
    counts: Counter[str] = Counter(unknown=give_up_stuck())
    until = clock.now() + BUDGET
    while batch := deliver_due():
        counts.update(batch)
        run.progress(sum(counts.values()), 0)
        run.raise_if_cancelled()
        if clock.now() >= until:
            enqueue(DELIVER, by=None)
            break
    return {name: number for name, number in counts.items() if number}


@job("notifications.send_digests", title="Make the daily digests", timeout=300)
def send_digests(run: Run) -> dict[str, int]:
    """Queue the digests whose hour has come; the mail itself goes with the next run that sends."""
    queued = queue_digests()
    if queued:
        enqueue(DELIVER, by=None)
    return {"digests": queued}


@job("notifications.prune", title="Put away old notifications and mail", timeout=300)
def put_away(run: Run) -> dict[str, int]:
    """Delete what is older than its time."""
    return prune()
