"""Starting an improvement: by a person on the page of a process, or from a problem, a finding, a review."""

import datetime as dt
from typing import TYPE_CHECKING, Any

from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction

from apps.core import access, clock
from apps.core.actors import acting_as
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.core.events import publish
from apps.core.words import fitting
from apps.processes.domain.measuring import Measured
from apps.processes.enums import MeasuredOver, ProcessFigure
from apps.processes.models import Improvement, ImprovementEvent, Process

if TYPE_CHECKING:
    from apps.accounts.models import User


def refuse_propose(user: "User", process: Process) -> str | None:
    """Return why `user` cannot start an improvement of `process`, None when they can."""
    if not access.has_model_permission(user, "add", Improvement) or not access.may(user, "view", process):
        return "You may not start improvements of this process."
    return f"{process} is archived; restore it first." if process.is_archived else None


def propose(
    process: Process,
    *,
    by: "User",
    title: str,
    figure: ProcessFigure | str,
    measured_over: MeasuredOver | int = MeasuredOver.QUARTER,
    due_on: dt.date | None = None,
    source: models.Model | None = None,
    reason: str = "",
    at: dt.datetime | None = None,
) -> Improvement:
    """Start an improvement; announces `improvement.proposed`.

    Args:
        process: what gets better.
        by: who starts it, and owns it at first.
        title: what gets better, in a line.
        figure: the figure of the process that has to move.
        measured_over: how many days the figure before the change looks back.
        due_on: by when it is to be validated.
        source: the record it came from: a problem, a finding, a review.
        reason: why it is started.
        at: when; now when not given.

    Raises:
        InvalidInput: it has no title, or the figure is unknown.
        NotAllowed, WrongState: `refuse_propose`.
    """
    name = fitting(title, 150, field="title", what="The title")
    if not name:
        raise InvalidInput("Say in a line what gets better.", fields={"title": "Say in a line what gets better."})
    if figure not in ProcessFigure.values:
        said = f"“{figure}” is no figure of processes; choose one of {', '.join(ProcessFigure.values)}."
        raise InvalidInput(said, fields={"figure": said})
    if refused := refuse_propose(by, process):
        raise (WrongState if process.is_archived else NotAllowed)(refused)
    with transaction.atomic(), acting_as(by, reason=reason or None):
        row = Improvement.objects.create(
            title=name,
            process=process,
            figure=figure,
            measured_over=measured_over,
            due_on=due_on,
            owner_person=by,
            content_type=ContentType.objects.get_for_model(source) if source is not None else None,
            object_id=source.pk if source is not None else None,
        )
        note(row, "", by=by, at=at or clock.now(), reason=reason)
        publish("improvement.proposed", improvement_id=row.pk)
    return row


def propose_from_page(process: Process, *, by: "User", **given: Any) -> str:
    """Start an improvement: what the button on the page of a process calls."""
    row = propose(process, by=by, **given)
    return f"“{row}” is started; capture the figure before the change next. It stands under “Improvements” below."


def note(
    row: Improvement,
    before: str,
    *,
    by: "User",
    at: dt.datetime,
    reason: str = "",
    found: Measured | None = None,
    since: dt.datetime | None = None,
) -> None:
    """Write down what was done about an improvement, and what was measured."""
    ImprovementEvent.objects.create(
        improvement=row,
        before=before,
        state=row.state,
        reason=reason,
        value=found.value if found else None,
        sample=found.sample if found else None,
        measured_from=since,
        actor=by,
        actor_label=by.get_username(),
        at=at,
    )
