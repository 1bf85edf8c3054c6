"""Working on the steps of a run: assign, start, wait, go on, fail, finish with evidence, do again."""

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.db import transaction
from django.urls import reverse

from apps.accounts.models import User
from apps.core import access, clock
from apps.core.actors import acting_as
from apps.core.errors import InvalidInput
from apps.core.notifications.domain.notifying import notify
from apps.core.words import reason_given
from apps.processes.domain.flow import flow_of
from apps.processes.domain.reading import refuse_unqualified
from apps.processes.domain.running import go_back, locked, move, move_on, refused
from apps.processes.domain.walking import refuse_ways
from apps.processes.enums import OPEN_STEPS, StepDeed, StepKind, StepState
from apps.processes.models import RunStep

if TYPE_CHECKING:
    from apps.processes.models.values import Flow

ASSIGNED = "process.step_assigned"
Refusal = Callable[["User", RunStep], str | None]
_DONE_FROM = (StepState.TODO, StepState.DOING)
_AGAIN_FROM = (StepState.DONE, StepState.WAIVED)
_LATER = "It is not due yet: what comes before it is not done."


def refuse_change(user: "User", row: RunStep, states: Sequence[StepState], otherwise: str) -> str | None:
    """Return why `user` cannot touch a step now: the run is over, it stands wrong, or they may not.

    Args:
        user: who wants to.
        row: the step, with its run.
        states: where it may stand.
        otherwise: what is said when it stands elsewhere.
    """
    if not row.run.is_active:
        return f"{row.run} is over; what happened in it stays as it was."
    if row.state not in states:
        return _LATER if row.state == StepState.LATER else f"“{row.step.title}” {otherwise}"
    if not access.may(user, "change", row):
        return "You may not change this run."
    return None


def refuse_worker(user: "User", row: RunStep) -> str | None:
    """Return why `user` is not the one who works on this step: it is somebody else's, or they have not read it."""
    if row.assignee_id is not None and row.assignee_id != user.pk:
        return f"“{row.step.title}” is assigned to {row.assignee}; assign it to yourself first."
    return refuse_unqualified(user, row.run.process)


def refuse_assign(user: "User", row: RunStep) -> str | None:
    """Return why `user` cannot say whose step it is, None when they can."""
    return refuse_change(user, row, (StepState.LATER, *OPEN_STEPS), "is closed; reopen it first.")


def assign_step(row: RunStep, *, by: "User", person: "User", at: dt.datetime | None = None) -> str:
    """Say whose step it is; the person is told.

    Raises:
        InvalidInput: the person is deactivated, may not work on runs, or has not read what counts.
        NotAllowed, WrongState: `refuse_assign`.
    """
    with _locked(row, by, refuse_assign) as mine:
        if not person.is_active:
            raise InvalidInput(f"{person} is deactivated; choose somebody else.")
        if not access.may(person, "change", mine):
            raise InvalidInput(f"{person} may not work on this run; their roles do not allow it.")
        if unqualified := refuse_unqualified(person, mine.run.process):
            raise InvalidInput(unqualified)
        mine.assignee = person
        move(mine, StepState(mine.state), StepDeed.ASSIGNED, by=by, at=at or clock.now(), reason=str(person))
        if person.pk != by.pk:
            notify(
                [person],
                ASSIGNED,
                title=f"“{mine.step.title}” is yours",
                body=f"{by} assigned a step of {mine.run} to you.",
                subject=mine.run,
                url=reverse("admin:processes_runstep_change", args=(mine.pk,)),
                dedupe=f"{mine.pk}-{mine.round}-{person.pk}",
            )
    return f"“{mine.step.title}” is now for {person}."


def refuse_begin(user: "User", row: RunStep) -> str | None:
    """Return why `user` cannot start on a step now, None when they can."""
    no = refuse_change(user, row, (StepState.TODO,), "is not to be started; it is being worked on or closed.")
    return no or refuse_worker(user, row)


def begin_step(row: RunStep, *, by: "User", at: dt.datetime | None = None) -> str:
    """Start working on a step; it becomes one's own.

    Raises:
        NotAllowed, WrongState: `refuse_begin`.
    """
    with _locked(row, by, refuse_begin) as mine:
        mine.assignee = by
        move(mine, StepState.DOING, StepDeed.STARTED, by=by, at=at or clock.now())
    return f"“{mine.step.title}” is in work."


def refuse_wait(user: "User", row: RunStep) -> str | None:
    """Return why a step cannot wait now, None when it can."""
    return refuse_change(user, row, _DONE_FROM, "is not in work; only what is open can wait.")


def wait_step(row: RunStep, *, by: "User", reason: str, at: dt.datetime | None = None) -> str:
    """Let a step wait for something; the time until it goes on counts as waiting.

    Raises:
        InvalidInput: nothing says what it waits for.
        NotAllowed, WrongState: `refuse_wait`.
    """
    said = reason_given(reason, "Say what it waits for.")
    with _locked(row, by, refuse_wait, said) as mine:
        mine.waits_for = said[:200]
        move(mine, StepState.WAITING, StepDeed.WAITED, by=by, at=at or clock.now(), reason=said)
    return f"“{mine.step.title}” waits: {said}"


def refuse_resume(user: "User", row: RunStep) -> str | None:
    """Return why a step cannot go on now, None when it can."""
    no = refuse_change(user, row, (StepState.WAITING, StepState.FAILED), "neither waits nor has failed.")
    return no or refuse_worker(user, row)


