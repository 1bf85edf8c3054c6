"""Improvements, step by step: measure, gap, solution, implement, validate. The figures are captured, never typed."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction

from apps.accounts.domain.ownership import owned_by
from apps.core import access, clock
from apps.core.access import visible
from apps.core.actors import acting_as
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.core.events import publish
from apps.core.overdue import LateRows
from apps.core.transitions import transition
from apps.core.words import reason_given
from apps.processes.domain.measuring import Measured, in_words, measure
from apps.processes.domain.proposing import note
from apps.processes.enums import Gain, ImprovementState, ProcessFigure
from apps.processes.models import Improvement

if TYPE_CHECKING:
    from apps.accounts.models import User

_COLUMNS = (
    *("state", "gap", "target", "solution", "baseline", "baseline_sample", "baseline_at"),
    *("implemented_at", "after", "after_sample", "after_at", "gain", "closed_at"),
)
_NEXT = {
    ImprovementState.MEASURE: "capture the figure before the change",
    ImprovementState.GAP: "describe the gap",
    ImprovementState.SOLUTION: "describe the solution",
    ImprovementState.IMPLEMENT: "say that it is implemented",
    ImprovementState.VALIDATE: "validate it",
}


def refusing(*states: ImprovementState) -> Any:
    """Return the refusal of an operation that works in these states alone."""

    def refuse(user: "User", row: Improvement) -> str | None:
        if not access.may(user, "change", row):
            return "You may read improvements, not work on them."
        if row.state in states:
            return None
        if not row.is_open:
            return f"{row} is {ImprovementState(row.state).label.lower()}; start another one."
        return f"First {_NEXT[ImprovementState(row.state)]}."

    return refuse


refuse_baseline = refusing(ImprovementState.MEASURE)
refuse_gap = refusing(ImprovementState.GAP)
refuse_solution = refusing(ImprovementState.SOLUTION)
refuse_implemented = refusing(ImprovementState.IMPLEMENT)
refuse_validate = refusing(ImprovementState.VALIDATE)
refuse_back = refusing(ImprovementState.VALIDATE, ImprovementState.IMPLEMENT)
refuse_drop = refusing(*_NEXT)


def take_baseline(row: Improvement, *, by: "User", at: dt.datetime | None = None) -> str:
    """Capture the figure before the change, from the runs of the days it looks back.

    Raises:
        WrongState: nothing was carried out in that time; or `refuse_baseline`.
        NotAllowed: `refuse_baseline`.
    """
    moment = at or clock.now()
    with _locked(row, by, refuse_baseline) as mine:
        since = moment - dt.timedelta(days=mine.measured_over)
        found = measure(mine.process, mine.figure, since=since, until=moment)
        if found.value is None:
            raise WrongState(
                f"Nothing of {mine.process} can be counted in the last {mine.measured_over} days, so there is nothing "
                "to compare with later. Look further back, or carry the process out first."
            )
        mine.baseline, mine.baseline_sample, mine.baseline_at = found.value, found.sample, moment
        _move(mine, ImprovementState.GAP, by=by, at=moment, found=found, since=since)
        said = in_words(found.value, mine.figure)
    return f"Before the change: {said}, from {found.sample} {'run' if found.sample == 1 else 'runs'}."


def describe_gap(row: Improvement, *, by: "User", gap: str, target: Decimal, at: dt.datetime | None = None) -> str:
    """Say what keeps the figure where it is, and where it has to go.

    Raises:
        InvalidInput: nothing is said, or the target is no better than what was measured.
        NotAllowed, WrongState: `refuse_gap`.
    """
    said = reason_given(gap, "Say what keeps the figure where it is.")
    with _locked(row, by, refuse_gap, said) as mine:
        baseline = Decimal(mine.baseline or 0)
        if not _is_better(mine, Decimal(target), baseline):
            direction = "below" if ProcessFigure(mine.figure).less_is_better else "above"
            wrong = f"The target has to be {direction} what was measured: {in_words(baseline, mine.figure)}."
            raise InvalidInput(wrong, fields={"target": wrong})
        mine.gap, mine.target = said, Decimal(target)
        _move(mine, ImprovementState.SOLUTION, by=by, at=at or clock.now(), reason=said)
    return f"The gap is described; the target is {in_words(mine.target, mine.figure)}."


def describe_solution(row: Improvement, *, by: "User", solution: str, at: dt.datetime | None = None) -> str:
    """Say what will be different.

    Raises:
        InvalidInput: nothing is said.
        NotAllowed, WrongState: `refuse_solution`.
    """
    said = reason_given(solution, "Say what will be different, step by step.")
    with _locked(row, by, refuse_solution, said) as mine:
        mine.solution = said
        _move(mine, ImprovementState.IMPLEMENT, by=by, at=at or clock.now(), reason=said)
    return "The solution is described; implement it, then say so here."


def implemented(row: Improvement, *, by: "User", reason: str, at: dt.datetime | None = None) -> str:
    """Say that the change works now; runs that begin from here on count as after it.

    Raises:
        InvalidInput: nothing says what was changed.
        NotAllowed, WrongState: `refuse_implemented`.
    """
    said, moment = reason_given(reason, "Say what was changed, and where."), at or clock.now()
    with _locked(row, by, refuse_implemented, said) as mine:
        mine.implemented_at = moment
        _move(mine, ImprovementState.VALIDATE, by=by, at=moment, reason=said)
    return "Runs that begin from now on count as after the change."


def validate(row: Improvement, *, by: "User", reason: str, at: dt.datetime | None = None) -> str:
    """Capture the figure after the change from the runs since, and close with what that comes to.

    Raises:
        InvalidInput: nothing says what was learnt.
        WrongState: nothing was carried out since the change; or `refuse_validate`.
        NotAllowed: `refuse_validate`.
    """
    said, moment = reason_given(reason, "Say what was learnt."), at or clock.now()
    with _locked(row, by, refuse_validate, said) as mine:
        since = mine.implemented_at or moment
        found = measure(mine.process, mine.figure, since=since, until=moment)
        if found.value is None:
            raise WrongState(
                f"Nothing of {mine.process} can be counted since the change of {since:%-d %B %Y}; wait until it was "
                "carried out, then validate."
            )
        mine.after, mine.after_sample, mine.after_at, mine.closed_at = found.value, found.sample, moment, moment
        mine.gain = gain_of(mine)
        _move(mine, ImprovementState.CLOSED, by=by, at=moment, reason=said, found=found, since=since)
        publish("improvement.closed", improvement_id=mine.pk)
    words = [in_words(each, mine.figure) for each in (mine.baseline, mine.after)]
    return f"{Gain(mine.gain).label}: {words[0]} before, {words[1]} after."


def back_to_solution(row: Improvement, *, by: "User", reason: str, at: dt.datetime | None = None) -> str:
    """Go back and find another solution; what was said stays in the trail.

    Raises:
        InvalidInput: nothing says why.
        NotAllowed, WrongState: `refuse_back`.
    """
    said = reason_given(reason, "Say why another solution is needed.")
    with _locked(row, by, refuse_back, said) as mine:
        mine.implemented_at = None
        _move(mine, ImprovementState.SOLUTION, by=by, at=at or clock.now(), reason=said)
    return "Back to the solution."


def drop(row: Improvement, *, by: "User", reason: str, at: dt.datetime | None = None) -> str:
    """Give an improvement up.

    Raises:
        InvalidInput: nothing says why.
        NotAllowed, WrongState: `refuse_drop`.
    """
    said, moment = reason_given(reason, "Say why it is given up."), at or clock.now()
    with _locked(row, by, refuse_drop, said) as mine:
        mine.closed_at = moment
        _move(mine, ImprovementState.DROPPED, by=by, at=moment, reason=said)
    return f"{mine} is dropped."


def gain_of(row: Improvement) -> Gain:
    """Return what the figures before and after come to."""
    before, after, target = (Decimal(each or 0) for each in (row.baseline, row.after, row.target))
    if after == target or _is_better(row, after, target):
        return Gain.REACHED
    return Gain.BETTER if _is_better(row, after, before) else Gain.NONE


def _is_better(row: Improvement, value: Decimal, than: Decimal) -> bool:
    return value < than if ProcessFigure(row.figure).less_is_better else value > than


@contextmanager
def _locked(row: Improvement, by: "User", refuse: Any, reason: str = "") -> Iterator[Improvement]:
    with transaction.atomic(), acting_as(by, reason=reason or None):
        rows = Improvement.objects.select_for_update(of=("self",)).select_related("process")
        mine: Improvement = rows.get(pk=row.pk)
        if no := refuse(by, mine):
            raise (WrongState if access.may(by, "change", mine) else NotAllowed)(no)
        yield mine


def _move(
    row: Improvement,
    state: ImprovementState,
    *,
    by: "User",
    at: dt.datetime,
    reason: str = "",
    found: Measured | None = None,
    since: dt.datetime | None = None,
) -> None:
    before, row.state = row.state, state
    with transition(Improvement):
        row.save(update_fields=list(_COLUMNS))
    note(row, before, by=by, at=at, reason=reason, found=found, since=since)


def overdue_improvements(person: "User", today: dt.date) -> LateRows:
    """Return the improvements of `person` (or of their teams) that should be validated by now, longest first."""
    rows = visible(person, Improvement).filter(owned_by(person), state__in=list(_NEXT), due_on__lt=today)
    rows = rows.filter(archived_at__isnull=True).order_by("due_on")
    return LateRows(rows, "should be validated")


def improvements_from(source: models.Model) -> "models.QuerySet[Improvement]":
    """Return the improvements that came from a record."""
    kind = ContentType.objects.get_for_model(type(source))
    return Improvement.objects.filter(content_type=kind, object_id=source.pk)
