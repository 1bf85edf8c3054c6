"""When sources are due: by their own schedule, once however many times were missed."""

import datetime as dt
from collections.abc import Iterable

from django.conf import settings
from django.db.models import Max, Q

from apps.core.exchange.domain.syncing import SYNC_JOB
from apps.core.exchange.enums import ScheduleKind
from apps.core.exchange.models import FileSource
from apps.core.jobs.api import JobRun, enqueue
from apps.core.jobs.models import OPEN_STATES
from apps.core.jobs.schedule import Schedule, latest_due


def schedule_of(source: FileSource) -> Schedule | None:
    """Return the clock a source goes by, None when it is read by hand only."""
    if source.schedule == ScheduleKind.DAILY and source.daily_at:
        cron = f"{source.daily_at.minute} {source.daily_at.hour} * * *"
        return Schedule(SYNC_JOB, cron=cron, zone=settings.TIME_ZONE)
    if source.schedule == ScheduleKind.MINUTES and source.every:
        return Schedule(SYNC_JOB, every=dt.timedelta(minutes=source.every))
    if source.schedule == ScheduleKind.HOURS and source.every:
        return Schedule(SYNC_JOB, every=dt.timedelta(hours=source.every))
    return None


def is_due(source: FileSource, last: dt.datetime | None, now: dt.datetime) -> bool:
    """Whether a moment of the schedule has passed since the last scheduled run, or since the source was made.

    Args:
        source: the source.
        last: when it was last read by the clock.
        now: the moment to look at.
    """
    schedule = schedule_of(source)
    return schedule is not None and latest_due(schedule, now) > max(last or source.created_at, source.created_at)


def due_sources(now: dt.datetime) -> list[FileSource]:
    """Return the sources whose time has come and that are not being read."""
    busy = _busy()
    waiting: Iterable[FileSource] = (
        FileSource.objects.live()
        .filter(enabled=True)
        .exclude(schedule=ScheduleKind.MANUAL)
        .annotate(last_read=Max("runs__started_at", filter=Q(runs__scheduled=True)))
        .select_related("owner")
        .order_by("pk")
    )
    return [
        source
        for source in waiting
        if source.pk not in busy and is_due(source, source.last_read, now)  # type: ignore[attr-defined]  # annotated
    ]


def _busy() -> set[int]:
    """The sources whose sync is queued or running."""
    running = JobRun.objects.filter(key=SYNC_JOB, state__in=OPEN_STATES)
    return set(running.values_list("args__source_id", flat=True))


def queue_due_sources(now: dt.datetime) -> int:
    """Queue a sync for every source that is due; returns how many. Each runs in the name of its owner."""
    due = due_sources(now)
    for source in due:
        enqueue(SYNC_JOB, args={"source_id": source.pk, "scheduled": True}, by=None)
    return len(due)
