"""Runs: starting one on the version in force, calling it off, and what its steps open and close."""

import datetime as dt
from typing import TYPE_CHECKING, Any

from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction

from apps.accounts.models import OwnedModel
from apps.core import access, clock
from apps.core.actors import acting_as
from apps.core.errors import DomainError, InvalidInput, NotAllowed, WrongState
from apps.core.events import publish
from apps.core.transitions import transition
from apps.core.words import reason_given
from apps.processes.domain.flow import flow_of
from apps.processes.domain.walking import Standing, again_from, due_steps
from apps.processes.enums import CLOSED_STEPS, OPEN_STEPS, RunState, StepDeed, StepState
from apps.processes.models import Process, Run, RunStep, RunStepEvent

if TYPE_CHECKING:
    from apps.accounts.models import User

_STEP_COLUMNS = (
    *("state", "assignee", "evidence", "ways_taken", "waits_for", "round"),
    *("opened_at", "closed_at", "closed_by", "step", "position"),
)


def refuse_start(user: "User", process: Process, *, seen: bool | None = None) -> str | None:
    """Return why `user` cannot start a run of `process` now, None when they can.

    Args:
        user: who would start it.
        process: which one.
        seen: whether they may view it, where that was asked before; asked here otherwise.
    """
    if not access.has_model_permission(user, "add", Run):
        return "You may not start runs of this process."
    if not (access.may(user, "view", process) if seen is None else seen):
        return "You may not start runs of this process."
    return unready(process)


def unready(process: Process) -> str | None:
    """Return what `process` lacks to be carried out, None when it can be."""
    if process.is_archived:
        return f"{process} is archived; restore it first."
    if process.effective_version is None:
        return f"{process} has no version in force; runs follow what is approved. Send a version for approval first."
    if not process.effective_version.flow.get("steps"):
        return f"The version in force of {process} has no steps. Write them in a new version."
    return None


def start_run(
    process: Process,
    *,
    by: "User",
    title: str = "",
    subject: models.Model | None = None,
    due_on: dt.date | None = None,
    owners: OwnedModel | None = None,
    at: dt.datetime | None = None,
) -> Run:
    """Start a run of `process`, pinned to the version in force, with its first step due; announces `run.started`.

    Args:
        process: what is carried out.
        by: who starts it, and owns it at first.
        title: what it is for; the process and the day where it is empty.
        subject: the record that it is carried out for, for instance a campaign.
        due_on: by when all of it is to be done.
        owners: whose owner and backup the run takes over, for instance a recurrence; else `by` owns it.
        at: when it starts; now when not given.

    Raises:
        NotAllowed: `by` may not start runs, or not see the process.
        WrongState: nothing is in force, or what is has no steps.
        InvalidInput: it would be due before it starts.
    """
    with transaction.atomic():
        row: Process = Process.objects.select_for_update(of=("self",)).get(pk=process.pk)
        if refused := refuse_start(by, row):
            allowed = access.has_model_permission(by, "add", Run) and access.may(by, "view", row)
            raise (WrongState if allowed else NotAllowed)(refused)
        return begin_run(row, by=by, title=title, subject=subject, due_on=due_on, owners=owners, at=at)


def begin_run(
    process: Process,
    *,
    by: "User",
    title: str = "",
    subject: models.Model | None = None,
    due_on: dt.date | None = None,
    owners: OwnedModel | None = None,
    at: dt.datetime | None = None,
) -> Run:
    """Start a run whoever `by` is: for what starts runs by itself. See `start_run`, which asks for the right first.

    Raises:
        WrongState: nothing is in force, or what is has no steps.
        InvalidInput: it would be due before it starts.
    """
    moment = at or clock.now()
    with transaction.atomic(), acting_as(by):
        row: Process = Process.objects.select_for_update(of=("self",)).get(pk=process.pk)
        if why := unready(row):
            raise WrongState(why)
        if due_on is not None and due_on < moment.date():
            raise InvalidInput(f"{due_on:%-d %B %Y} is past; a run cannot be due before it starts.")
        version = row.effective_version
        assert version is not None  # noqa: S101  # refuse_start has seen to it
        with transition(Run, RunStep):
            run = Run.objects.create(
                title=title.strip() or f"{row.title}, {moment:%-d %B %Y}",
                process=row,
                version=version,
                content_type=ContentType.objects.get_for_model(subject) if subject is not None else None,
                object_id=subject.pk if subject is not None else None,
                **_owned(owners, by),
                due_on=due_on,
                started_by=by,
                started_at=moment,
                steps_total=version.steps.count(),
            )
            steps = [RunStep(run=run, step=step, key=step.key, position=step.position) for step in version.steps.all()]
            RunStep.objects.bulk_create(steps)
        move_on(run, by=by, at=moment)
        publish("run.started", run_id=run.pk)
    return run


def _owned(owners: OwnedModel | None, by: "User") -> dict[str, Any]:
    if owners is None or owners.owner is None:
        return {"owner_person": by}
    return {name: getattr(owners, name) for name in ("owner_person", "owner_team", "backup_person", "backup_team")}


def start_from_page(process: Process, *, by: "User", title: str = "", due_on: dt.date | None = None) -> str:
    """Start a run and say where it is: what the button on the page of a process calls."""
    run = start_run(process, by=by, title=title, due_on=due_on)
    return f"{run} is under way: {run.steps_total} steps on version {run.version.number}. It stands under “Runs” below."


