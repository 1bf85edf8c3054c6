"""How runs read: the checklist of one, the steps that wait for a person, the runs of a process."""

from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import Prefetch, Q, QuerySet, prefetch_related_objects

from apps.accounts.models import User
from apps.core.access import visible
from apps.processes.domain.flow import flow_of
from apps.processes.enums import OPEN_STEPS, RunState
from apps.processes.models import Process, ProcessRole, Run, RunStep, RunStepEvent

SHOWN = 8
TRAIL = 60


def steps_of(run: Run) -> list[RunStep]:
    """Return the steps of a run in their order, with what their page needs, each knowing its run."""
    rows = list(run.steps.select_related("step__role", "assignee", "closed_by").order_by("position", "pk"))
    for row in rows:
        row.run = run
    return rows


def trail_of(run: Run) -> list[RunStepEvent]:
    """Return what happened in a run, newest first, at most sixty lines."""
    return list(run.events.select_related("run_step__step", "actor").order_by("-at", "-pk")[:TRAIL])


def trail_of_step(row: RunStep) -> list[RunStepEvent]:
    """Return what happened to one step, newest first."""
    return list(row.events.select_related("actor").order_by("-at", "-pk")[:TRAIL])


def way_choices(row: RunStep) -> list[tuple[str, str]]:
    """Return the ways that lead on from a step, as (key of the step it leads to, what is shown)."""
    flow = flow_of(row.run.version)
    titles = {step.key: step.title for step in flow.steps}
    found = []
    for edge in flow.ways_out(row.key):
        when = f"{edge.condition} → " if edge.condition else ""
        back = " (back, to do it again)" if edge.is_rework else ""
        found.append((edge.target, f"{when}{titles[edge.target]}{back}"))
    return found


def workers() -> QuerySet[User]:
    """Return the people to whom a step can be offered; the operation says who may really work on it."""
    return User.objects.filter(is_active=True, is_staff=True).order_by("full_name")


def steps_waiting_for(person: User) -> QuerySet[RunStep]:
    """Return the open steps that are `person`'s, or nobody's in a role they play, longest open first."""
    teams = person.team_keys()
    roles = ProcessRole.objects.filter(Q(people=person) | Q(team__in=teams)).values("pk")
    mine = Q(assignee=person) | Q(assignee__isnull=True, step__role__in=roles)
    rows = visible(person, RunStep).filter(mine, run__state=RunState.ACTIVE)
    open_ones = rows.filter(state__in=OPEN_STEPS)
    return open_ones.select_related("step__role", "run", "assignee").order_by("opened_at", "pk")


def runs_about(thing: models.Model, person: User) -> list[Run]:
    """Return the newest runs that are carried out for `thing`, among those that `person` sees, each with its steps."""
    kind = ContentType.objects.get_for_model(type(thing))
    rows = visible(person, Run).filter(content_type=kind, object_id=thing.pk)
    runs = list(rows.select_related("version", "process")[:SHOWN])
    steps = RunStep.objects.select_related("step", "assignee", "closed_by").order_by("position")
    prefetch_related_objects(runs, Prefetch("steps", steps, to_attr="shown_steps"))
    return runs


def runs_of(process: Process, person: User) -> dict[str, Any]:
    """Return the newest runs of a process that `person` sees, and how many there are."""
    rows = visible(person, Run).filter(process=process)
    return {
        "runs": list(rows.select_related("version", "owner_person")[:SHOWN]),
        "active": rows.filter(state=RunState.ACTIVE).count(),
        "total": rows.count(),
    }
