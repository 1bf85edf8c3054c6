"""Maturity: foundational, managed, optimised, computed from evidence for each process and for the whole.

A level is reached when every criterion of it and of those below is met. What a level stands on is kept with it, each
time that changes. An override that a second person approved counts until its last day.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from django.db import connection, models, transaction

from apps.core import access, clock
from apps.core.actors import acting_as, system_principal
from apps.core.errors import NotAllowed, WrongState
from apps.core.words import reason_given
from apps.processes.domain.exceptions import accept, last_day, send
from apps.processes.domain.maturity_criteria import Criterion, criteria_of, criteria_of_whole, level_of
from apps.processes.enums import MaturityLevel, WaiverState
from apps.processes.models import (
    MaturityAssessment,
    MaturityOverride,
    Process,
)

if TYPE_CHECKING:
    from apps.accounts.models import User

WHOLE = "Marketing operations"


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