def can_be_started(user: "User") -> "models.QuerySet[Process]":
    """Return the processes with steps in force that `user` sees."""
    rows = access.visible(user, Process).filter(archived_at=None, effective_version__isnull=False)
    found: models.QuerySet[Process] = rows.exclude(effective_version__flow__steps=[]).order_by("title")
    return found


def refuse_start_about(user: "User", thing: models.Model) -> str | None:
    """Return why `user` cannot start a run for a record now, None when they can."""
    if not access.has_model_permission(user, "add", Run) or not access.may(user, "view", thing):
        return "You may not start runs for this."
    return None if can_be_started(user).exists() else "No process you see has a version with steps in force."


def start_about(
    thing: models.Model, *, by: "User", process: Process, title: str = "", due_on: dt.date | None = None
) -> str:
    """Start a run of `process` for a record: what the button on the record's page calls.

    Raises:
        NotAllowed: `by` may not start runs, or not see the record.
        WrongState, InvalidInput: see `start_run`.
    """
    if not access.may(by, "view", thing):
        raise NotAllowed("You may not start runs for this.")
    run = start_run(process, by=by, title=title or f"{process.title}: {thing}"[:200], subject=thing, due_on=due_on)
    return f"{run} is under way: {run.steps_total} steps. It stands under “Runs for this”."


def refuse_cancel(user: "User", run: Run) -> str | None:
    """Return why `user` cannot call off `run` now, None when they can."""
    if not access.may(user, "change", run):
        return "You may not change this run."
    if not run.is_active:
        return f"{run} is over already."
    return None


def cancel_run(run: Run, *, by: "User", reason: str, at: dt.datetime | None = None) -> str:
    """Call a run off: what was done stays on record, what was due no longer is. Announces `run.cancelled`.

    Raises:
        InvalidInput: without a reason.
        NotAllowed, WrongState: `by` may not, or it is over.
    """
    reason = reason_given(reason, "Say why it is called off.")
    with transaction.atomic(), acting_as(by, reason=reason):
        row = locked(run)
        if refused := refuse_cancel(by, row):
            raise (WrongState if access.may(by, "change", row) else NotAllowed)(refused)
        _end(row, RunState.CANCELLED, at=at or clock.now())
        publish("run.cancelled", run_id=row.pk)
    return f"{row} is called off."


def locked(run: Run) -> Run:
    """Lock the run: whoever moves one of its steps locks it first, so that steps never open twice."""
    row: Run = Run.objects.select_for_update(of=("self",)).select_related("version", "process").get(pk=run.pk)
    return row


def move_on(run: Run, *, by: "User", at: dt.datetime) -> None:
    """Open what has become due in a locked run, leave out what no way leads to, and finish it when nothing is left."""
    flow = flow_of(run.version)
    own = {step.key for step in flow.steps}
    steps = {row.key: row for row in run.steps.select_related("step") if row.key in own}
    standings = {key: Standing(StepState(row.state), tuple(row.ways_taken)) for key, row in steps.items()}
    for key, state in due_steps(flow, standings).items():
        row = steps[key]
        if row.state == state:
            continue
        if state == StepState.TODO:
            row.opened_at, row.closed_at, row.closed_by = at, None, None
            move(row, state, StepDeed.OPENED, by=by, at=at)
        elif state == StepState.SKIPPED:
            row.closed_at, row.closed_by = at, by
            move(row, state, StepDeed.SKIPPED, by=by, at=at)
        else:
            row.opened_at, row.closed_at, row.closed_by = None, None, None
            move(row, state, StepDeed.REOPENED, by=by, at=at)
    closed = sum(row.state in CLOSED_STEPS for row in steps.values())
    if closed != run.steps_closed:
        run.steps_closed = closed
        with transition(Run):
            run.save(update_fields=["steps_closed"])
    if not any(row.state in OPEN_STEPS or row.state == StepState.LATER for row in steps.values()):
        _end(run, RunState.DONE, at=at)
        publish("run.done", run_id=run.pk)


def go_back(run: Run, key: str, *, by: "User", at: dt.datetime, reason: str) -> None:
    """Make a step of a locked run and all that comes after it to be done again: one round more for what was done."""
    again = again_from(flow_of(run.version), key)
    for row in run.steps.select_related("step").filter(key__in=again):
        if row.state == StepState.LATER:
            continue
        row.round += row.state in (StepState.DONE, StepState.FAILED)
        row.ways_taken, row.opened_at, row.closed_at, row.closed_by, row.waits_for = [], None, None, None, ""
        move(row, StepState.LATER, StepDeed.REOPENED, by=by, at=at, reason=reason)


def move(
    row: RunStep, state: StepState, deed: StepDeed, *, by: "User", at: dt.datetime, reason: str = ""
) -> RunStepEvent:
    """Put a step of a locked run in another state, and write down what happened."""
    row.state = state
    with transition(RunStep):
        row.save(update_fields=list(_STEP_COLUMNS))
    return RunStepEvent.objects.create(
        run_id=row.run_id,
        run_step=row,
        key=row.key,
        deed=deed,
        state=state,
        round=row.round,
        actor=by,
        actor_label=by.get_username(),
        reason=reason,
        at=at,
    )


def refused(allowed: bool, sentence: str) -> DomainError:
    """Return the refusal of the right kind for `sentence`."""
    return WrongState(sentence) if allowed else NotAllowed(sentence)


def _end(run: Run, state: RunState, *, at: dt.datetime) -> None:
    run.state, run.ended_at = state, at
    with transition(Run):
        run.save(update_fields=["state", "ended_at"])
