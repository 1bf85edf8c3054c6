"""Taking a running run to the version in force: previewed, then done and written down; never by itself."""

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction

from apps.core import access, clock
from apps.core.actors import acting_as
from apps.core.events import publish
from apps.core.transitions import transition
from apps.core.words import reason_given
from apps.processes.domain.flow import flow_of
from apps.processes.domain.running import locked, move, move_on, refused
from apps.processes.domain.walking import ways_after
from apps.processes.enums import OPEN_STEPS, StepDeed, StepState
from apps.processes.models import Run, RunStep

if TYPE_CHECKING:
    from apps.accounts.models import User
    from apps.processes.models import SOPVersion, Step
    from apps.processes.models.values import Flow

_PASSED = (StepState.DONE, StepState.WAIVED)
_WORKED_ON = (StepState.DOING, StepState.WAITING, StepState.FAILED, StepState.DONE, StepState.WAIVED)


@dataclass(frozen=True)
class Plan:
    """What taking a run to another version does to it.

    Attributes:
        kept: titles of steps that both versions have; what was done in them stays.
        changed: those of them whose instructions, role, kind or mode differ.
        added: titles of steps that are new.
        lost: titles of steps that are no longer in it; those not closed are set to not taken.
        work_lost: those of `lost` in which something was done already; it stays in the trail.
        decided_again: titles of closed steps whose way is not in it, while several others are: one is chosen anew.
    """

    kept: tuple[str, ...]
    changed: tuple[str, ...]
    added: tuple[str, ...]
    lost: tuple[str, ...]
    work_lost: tuple[str, ...]
    decided_again: tuple[str, ...] = ()


def plan_move(run: Run, version: "SOPVersion") -> Plan:
    """Return what would become of `run` on `version`; changes nothing."""
    rows = {row.key: row for row in run.steps.select_related("step")}
    steps = {step.key: step for step in version.steps.all()}
    gone = [row for key, row in rows.items() if key not in steps]
    return Plan(
        kept=tuple(step.title for key, step in steps.items() if key in rows),
        changed=tuple(step.title for key, step in steps.items() if key in rows and _differ(rows[key].step, step)),
        added=tuple(step.title for key, step in steps.items() if key not in rows),
        lost=tuple(row.step.title for row in gone),
        work_lost=tuple(row.step.title for row in gone if row.state in _WORKED_ON),
        decided_again=tuple(
            step.title
            for key, step in steps.items()
            if key in rows and rows[key].state in _PASSED and _ways_now(run, version, rows[key]) is None
        ),
    )


def _ways_now(run: Run, version: "SOPVersion", row: RunStep) -> list[str] | None:
    return ways_after(flow_of(run.version), flow_of(version), row.key, row.ways_taken)


def _differ(old: "Step", new: "Step") -> bool:
    names = ("title", "kind", "mode", "role_id", "minutes", "is_blocking", "instructions", "links")
    return any(getattr(old, name) != getattr(new, name) for name in names)


def refuse_move(user: "User", run: Run) -> str | None:
    """Return why `run` cannot go to the version in force, None when it can."""
    if not run.is_active:
        return f"{run} is over; it stays on the version it was carried out on."
    if run.process.effective_version_id == run.version_id:
        return f"{run} follows the version in force already."
    if not access.may(user, "change", run):
        return "You may not change this run."
    if run.process.effective_version is None:
        return f"{run.process} has no version in force to go to."
    if not run.process.effective_version.flow.get("steps"):
        return f"The version in force of {run.process} has no steps; the run stays on its own."
    return None


def move_run(run: Run, *, by: "User", reason: str, at: dt.datetime | None = None) -> str:
    """Take a running run to the version in force. Steps keep what was done by their key; announces `run.moved`.

    Steps that the new version lacks leave the checklist as not taken; their trail stays.

    Raises:
        InvalidInput: nothing says why.
        NotAllowed, WrongState: `refuse_move`.
    """
    reason = reason_given(reason, "Say why the run changes its version.")
    moment = at or clock.now()
    with transaction.atomic(), acting_as(by, reason=reason):
        row = locked(run)
        if no := refuse_move(by, row):
            raise refused(bool(access.may(by, "change", row)), no)
        version = row.process.effective_version
        assert version is not None  # noqa: S101  # refuse_move has seen to it
        before = row.version
        row.version, row.steps_total = version, version.steps.count()
        with transition(Run):
            row.save(update_fields=["version", "steps_total"])
        flows = (flow_of(before), flow_of(version))
        _match(
            row, version, flows, by=by, at=moment, reason=f"From version {before.number} to {version.number}: {reason}"
        )
        move_on(row, by=by, at=moment)
        publish("run.moved", run_id=row.pk)
    return f"{row} follows version {version.number} now."


def _match(
    run: Run, version: "SOPVersion", flows: "tuple[Flow, Flow]", *, by: "User", at: dt.datetime, reason: str
) -> None:
    """Point each step of the run at its step in `version`, make the new ones, set aside what is gone.

    A closed step keeps the ways it took. Where none of them is left while several others are, it is opened again:
    nobody has chosen between those.
    """
    steps = {step.key: step for step in version.steps.all()}
    rows = {row.key: row for row in run.steps.select_related("step")}
    for key, row in rows.items():
        if key in steps:
            row.step, row.position = steps[key], steps[key].position
            ways = ways_after(*flows, key, row.ways_taken) if row.state in _PASSED else []
            row.ways_taken = ways or []
            move(row, StepState(row.state), StepDeed.MOVED, by=by, at=at, reason=reason)
            if ways is None:
                row.round += 1
                row.opened_at, row.closed_at, row.closed_by = at, None, None
                again = "The way that was taken is not in this version; choose anew."
                move(row, StepState.TODO, StepDeed.REOPENED, by=by, at=at, reason=again)
        else:
            row.waits_for = ""
            if row.state in (StepState.LATER, *OPEN_STEPS):
                row.closed_at, row.closed_by = at, by
                row.state = StepState.SKIPPED
            move(row, StepState(row.state), StepDeed.MOVED, by=by, at=at, reason=f"{reason} Not in it any more.")
    made = [
        RunStep(run=run, step=step, key=key, position=step.position) for key, step in steps.items() if key not in rows
    ]
    RunStep.objects.bulk_create(made)
