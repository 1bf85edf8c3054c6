"""The figures of a process as numbers over a period: what improvements, maturity and the roadmap are bound to."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from statistics import median

from django.db.models import Exists, OuterRef, Q

from apps.core import clock
from apps.core.words import NOTHING
from apps.processes.domain.figures import Happened, automation_coverage, count_steps, working_time
from apps.processes.enums import ProcessFigure, RunState, StepDeed
from apps.processes.models import Process, Run, RunStepEvent, Step

STRAYED = (StepDeed.WAIVED, StepDeed.MOVED)


@dataclass(frozen=True)
class Measured:
    """A figure over a period.

    Attributes:
        value: minutes or percent; None where nothing could be counted.
        sample: the runs it was counted from.
    """

    value: Decimal | None
    sample: int


def strayed() -> Q:
    """Return the condition on a run: a step was left out, or it changed its version."""
    return Q(Exists(RunStepEvent.objects.filter(run=OuterRef("pk"), deed__in=STRAYED)))


def measure(
    process: Process, figure: ProcessFigure | str, *, since: dt.datetime, until: dt.datetime | None = None
) -> Measured:
    """Return one figure of a process from all its runs that began in a period, whoever may see them.

    The formulas are those of the page with the figures (`figures.report`).

    Args:
        process: whose figure.
        figure: which one.
        since: runs that began at this moment or later count.
        until: runs that began before this moment count; now when not given.
    """
    end = until or clock.now()
    runs = Run.objects.filter(process=process, started_at__gte=since, started_at__lt=end)
    figure, finished = ProcessFigure(figure), runs.filter(state=RunState.DONE)
    if figure == ProcessFigure.CONFORMANCE:
        return _share(finished.exclude(strayed()).count(), finished.count())
    if figure == ProcessFigure.EXECUTION:
        working, spans = working_time(), finished.values_list("started_at", "ended_at")
        times = [working(start, over).total_seconds() / 60 for start, over in spans if over is not None]
        return Measured(_rounded(median(times)) if times else None, len(times))
    if figure == ProcessFigure.REWORK:
        again = RunStepEvent.objects.filter(run=OuterRef("pk"), deed=StepDeed.REOPENED)
        return _share(runs.filter(Exists(again)).count(), runs.count())
    return _from_events(process, figure, runs.count(), since, end)


def _from_events(
    process: Process, figure: ProcessFigure, runs: int, since: dt.datetime, until: dt.datetime
) -> Measured:
    rows = RunStepEvent.objects.filter(
        run__process=process, run__started_at__gte=since, run__started_at__lt=until
    ).order_by("run_id", "key", "at", "id")
    counted = count_steps([Happened(*each) for each in rows.values_list("run_id", "key", "deed", "at")], working_time())
    if figure == ProcessFigure.WAITING:
        waits = [minutes for each in counted.values() for minutes in each.waiting]
        return Measured(_rounded(median(waits)) if waits else None, runs)
    if figure == ProcessFigure.ERRORS:
        done, failed = (sum(getattr(each, name) for each in counted.values()) for name in ("done", "failed"))
        return Measured(_share(failed, done + failed).value, runs)
    known = Step.objects.filter(version__process=process, version__effective_at__isnull=False).order_by("version")
    steps = {key: (mode, minutes) for key, mode, minutes in known.values_list("key", "mode", "minutes")}
    coverage = automation_coverage(counted, steps)
    return Measured(None if coverage is None else _rounded(coverage * 100), runs)


def _share(part: int, whole: int) -> Measured:
    return Measured(_rounded(100 * part / whole) if whole else None, whole)


def _rounded(value: float) -> Decimal:
    return Decimal(str(round(value, 2)))


def in_words(value: Decimal | None, figure: ProcessFigure | str) -> str:
    """Return a figure as people read it."""
    if value is None:
        return NOTHING
    unit = ProcessFigure(figure).unit
    if unit == "%":
        return f"{value.normalize():f} %"
    return f"{value:.0f} min" if value < 120 else f"{value / 60:.1f} working hours"
