"""Leaving a step out: one that blocks nothing at once with a reason, a blocking one once a second person approves."""

import datetime as dt
from typing import TYPE_CHECKING, Any

from apps.approvals.domain.decisions import request_approval
from apps.core import clock
from apps.core.errors import WrongState
from apps.core.transitions import transition
from apps.core.words import reason_given
from apps.processes.domain.doing import locked_step, refuse_change
from apps.processes.domain.running import locked, move, move_on
from apps.processes.enums import OPEN_STEPS, StepDeed, StepState, WaiverState
from apps.processes.models import RunStep, StepWaiver

if TYPE_CHECKING:
    from apps.accounts.models import User

_CLOSED = "is closed; there is nothing to leave out."
SAY_WHY = "Say why it can be left out this time, and what stands in for it."


def refuse_waive(user: "User", row: RunStep) -> str | None:
    """Return why a step that blocks nothing cannot be left out now, None when it can."""
    if no := refuse_change(user, row, OPEN_STEPS, _CLOSED):
        return no
    return f"“{row.step.title}” is blocking; ask to leave it out." if row.step.is_blocking else None


def waive_step(row: RunStep, *, by: "User", reason: str, at: dt.datetime | None = None) -> str:
    """Leave out a step that blocks nothing.

    Raises:
        InvalidInput: nothing says why.
        NotAllowed, WrongState: `refuse_waive`.
    """
    said = reason_given(reason, SAY_WHY)
    with locked_step(row, by, refuse_waive, said) as mine:
        _leave_out(mine, by=by, at=at or clock.now(), reason=said)
    return f"“{mine.step.title}” is left out."


def refuse_ask_waiver(user: "User", row: RunStep) -> str | None:
    """Return why nobody can ask to leave out this blocking step now, None when `user` can."""
    if no := refuse_change(user, row, OPEN_STEPS, _CLOSED):
        return no
    if not row.step.is_blocking:
        return f"“{row.step.title}” blocks nothing; leave it out at once."
    if row.waivers.filter(state=WaiverState.IN_REVIEW).exists():
        return f"A waiver of “{row.step.title}” waits for a decision already."
    return None


def ask_waiver(row: RunStep, *, by: "User", reason: str, at: dt.datetime | None = None) -> str:
    """Ask to leave out a blocking step; it stays open until a second person has decided.

    Raises:
        InvalidInput: nothing says why.
        NotAllowed, WrongState: `refuse_ask_waiver`, or nobody could decide.
    """
    said = reason_given(reason, SAY_WHY)
    with locked_step(row, by, refuse_ask_waiver, said) as mine:
        with transition(StepWaiver):
            waiver = StepWaiver.objects.create(run_step=mine, reason=said, asked_by=by)
            waiver.state = WaiverState.IN_REVIEW
            waiver.save(update_fields=["state"])
        request_approval(waiver, by=by, note=said, at=at)
    return f"Asked; “{mine.step.title}” stays open until somebody else has decided."


def accept_waiver(waiver: StepWaiver, request: Any, *, by: "User", at: dt.datetime | None = None) -> None:
    """Leave the step out: the effect of the approval, in its transaction with the waiver's row locked.

    Raises:
        WrongState: the run is over or the step was closed meanwhile.
    """
    run = locked(waiver.run_step.run)
    row = RunStep.objects.select_for_update(of=("self",)).select_related("step").get(pk=waiver.run_step_id)
    row.run = run
    if not run.is_active or row.state not in OPEN_STEPS:
        raise WrongState(f"“{row.step.title}” is no longer open; there is nothing left to leave out.")
    _close(waiver, WaiverState.APPROVED)
    _leave_out(row, by=by, at=at or clock.now(), reason=waiver.reason)


def drop_waiver(waiver: StepWaiver, request: Any, *, by: "User") -> None:
    """Note that the step is not left out: the request was refused or withdrawn."""
    _close(waiver, WaiverState.REFUSED)


def _leave_out(row: RunStep, *, by: "User", at: dt.datetime, reason: str) -> None:
    row.closed_by, row.closed_at, row.waits_for, row.ways_taken = by, at, "", []
    move(row, StepState.WAIVED, StepDeed.WAIVED, by=by, at=at, reason=reason)
    move_on(row.run, by=by, at=at)


def _close(waiver: StepWaiver, state: WaiverState) -> None:
    waiver.state = state
    with transition(StepWaiver):
        waiver.save(update_fields=["state"])
