"""Queues what the schedules say is due: each moment once, however many look at the clock; at most one catch-up."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module

from django.db import transaction

from apps.core.jobs.domain.runs import enqueue
from apps.core.jobs.models import JobRun, ScheduleState
from apps.core.jobs.registry import find_job
from apps.core.jobs.schedule import Schedule, latest_due, next_due


@dataclass(frozen=True)
class Planned:
    """A schedule as the page of schedules shows it."""

    schedule: Schedule
    title: str
    last_run: JobRun | None
    next_at: dt.datetime


def schedules() -> tuple[Schedule, ...]:
    """Return the one table of what runs when, `mops/schedules.py`."""
    table: tuple[Schedule, ...] = import_module("mops.schedules").SCHEDULES
    return table


def tick(now: dt.datetime, table: Sequence[Schedule] | None = None) -> list[JobRun]:
    """Queue every schedule that has become due since it was last looked at.

    A schedule seen for the first time owes nothing. One that was due several times while nobody looked is queued once.

    Args:
        now: the moment, aware.
        table: the schedules; those of `mops/schedules.py` when not given.
    """
    table = schedules() if table is None else table
    known = set(ScheduleState.objects.values_list("name", flat=True))
    fresh = [ScheduleState(name=each.key, last_due_at=now) for each in table if each.key not in known]
    ScheduleState.objects.bulk_create(fresh, ignore_conflicts=True)
    behind = {each.key: (each, latest_due(each, now)) for each in table}
    queued = []
    with transaction.atomic():
        states = ScheduleState.objects.select_for_update(of=("self",), skip_locked=True)
        for state in states.filter(name__in=behind).order_by("name"):
            schedule, due = behind[state.name]
            if due > state.last_due_at:
                queued.append(_queue(state, schedule, due))
    return queued


def _queue(state: ScheduleState, schedule: Schedule, due: dt.datetime) -> JobRun:
    run = enqueue(
        schedule.job, args=schedule.args, by=None, idempotency_key=f"schedule:{schedule.key}:{due.isoformat()}"
    )
    state.last_due_at, state.last_run = due, run
    state.save(update_fields=["last_due_at", "last_run"])
    return run


def planned(now: dt.datetime) -> list[Planned]:
    """Return the schedules with their last and next runs, the next one first."""
    states = ScheduleState.objects.select_related("last_run").in_bulk(field_name="name")
    rows = []
    for schedule in schedules():
        job, state = find_job(schedule.job), states.get(schedule.key)
        title = job.title if job else schedule.job
        rows.append(Planned(schedule, title, state.last_run if state else None, next_due(schedule, now)))
    return sorted(rows, key=lambda row: (row.next_at, row.title))
