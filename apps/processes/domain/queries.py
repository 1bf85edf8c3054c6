"""Questions about SOPs that other pages ask."""

import datetime as dt
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import Q, QuerySet

from apps.accounts.domain.ownership import owned_by
from apps.core.access import visible
from apps.core.overdue import LateRows
from apps.core.records import kind_of
from apps.processes.domain.reading import refuse_unqualified
from apps.processes.enums import CLOSED_STEPS, RunState, VersionState
from apps.processes.models import Process, Run, SOPVersion

if TYPE_CHECKING:
    from apps.accounts.models import User

SHOWN = 20


def overdue_reviews(person: "User", today: dt.date) -> LateRows:
    """Return the SOPs of `person` (or of their teams) whose review is due, longest first."""
    rows = (Process.objects.due_for_review(today).filter(owned_by(person)) & visible(person, Process)).order_by(
        "next_review_on"
    )
    return LateRows(rows, "is due for review", "next_review_on")


def is_qualified(person: "User", process: Process) -> bool:
    """Whether `person` may take a gated step of `process`; `reading.refuse_unqualified` says why not."""
    return refuse_unqualified(person, process) is None


def to_read(person: "User") -> list[SOPVersion]:
    """Return the versions that `person` must read and has not confirmed, those waiting for their readers first.

    Versions in force count while they are the newest material one, or nothing of the process was read since.
    """
    mine = person.process_roles.values("requirements__process")
    teams = person.team_keys()
    by_team = Process.objects.filter(requirements__role__team__in=teams, requirements__archived_at__isnull=True)
    rows = visible(person, SOPVersion).filter(
        Q(process__in=mine) | Q(process__in=by_team.values("pk")),
        state__in=(VersionState.APPROVED, VersionState.EFFECTIVE),
        is_material=True,
        process__archived_at__isnull=True,
    )
    unread = rows.exclude(acknowledgements__person=person).select_related("process").order_by("state", "pk")
    return list(unread.distinct()[:SHOWN])


def overdue_runs(person: "User", today: dt.date) -> LateRows:
    """Return the runs of `person` (or of their teams) that should be finished by now, longest first."""
    rows = visible(person, Run).filter(owned_by(person), state=RunState.ACTIVE, due_on__lt=today).order_by("due_on")
    return LateRows(rows, "should be finished")


def unfinished_runs(thing: models.Model) -> list[str]:
    """Return the checklists about a record that are not finished, in sentences: a precondition of approvals."""
    rows = Run.objects.filter(content_type=kind_of(thing), object_id=thing.pk, state=RunState.ACTIVE)
    done = rows.order_by("started_at", "pk")[:SHOWN]
    return [f"The run {run} is not finished: {run.steps_closed} of {run.steps_total} steps are done." for run in done]


def open_steps(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Return those of the steps of runs that somebody still has to do: what is handed over when a person leaves."""
    return rows.filter(run__state=RunState.ACTIVE).exclude(state__in=CLOSED_STEPS)
