"""Feedback of people who work by a process: given at any time, answered before the next review closes."""

import datetime as dt
from typing import TYPE_CHECKING

from django.db import transaction

from apps.core import access, clock
from apps.core.actors import acting_as
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.core.events import publish
from apps.core.transitions import transition
from apps.processes.domain.reading import works_by
from apps.processes.enums import Disposition
from apps.processes.models import Feedback, Process, Step

if TYPE_CHECKING:
    from apps.accounts.models import User


def refuse_feedback(user: "User", process: Process) -> str | None:
    """Return why `user` cannot give feedback about `process` now, None when they can."""
    if not access.may(user, "view", process):
        return "You may not see this process."
    if process.is_archived:
        return f"{process} is archived; nobody works by it any more."
    if not works_by(user, process):
        return "Feedback comes from people who work by this process; you play no role in it."
    return None


def give_feedback(process: Process, *, by: "User", text: str, step: str = "") -> str:
    """Keep what `by` says about `process`, or about one step of it.

    Raises:
        InvalidInput: there is no text, or no such step in force.
        NotAllowed: `by` does not work by the process.
    """
    if not text.strip():
        raise InvalidInput("Say what does not work or could be better.", fields={"text": "Write it down."})
    with transaction.atomic(), acting_as(by):
        if refused := refuse_feedback(by, process):
            raise NotAllowed(refused)
        if step and not Step.objects.filter(version=process.effective_version_id, key=step).exists():
            raise InvalidInput("There is no such step in the version in force.", fields={"step": "Choose another."})
        row = Feedback.objects.create(process=process, step_key=step, text=text.strip(), author=by)
        publish("sop.feedback", feedback_id=row.pk)
    return "Thank you: it is kept, and answered before the next review closes."


def note_feedback(process: Process, *, by: "User", text: str) -> Feedback:
    """Keep what a reader of `process` says, whoever they are: for what offers its text to people without a role.

    Belongs in a transaction. The same words of the same person are kept once while they wait for an answer.
    """
    waiting = Feedback.objects.filter(process=process, author=by, text=text, disposition=Disposition.OPEN)
    same: Feedback | None = waiting.first()
    if same is not None:
        return same
    row: Feedback = Feedback.objects.create(process=process, text=text, author=by)
    publish("sop.feedback", feedback_id=row.pk)
    return row


def refuse_answer(user: "User", feedback: Feedback) -> str | None:
    """Return why `user` cannot answer `feedback` now, None when it works."""
    if not access.may(user, "change", feedback.process):
        return f"You may not change {feedback.process}."
    if feedback.disposition not in (Disposition.OPEN, Disposition.LATER):
        return f"It is answered already: {Disposition(feedback.disposition).label.lower()}."
    return None


def answer_feedback(
    feedback: Feedback, *, by: "User", disposition: str, answer: str, at: dt.datetime | None = None
) -> str:
    """Say what becomes of a piece of feedback, and why.

    Raises:
        InvalidInput: no answer, or no reason.
        NotAllowed: `by` may not change the process.
        WrongState: it is answered for good.
    """
    if disposition not in (Disposition.ACCEPTED, Disposition.LATER, Disposition.DECLINED):
        raise InvalidInput("Say what becomes of it.", fields={"disposition": "Choose one."})
    if not answer.strip():
        raise InvalidInput("Say why, for the person who wrote it.", fields={"answer": "Say why."})
    with transaction.atomic(), acting_as(by, reason=answer):
        row: Feedback = Feedback.objects.select_for_update(of=("self",)).select_related("process").get(pk=feedback.pk)
        if refused := refuse_answer(by, row):
            raise (WrongState if access.may(by, "change", row.process) else NotAllowed)(refused)
        row.disposition, row.answer = disposition, answer.strip()
        row.answered_by, row.answered_at = by, at or clock.now()
        with transition(Feedback):
            row.save(update_fields=["disposition", "answer", "answered_by", "answered_at"])
        publish("sop.feedback_answered", feedback_id=row.pk)
    return f"{Disposition(disposition).label}; {row.author} is told."
