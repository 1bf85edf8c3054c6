"""Maturity: foundational, managed, optimised, computed from evidence for each process and for the whole.

A level is reached when every criterion of it and of those below is met. What a level stands on is kept with it, each
time that changes. An override that a second person approved counts until its last day.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from django.db import connection, models, transaction
from django.urls import reverse

from apps.core import access, clock
from apps.core.actors import acting_as, system_principal
from apps.core.errors import NotAllowed, WrongState
from apps.core.measures import find_measure, read_measure
from apps.core.words import reason_given
from apps.processes.domain.automations import registered_on
from apps.processes.domain.exceptions import accept, last_day, send
from apps.processes.domain.measuring import in_words, measure
from apps.processes.domain.reading import qualified_people, unread
from apps.processes.domain.skills import standardised
from apps.processes.enums import Gain, ImprovementState, MaturityLevel, ProcessFigure, RunState, Standing, WaiverState
from apps.processes.models import (
    ComplianceStanding,
    Improvement,
    MaturityAssessment,
    MaturityOverride,
    Process,
    Run,
)

if TYPE_CHECKING:
    from apps.accounts.models import User

PERIOD = dt.timedelta(days=90)
CONFORMING, COVERED, AGAIN, QUALIFIED = 80, 50, 10, 2  # percent, percent, percent, people
WHOLE = "Marketing operations"


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


def assess(process: Process | None, *, at: dt.datetime | None = None, by: "User | None" = None) -> MaturityAssessment:
    """Compute the level of a process, or of the whole, and write it down where it or its evidence has changed.

    Returns:
        The newest assessment, the one before where nothing changed.
    """
    moment = at or clock.now()
    with transaction.atomic(), acting_as(by or system_principal(), reason="Assessment of maturity"):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_advisory_xact_lock(hashtext('processes.maturity'), %s)", [process.pk if process else 0]
            )
        criteria = criteria_of(process, moment) if process else criteria_of_whole()
        computed, override = level_of(criteria), override_of(process, moment.date())
        level = MaturityLevel(override.level) if override else computed
        kept = [asdict(each) for each in criteria]
        before = newest(process)
        if before is not None and _same(before, level, override, criteria):
            return before
        return MaturityAssessment.objects.create(
            process=process, level=level, computed=computed, override=override, criteria=kept, at=moment
        )


def _same(before: MaturityAssessment, level: int, override: MaturityOverride | None, criteria: list[Criterion]) -> bool:
    """Whether level, override and what is met are as they were; numbers that move within what is met are no change."""
    stood = [(each["title"], each["met"]) for each in before.criteria]
    stands = [(each.title, each.met) for each in criteria]
    return (before.level, before.override_id, stood) == (level, override.pk if override else None, stands)


def newest(process: Process | None) -> MaturityAssessment | None:
    """Return the newest assessment of a process, or of the whole; None before the first."""
    return MaturityAssessment.objects.filter(process=process).select_related("override").first()


def override_of(process: Process | None, day: dt.date) -> MaturityOverride | None:
    """Return the override that counts on a day, the newest where several do."""
    return MaturityOverride.objects.in_force(day).filter(process=process).order_by("-pk").first()


def assess_all(*, at: dt.datetime | None = None, progress: Callable[[int, int], None] | None = None) -> int:
    """Assess every process in use, then the whole; returns how many levels were looked at."""
    rows = Process.objects.live().select_related(
        "effective_version", "owner_person", "owner_team", "backup_person", "backup_team"
    )
    processes = list(rows.order_by("pk"))
    for number, process in enumerate(processes, start=1):
        assess(process, at=at)
        if progress is not None:
            progress(number, len(processes) + 1)
    assess(None, at=at)
    return len(processes) + 1


def refuse_assess(user: "User") -> str | None:
    """Return why `user` cannot have the levels computed now, None when they can."""
    may = access.has_model_permission(user, "change", Process)
    return None if may else "You may read maturity levels, not have them computed."


def refuse_override(user: "User", process: Process | None) -> str | None:
    """Return why `user` cannot ask for another level, None when they can."""
    if not access.has_model_permission(user, "add", MaturityOverride):
        return "You may read maturity levels, not ask for another one."
    if process is not None and not access.may(user, "change", process):
        return f"You may not change {process}."
    if MaturityOverride.objects.filter(process=process, state=WaiverState.IN_REVIEW).exists():
        return "An override waits for a decision already."
    return None


def ask_override(
    process: Process | None,
    *,
    by: "User",
    level: int,
    reason: str,
    until: dt.date,
    at: dt.datetime | None = None,
) -> MaturityOverride:
    """Ask that another level than the computed one counts until a day; a second person decides.

    Raises:
        InvalidInput: nothing says why, or the day is past or too far away.
        NotAllowed, WrongState: `refuse_override`, it would change nothing, or nobody could decide.
    """
    said = reason_given(reason, "Say why the computed level is wrong, and what shows it.")
    moment = at or clock.now()
    until = last_day(until, moment.date())
    with transaction.atomic(), acting_as(by, reason=said):
        if refused := refuse_override(by, process):
            waits = MaturityOverride.objects.filter(process=process, state=WaiverState.IN_REVIEW).exists()
            raise (WrongState if waits else NotAllowed)(refused)
        now = assess(process, at=at, by=by)
        if now.level == level:
            raise WrongState(f"It stands at “{MaturityLevel(level).label}” already.")
        row = MaturityOverride(process=process, level=level, reason=said, until=until, asked_by=by)
        send(row, by=by, note=said, at=at)
    return row


def accept_override(row: MaturityOverride, request: Any, *, by: "User", at: dt.datetime | None = None) -> None:
    """Let an override count and write its level down: the effect of its approval, in its transaction.

    Raises:
        WrongState: its last day has passed meanwhile.
    """
    accept(row, request, by=by, at=at)
    assess(row.process, at=at, by=by)


def history_of(process: Process | None) -> "models.QuerySet[Any]":
    """Return the assessments of a process, or of the whole, newest first."""
    return MaturityAssessment.objects.filter(process=process).select_related("override")