def resume_step(row: RunStep, *, by: "User", at: dt.datetime | None = None) -> str:
    """Go on with a step that waited or failed. A failed one is tried once more: one round on.

    Raises:
        NotAllowed, WrongState: `refuse_resume`.
    """
    with _locked(row, by, refuse_resume) as mine:
        mine.round += mine.state == StepState.FAILED
        mine.waits_for, mine.assignee = "", by
        move(mine, StepState.DOING, StepDeed.RESUMED, by=by, at=at or clock.now())
    return f"“{mine.step.title}” is in work again."


def refuse_fail(user: "User", row: RunStep) -> str | None:
    """Return why a step cannot be called failed now, None when it can."""
    return refuse_change(user, row, (StepState.DOING, StepState.WAITING), "is not in work, so it cannot fail.")


def fail_step(row: RunStep, *, by: "User", reason: str, at: dt.datetime | None = None) -> str:
    """Say that a step did not work. It stays open: somebody tries again, or asks to leave it out.

    Raises:
        InvalidInput: nothing says what went wrong.
        NotAllowed, WrongState: `refuse_fail`.
    """
    said = reason_given(reason, "Say what went wrong.")
    with _locked(row, by, refuse_fail, said) as mine:
        mine.waits_for = ""
        move(mine, StepState.FAILED, StepDeed.FAILED, by=by, at=at or clock.now(), reason=said)
    return f"“{mine.step.title}” has failed; try again, or leave it out."


def refuse_done(user: "User", row: RunStep) -> str | None:
    """Return why `user` cannot finish a step now, None when they can. Who did the work does not check it."""
    no = refuse_change(user, row, _DONE_FROM, "is not in work; go on with it first, or it is closed already.")
    if no or (no := refuse_worker(user, row)):
        return no
    if row.step.kind not in (StepKind.CHECK, StepKind.APPROVAL):
        return None
    before = {edge.source for edge in flow_of(row.run.version).forward if edge.target == row.key}
    own = row.run.steps.filter(key__in=before, closed_by=user, state=StepState.DONE).select_related("step").first()
    if own is None:
        return None
    return f"You did “{own.step.title}” yourself; somebody else does “{row.step.title}”."


def finish_step(
    row: RunStep, *, by: "User", evidence: str = "", ways: Sequence[str] = (), at: dt.datetime | None = None
) -> str:
    """Close a step as done and open what comes next; a way back makes the steps from there to be done again.

    Args:
        row: the step.
        by: who did it.
        evidence: what shows that it was done; needed for steps of the kind evidence.
        ways: keys of the steps it led to, where several ways lead on.
        at: when it was done; now when not given.

    Raises:
        InvalidInput: the evidence is missing, or the ways do not fit the process.
        NotAllowed, WrongState: `refuse_done`.
    """
    moment, chosen = at or clock.now(), list(ways)
    with _locked(row, by, refuse_done) as mine:
        flow = flow_of(mine.run.version)
        if mine.step.kind == StepKind.EVIDENCE and not evidence.strip():
            missing = "This step asks for evidence: a sentence, a figure or an address."
            raise InvalidInput(missing, fields={"evidence": missing})
        if no := refuse_ways(flow, mine.key, chosen):
            raise InvalidInput(no, fields={"ways": no})
        mine.evidence, mine.ways_taken, mine.waits_for = evidence.strip(), chosen, ""
        mine.assignee, mine.closed_by, mine.closed_at = mine.assignee or by, by, moment
        move(mine, StepState.DONE, StepDeed.DONE, by=by, at=moment, reason=mine.evidence)
        back = _back(flow, mine.key, chosen)
        if back:
            go_back(mine.run, back, by=by, at=moment, reason=f"After “{mine.step.title}” it is done again.")
        move_on(mine.run, by=by, at=moment)
        if not mine.run.is_active:
            return f"“{mine.step.title}” is done, and with it {mine.run}."
    return f"“{mine.step.title}” is done." + (" It goes back to be done again." if back else "")


def _back(flow: "Flow", key: str, chosen: Sequence[str]) -> str:
    return next((edge.target for edge in flow.ways_out(key) if edge.is_rework and edge.target in chosen), "")


def refuse_reopen(user: "User", row: RunStep) -> str | None:
    """Return why a step cannot be done again, None when it can."""
    return refuse_change(user, row, _AGAIN_FROM, "is not done, so there is nothing to reopen.")


def reopen_step(row: RunStep, *, by: "User", reason: str, at: dt.datetime | None = None) -> str:
    """Have a step done again, and all that comes after it: one round more for what was done.

    Raises:
        InvalidInput: nothing says why.
        NotAllowed, WrongState: `refuse_reopen`.
    """
    said, moment = reason_given(reason, "Say why it is done again."), at or clock.now()
    with _locked(row, by, refuse_reopen, said) as mine:
        go_back(mine.run, mine.key, by=by, at=moment, reason=said)
        move_on(mine.run, by=by, at=moment)
    return f"“{mine.step.title}” is to be done again, and what comes after it."


@contextmanager
def _locked(row: RunStep, by: "User", refuse: Refusal, reason: str = "") -> Iterator[RunStep]:
    """Lock the run, then its step, and refuse what cannot be done now."""
    with transaction.atomic(), acting_as(by, reason=reason or None):
        run = locked(row.run)
        rows = RunStep.objects.select_for_update(of=("self",)).select_related("step", "assignee")
        mine: RunStep = rows.get(pk=row.pk)
        mine.run = run
        if no := refuse(by, mine):
            raise refused(bool(access.may(by, "change", mine)), no)
        yield mine


locked_step = _locked
