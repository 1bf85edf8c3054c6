"""What runs say about a process: how long, how much waiting, how often again, how much by machine, how true to the map.

Everything is counted from the events of runs, in working time of the default calendar; each figure has its formula
beside it on the page, and the rows it was counted from behind it.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from statistics import median
from typing import TYPE_CHECKING

from apps.core import clock
from apps.core.access import visible
from apps.core.calendars.domain.business_time import elapsed
from apps.core.calendars.domain.queries import default_calendar, schedule_for
from apps.core.calendars.models import BusinessCalendar
from apps.core.words import NOTHING
from apps.processes.domain.overlay import StepFigures
from apps.processes.enums import RunState, StepDeed, StepMode
from apps.processes.models import Process, Run, RunStepEvent, Step

if TYPE_CHECKING:
    from apps.accounts.models import User

Working = Callable[[dt.datetime, dt.datetime], dt.timedelta]
WEIGHT = {StepMode.AUTOMATED: 1.0, StepMode.ASSISTED: 0.5, StepMode.MANUAL: 0.0}
_STOPS = (StepDeed.DONE, StepDeed.FAILED, StepDeed.WAIVED, StepDeed.REOPENED, StepDeed.SKIPPED)
_GOES = (StepDeed.STARTED, StepDeed.RESUMED)


@dataclass(frozen=True)
class Happened:
    """One event, by value."""

    run: int
    key: str
    deed: str
    at: dt.datetime


@dataclass
class Counted:
    """What was counted for one step, or for a whole process.

    Attributes:
        runs: in how many runs it became due.
        waiting: minutes between being due or set waiting and being worked on, one entry per run.
        working: minutes of work, one entry per run in which it was done.
        done: how many times it was done.
        failed: how many times it failed.
        again: in how many runs it was done more than once, or failed and was tried again.
    """

    runs: int = 0
    waiting: list[float] = field(default_factory=list)
    working: list[float] = field(default_factory=list)
    done: int = 0
    failed: int = 0
    again: int = 0


@dataclass(frozen=True)
class Figure:
    """One figure of the page: its value in words, how it is counted, and the rows behind it."""

    name: str
    value: str
    formula: str
    rows: str


def count_steps(events: Iterable[Happened], working: Working) -> dict[str, Counted]:
    """Return what the events say per step key.

    Args:
        events: sorted by run, step and time.
        working: the working time between two moments.
    """
    found: dict[str, Counted] = {}
    for (_, key), group in groupby(events, key=lambda each: (each.run, each.key)):
        own = list(group)
        if all(each.deed in (StepDeed.SKIPPED, StepDeed.MOVED, StepDeed.ASSIGNED) for each in own):
            continue
        counted = found.setdefault(key, Counted())
        waited, worked = _stretches(own, working)
        done = sum(each.deed == StepDeed.DONE for each in own)
        failed = sum(each.deed == StepDeed.FAILED for each in own)
        counted.runs += 1
        counted.done, counted.failed = counted.done + done, counted.failed + failed
        counted.again += done > 1 or (failed > 0 and done > 0)
        if any(each.deed in _GOES for each in own):
            counted.waiting.append(waited)
            if done:
                counted.working.append(worked)
    return found


def _stretches(events: Sequence[Happened], working: Working) -> tuple[float, float]:
    """Return the minutes in which a step of one run waited, and those in which it was worked on."""
    waited = worked = 0.0
    since: dt.datetime | None = None
    at_work = False
    for event in events:
        if event.deed not in (StepDeed.OPENED, StepDeed.WAITED, *_GOES, *_STOPS):
            continue
        if since is not None:
            minutes = working(since, event.at).total_seconds() / 60
            worked, waited = (worked + minutes, waited) if at_work else (worked, waited + minutes)
        at_work = event.deed in _GOES
        since = None if event.deed in _STOPS else event.at
    return waited, worked


def automation_coverage(counted: Mapping[str, Counted], steps: Mapping[str, tuple[str, int | None]]) -> float | None:
    """Return the share (0 to 1) of the estimated work that machines did; None where no step has minutes.

    Σ weight × minutes × times done ÷ Σ minutes × times done; automated counts 1, assisted ½, by hand 0.

    Args:
        counted: what was done, by step key.
        steps: mode and estimated minutes, by step key.
    """
    total = machine = 0.0
    for key, (mode, minutes) in steps.items():
        work = (minutes or 0) * (counted[key].done if key in counted else 0)
        total, machine = total + work, machine + work * WEIGHT[StepMode(mode)]
    return machine / total if total else None


def events_of(process: Process, user: "User", since: dt.datetime) -> list[Happened]:
    """Return what happened in the runs of `process` that `user` sees and that began since then."""
    rows = visible(user, RunStepEvent).filter(run__process=process, run__started_at__gte=since)
    values = rows.order_by("run_id", "key", "at", "id").values_list("run_id", "key", "deed", "at")
    return [Happened(*each) for each in values.iterator(chunk_size=5000)]


def working_time() -> Working:
    """Return how working time is counted: on the default calendar, by the clock on the wall where there is none."""
    if not BusinessCalendar.objects.filter(is_default=True).exists():
        return lambda start, end: end - start
    schedule = schedule_for(default_calendar())
    return lambda start, end: elapsed(schedule, start, end)


def overlay(process: Process, user: "User", *, since: dt.datetime | None = None) -> Mapping[str, StepFigures]:
    """Return the figures that the process map shows per step, from the runs of a year where nothing else is asked."""
    events = events_of(process, user, since or clock.now() - dt.timedelta(days=365))
    counted = count_steps(events, working_time()) if events else {}
    return {
        key: StepFigures(each.runs, _median(each.waiting), _median(each.working), each.again / each.runs)
        for key, each in counted.items()
    }


@dataclass(frozen=True)
class Report:
    """The figures of a process over a period: of the whole, and of each step."""

    figures: tuple[Figure, ...]
    steps: tuple[tuple[str, str, Counted, str, str], ...]
    runs: int


def report(process: Process, user: "User", since: dt.datetime) -> Report:
    """Return the figures of `process` from the runs that `user` sees and that began since `since`."""
    working, events = working_time(), events_of(process, user, since)
    counted = count_steps(events, working)
    runs = visible(user, Run).filter(process=process, started_at__gte=since)
    finished = [
        working(start, end).total_seconds() / 60
        for start, end in runs.filter(state=RunState.DONE).values_list("started_at", "ended_at")
        if end is not None
    ]
    known = Step.objects.filter(version__process=process, version__effective_at__isnull=False)
    steps = {
        key: (mode, minutes) for key, mode, minutes in known.order_by("version").values_list("key", "mode", "minutes")
    }
    titles = dict(known.order_by("version").values_list("key", "title"))
    done_runs = set(runs.filter(state=RunState.DONE).values_list("pk", flat=True))
    strayed = {each.run for each in events if each.deed in (StepDeed.WAIVED, StepDeed.MOVED)} & done_runs
    lines = tuple(
        (key, titles[key], counted[key], _time(_median(counted[key].waiting)), _time(_median(counted[key].working)))
        for key in titles
        if key in counted
    )
    coverage = automation_coverage(counted, steps)
    again = {each.run for each in events if each.deed == StepDeed.REOPENED}
    shown = _figures(counted, finished, coverage, len(again), runs.count(), len(done_runs), len(strayed))
    return Report(shown, lines, runs.count())


def _figures(
    counted: Mapping[str, Counted],
    finished: Sequence[float],
    coverage: float | None,
    again: int,
    runs: int,
    done_runs: int,
    strayed: int,
) -> tuple[Figure, ...]:
    done, failed = (sum(getattr(each, name) for each in counted.values()) for name in ("done", "failed"))
    waits = [minutes for each in counted.values() for minutes in each.waiting]
    return (
        Figure(
            "Execution time", _time(_median(finished)), "Median working time from start to end of finished runs.", "run"
        ),
        Figure(
            "Waiting time",
            _time(_median(waits)),
            "Median per step and run: working time from being due, or set waiting, until somebody works on it.",
            "waited",
        ),
        Figure("Rework rate", _share(again, runs), "Runs in which a step was done again ÷ all runs.", "reopened"),
        Figure("Error rate", _share(failed, done + failed), "Failures ÷ (failures + steps done).", "failed"),
        Figure(
            "Automation coverage",
            NOTHING if coverage is None else f"{coverage:.0%}",
            "Σ weight × estimated minutes × times done ÷ Σ estimated minutes × times done; automated 1, assisted ½, "
            "by hand 0.",
            "done",
        ),
        Figure(
            "Conformance",
            _share(done_runs - strayed, done_runs),
            "Finished runs in which no step was left out and the version did not change ÷ finished runs; behind it "
            "those that did not conform.",
            "conforms",
        ),
    )


def _median(values: Sequence[float]) -> float | None:
    return median(values) if values else None


def _time(minutes: float | None) -> str:
    if minutes is None:
        return NOTHING
    return f"{round(minutes)} min" if minutes < 120 else f"{minutes / 60:.1f} working hours"


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.0%} ({part} of {whole})" if whole else NOTHING
