"""What the levels of maturity demand of a process and of the whole, each with its evidence from the rows."""

import datetime as dt
from dataclasses import dataclass

from django.urls import reverse

from apps.core.measures import find_measure, read_measure
from apps.processes.domain.automations import registered_on
from apps.processes.domain.measuring import in_words, measure
from apps.processes.domain.reading import qualified_people, unread
from apps.processes.domain.skills import standardised
from apps.processes.enums import Gain, ImprovementState, MaturityLevel, ProcessFigure, RunState, Standing
from apps.processes.models import ComplianceStanding, Improvement, Process, Run

PERIOD = dt.timedelta(days=90)
CONFORMING, COVERED, AGAIN, QUALIFIED = 80, 50, 10, 2  # percent, percent, percent, people


@dataclass(frozen=True)
class Criterion:
    """One thing a level demands, and what the rows say about it.

    Attributes:
        level: the level that demands it.
        title: what is demanded.
        met: whether it holds.
        said: the evidence in words, with its numbers.
        rows: the address of the rows it was counted from.
    """

    level: int
    title: str
    met: bool
    said: str
    rows: str


def criteria_of(process: Process, at: dt.datetime) -> list[Criterion]:
    """Return what the levels demand of a process, each with its evidence at a moment."""
    return [*_foundational(process, at), *_managed(process, at), *_optimised(process, at)]


def _foundational(process: Process, at: dt.datetime) -> list[Criterion]:
    page = reverse("admin:processes_process_change", args=(process.pk,))
    level = MaturityLevel.FOUNDATIONAL
    written = Process.objects.filter(standardised(), pk=process.pk).exists()
    due = process.next_review_on
    late = due is not None and due < at.date()
    number = process.effective_version.number if process.effective_version else 0
    return [
        Criterion(
            level,
            "It is standardised and documented",
            written,
            f"Version {number} is in force." if number else "No version is in force.",
            page,
        ),
        Criterion(
            level,
            "It has an owner and a backup",
            process.owner is not None and process.backup is not None,
            f"Owner: {process.owner or 'nobody'}; backup: {process.backup or 'nobody'}.",
            page,
        ),
        Criterion(
            level,
            "Its review is not late",
            due is not None and not late,
            f"Due on {due:%-d %B %Y}." if due else "No review is planned before a version is in force.",
            _rows("review", process),
        ),
    ]


def _managed(process: Process, at: dt.datetime) -> list[Criterion]:
    level, since = MaturityLevel.MANAGED, at - PERIOD
    done = Run.objects.filter(process=process, state=RunState.DONE, ended_at__gte=since, ended_at__lte=at).count()
    conforms = measure(process, ProcessFigure.CONFORMANCE, since=since, until=at)
    required = process.requirements.filter(archived_at__isnull=True).exists()
    missing = unread(process.effective_version) if process.effective_version else "No version is in force."
    failed = ComplianceStanding.objects.filter(process=process, outcome=Standing.FAILED).count()
    runs = _rows("run", process)
    read_it = "Those who must have read it." if required else "Nobody has to read it; name who must."
    registered = Process.objects.filter(registered_on(), pk=process.pk).exists()
    return [
        Criterion(level, "It is carried out", done > 0, f"{done} runs finished in 90 days.", runs),
        Criterion(
            level,
            f"Runs follow it ({CONFORMING} % or more)",
            conforms.value is not None and conforms.value >= CONFORMING,
            f"Conformance: {in_words(conforms.value, ProcessFigure.CONFORMANCE)} of {conforms.sample} runs.",
            f"{runs}&state__exact=done",
        ),
        Criterion(
            level,
            "Who carries it out has read it",
            required and missing is None,
            missing or read_it,
            f"{reverse('admin:processes_acknowledgement_changelist')}?version__process__id__exact={process.pk}",
        ),
        Criterion(
            level,
            "A step is done by a machine that stands in the register",
            registered,
            "Linked in the register." if registered else "No automation in use is linked to it.",
            f"{reverse('admin:processes_automation_changelist')}?steps__process__id__exact={process.pk}",
        ),
        Criterion(
            level,
            "No compliance rule finds fault with it",
            not failed,
            f"{failed} findings." if failed else "No finding.",
            f"{_rows('compliancestanding', process)}&outcome__exact=failed",
        ),
    ]


def _optimised(process: Process, at: dt.datetime) -> list[Criterion]:
    level, since = MaturityLevel.OPTIMISED, at - PERIOD
    covered = measure(process, ProcessFigure.AUTOMATION, since=since, until=at)
    again = measure(process, ProcessFigure.REWORK, since=since, until=at)
    improved = Improvement.objects.filter(
        process=process,
        state=ImprovementState.CLOSED,
        gain__in=(Gain.REACHED, Gain.BETTER),
        closed_at__gte=at - dt.timedelta(days=365),
    ).count()
    people = qualified_people(process).count() if process.effective_version else 0
    figures = reverse("processes-figures", args=(process.pk,))
    return [
        Criterion(
            level,
            f"Machines do {COVERED} % or more of the work",
            covered.value is not None and covered.value >= COVERED,
            f"Automation coverage: {in_words(covered.value, ProcessFigure.AUTOMATION)} over 90 days.",
            figures,
        ),
        Criterion(
            level,
            f"At most {AGAIN} % of runs are done again in part",
            again.value is not None and again.value <= AGAIN,
            f"Rework: {in_words(again.value, ProcessFigure.REWORK)} of {again.sample} runs.",
            figures,
        ),
        Criterion(
            level,
            "It got better within a year, by its own figures",
            improved > 0,
            f"{improved} improvements validated.",
            _rows("improvement", process),
        ),
        Criterion(
            level,
            "Two people or more are qualified",
            people >= QUALIFIED,
            f"{people} qualified.",
            reverse("processes-skills"),
        ),
    ]


def _rows(kind: str, process: Process) -> str:
    return f"{reverse(f'admin:processes_{kind}_changelist')}?process__id__exact={process.pk}"


# measure, level it belongs to, percent it needs
_OF_THE_WHOLE = (
    ("processes.documented", MaturityLevel.FOUNDATIONAL, 50),
    ("processes.foundational", MaturityLevel.FOUNDATIONAL, 50),
    ("technology.owned", MaturityLevel.FOUNDATIONAL, 90),
    ("processes.managed", MaturityLevel.MANAGED, 50),
    ("processes.automated", MaturityLevel.MANAGED, 75),
    ("processes.compliant", MaturityLevel.MANAGED, 75),
    ("processes.optimised", MaturityLevel.OPTIMISED, 50),
    ("processes.improving", MaturityLevel.OPTIMISED, 50),
)


def criteria_of_whole() -> list[Criterion]:
    """Return what the levels demand of the operation as a whole, each with its evidence now."""
    found = []
    for key, level, needed in _OF_THE_WHOLE:
        kind, reading = find_measure(key), read_measure(key)
        said = "Nothing to count yet." if reading.value is None else f"{reading.part} of {reading.whole}."
        met = reading.value is not None and reading.value >= needed
        found.append(Criterion(level, f"{kind.title if kind else key}: {needed} % or more", met, said, reading.rows))
    return found


def level_of(criteria: list[Criterion]) -> MaturityLevel:
    """Return the highest level of which every criterion is met, and all of those below."""
    reached = MaturityLevel.BELOW
    for level in (MaturityLevel.FOUNDATIONAL, MaturityLevel.MANAGED, MaturityLevel.OPTIMISED):
        if not all(each.met for each in criteria if each.level == level):
            break
        reached = level
    return reached
