"""The measures of processes as a whole: documented, automated, measured, improved, mature."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from statistics import median
from typing import Any

from django.db.models import Exists, F, OuterRef
from django.urls import reverse

from apps.core import clock
from apps.core.measures import Measure, Reading, register_measure, share
from apps.processes.domain.automations import registered_on
from apps.processes.domain.figures import working_time
from apps.processes.domain.skills import standardised
from apps.processes.enums import (
    Criticality,
    Gain,
    ImprovementState,
    MaturityLevel,
    RunState,
    Standing,
    StepKind,
    StepMode,
)
from apps.processes.models import Automation, ComplianceStanding, Improvement, MaturityAssessment, Process, Run, Step

QUARTER = dt.timedelta(days=90)
YEAR = dt.timedelta(days=365)
KEY_WORKFLOWS = (Criticality.HIGH, Criticality.CRITICAL)


def _list(kind: str, query: str = "") -> str:
    return reverse(f"admin:processes_{kind}_changelist") + (f"?{query}" if query else "")


def _live() -> Any:
    return Process.objects.live()


def _in_force() -> Any:
    return _live().filter(effective_version__isnull=False)


def documented() -> Reading:
    """Processes in use that are standardised and documented."""
    return share(_live().filter(standardised()).count(), _live().count(), _list("process", "documented=yes"))


def automated() -> Reading:
    """Processes in force with an automation in the register."""
    return share(_in_force().filter(registered_on()).count(), _in_force().count(), _list("automation"))


def key_workflows_automated() -> Reading:
    """The same among those of high or critical importance."""
    key = _in_force().filter(criticality__in=KEY_WORKFLOWS)
    rows = _list("process", "criticality__exact=high")
    return share(key.filter(registered_on()).count(), key.count(), rows)


def measured() -> Reading:
    """Processes in force whose figures are counted: carried out to the end in the last quarter."""
    runs = Run.objects.filter(process=OuterRef("pk"), state=RunState.DONE, ended_at__gte=clock.now() - QUARTER)
    return share(_in_force().filter(Exists(runs)).count(), _in_force().count(), _list("run", "state__exact=done"))


def quality_automated() -> Reading:
    """Check steps in force that a machine does, wholly or in part."""
    steps = Step.objects.filter(version=F("version__process__effective_version"), kind=StepKind.CHECK)
    steps = steps.filter(version__process__archived_at__isnull=True)
    rows = _list("step", "kind__exact=check")
    return share(steps.exclude(mode=StepMode.MANUAL).count(), steps.count(), rows)


def improving() -> Reading:
    """Processes in force with an improvement that was validated within a year and got better."""
    rows = Improvement.objects.filter(
        process=OuterRef("pk"),
        state=ImprovementState.CLOSED,
        closed_at__gte=clock.now() - YEAR,
        gain__in=(Gain.REACHED, Gain.BETTER),
    )
    found = _in_force().filter(Exists(rows)).count()
    return share(found, _in_force().count(), _list("improvement", "state__exact=closed"))


def mature(level: MaturityLevel) -> Reading:
    """Processes in use that stand at a level or above, as last assessed."""
    newest = MaturityAssessment.objects.filter(process=OuterRef("pk")).order_by("-at", "-id").values("level")[:1]
    rows = _live().annotate(stands=newest)
    return share(rows.filter(stands__gte=level).count(), rows.count(), reverse("processes-maturity"))


def efficiency() -> Reading:
    """How much less working time finished runs take than in the first quarter of each process, weighted by runs."""
    now, working = clock.now(), working_time()
    before = after = 0.0
    counted = 0
    spans: dict[int, list[tuple[dt.datetime, dt.datetime]]] = {}
    done = Run.objects.filter(state=RunState.DONE, ended_at__isnull=False).order_by("process", "started_at")
    for process, start, end in done.values_list("process", "started_at", "ended_at"):
        spans.setdefault(process, []).append((start, end))
    for each in spans.values():
        first = each[0][0]
        if first + QUARTER > now - QUARTER:
            continue
        base = [working(*span).total_seconds() for span in each if span[0] < first + QUARTER]
        late = [working(*span).total_seconds() for span in each if span[0] >= now - QUARTER]
        if late:
            before, after = before + len(late) * median(base), after + len(late) * median(late)
            counted += 1
    rows = _list("run", "state__exact=done")
    if not before:
        return Reading(None, rows=rows, note="It needs finished runs in two quarters of at least one process.")
    gain = Decimal(str(round(100 * (1 - after / before), 1)))
    return Reading(gain, counted, len(spans), rows, f"From {counted} of {len(spans)} processes with finished runs.")


def automations_live() -> Reading:
    """Automations in use."""
    number = Automation.objects.in_use().count()
    return Reading(Decimal(number), number, number, _list("automation", "state__exact=live"))


def free_of_findings() -> Reading:
    """Processes in use that meet every compliance rule or have a waiver."""
    failed = Exists(ComplianceStanding.objects.filter(process=OuterRef("pk"), outcome=Standing.FAILED))
    return share(_live().exclude(failed).count(), _live().count(), _list("compliancestanding", "outcome__exact=failed"))


# key, title, formula in words, what counts it
MEASURES: tuple[tuple[str, str, str, Callable[[], Reading]], ...] = (
    (
        "processes.documented",
        "Processes standardised and documented",
        "Processes in use with a version with steps in force and an owner ÷ processes in use.",
        documented,
    ),
    (
        "processes.automated",
        "Processes automated",
        "Processes in force with a machine-done step that an automation in use is linked to ÷ processes in force.",
        automated,
    ),
    (
        "processes.key_workflows",
        "Key workflows automated",
        "The same among processes of high or critical importance.",
        key_workflows_automated,
    ),
    (
        "processes.measured",
        "Processes measured",
        "Processes in force with a run finished in the last 90 days ÷ processes in force.",
        measured,
    ),
    (
        "processes.quality",
        "Quality assurance automated",
        "Check steps in force done by machine, wholly or in part ÷ check steps in force.",
        quality_automated,
    ),
    (
        "processes.improving",
        "Processes improved within a year",
        "Processes in force with a validated improvement that got better ÷ processes in force.",
        improving,
    ),
    (
        "processes.efficiency",
        "Efficiency gained",
        "1 − Σ runs × median working time of the last 90 days ÷ Σ runs × that of the first 90 days.",
        efficiency,
    ),
    (
        "processes.managed",
        "Processes managed or better",
        "Processes in use that stand at the level managed or optimised ÷ processes in use.",
        lambda: mature(MaturityLevel.MANAGED),
    ),
    (
        "processes.foundational",
        "Processes foundational or better",
        "Processes in use that stand at the level foundational or above ÷ processes in use.",
        lambda: mature(MaturityLevel.FOUNDATIONAL),
    ),
    (
        "processes.optimised",
        "Processes optimised",
        "Processes in use that stand at the level optimised ÷ processes in use.",
        lambda: mature(MaturityLevel.OPTIMISED),
    ),
    (
        "processes.compliant",
        "Processes without findings",
        "Processes in use that meet every compliance rule or have a waiver ÷ processes in use.",
        free_of_findings,
    ),
)


def register() -> None:
    """Make the measures of this app known."""
    for key, title, formula, read in MEASURES:
        register_measure(Measure(key, title, formula, read))
    register_measure(
        Measure("processes.automations", "Automations in use", "Rows of the register.", automations_live, unit="")
    )
