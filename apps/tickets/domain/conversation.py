"""What is said on a ticket: answers to the requester, words from them, and notes among colleagues."""

import datetime as dt
from typing import TYPE_CHECKING

from django.db import transaction

from apps.core import clock
from apps.core.actors import acting_as
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.core.events import publish
from apps.core.words import fitting
from apps.tickets.domain import service
from apps.tickets.domain.moves import answered_publicly, move, refuse_resolve
from apps.tickets.domain.rows import locked, raise_refusal, refuse_work, say, write
from apps.tickets.domain.telling import tell_desk, tell_of_message
from apps.tickets.enums import DONE, Intake, MessageKind, Resolution, TicketState
from apps.tickets.models import Message, ReplyTemplate, Ticket

if TYPE_CHECKING:
    from apps.accounts.models import User

LONGEST = 50_000
AFTER = (TicketState.WAITING_REQUESTER, TicketState.RESOLVED)


def refuse_reply(user: "User", ticket: Ticket) -> str | None:
    """Return why `user` cannot answer on `ticket`, None when they can."""
    return refuse_work(user, ticket)


def reply(
    ticket: Ticket,
    *,
    body: str,
    by: "User",
    internal: bool = False,
    template: ReplyTemplate | None = None,
    then: str = "",
    at: dt.datetime | None = None,
) -> str:
    """Answer the requester, or write a note that only colleagues of the desk read.

    A public answer is the first response if there was none, and opens a new ticket. An answer to a ticket nobody has
    taken makes who answers its assignee.

    Args:
        ticket: where.
        body: what is said, in Markdown.
        by: who answers.
        internal: a note among colleagues; it meets no promise and reaches no requester.
        template: what the answer began from.
        then: "waiting_requester" or "resolved", to move the ticket on with the answer.
        at: when; now when not given.

    Raises:
        InvalidInput: it says nothing, or the ticket cannot move on to that.
        NotAllowed, WrongState: as `refuse_reply` says.
    """
    text, moment = _text(body), at or clock.now()
    if then and then not in AFTER:
        raise InvalidInput("After an answer a ticket waits for its requester, is resolved, or stays as it is.")
    with transaction.atomic(), acting_as(by):
        row = locked(ticket)
        raise_refusal(by, row, refuse_reply(by, row))
        kind = MessageKind.INTERNAL if internal else MessageKind.PUBLIC
        said = say(row, kind, text, by=by, at=moment, template=template)
        if not internal:
            _after_public_answer(row, by=by, at=moment, then=then)
        tell_of_message(said, by=by)
        publish("ticket.noted" if internal else "ticket.answered", ticket_id=row.pk)
    return f"{row.ref}: your note is kept." if internal else f"{row.ref} is answered."


def refuse_answer(user: "User", ticket: Ticket, *, now: dt.datetime | None = None) -> str | None:
    """Return why `user` cannot write on `ticket` as its requester, None when they can."""
    if ticket.requester_id != user.pk:
        return "This ticket was opened by somebody else."
    if ticket.merged_into_id is not None:
        return f"{ticket.ref} was merged into T-{ticket.merged_into_id}; write there."
    if ticket.is_archived:
        return f"{ticket.ref} is archived; open a new ticket."
    return refuse_reopening(ticket, now=now)


def refuse_reopening(ticket: Ticket, *, now: dt.datetime | None = None) -> str | None:
    """Return why a word of its requester no longer reopens `ticket`, None when it does or need not."""
    ended, days = ticket.closed_at or ticket.resolved_at, ticket.queue.reopen_days
    if ticket.merged_into_id is not None or ticket.is_archived:
        return f"{ticket.ref} is not opened again; open a new ticket and name this one."
    if ticket.state in DONE and ended is not None and (now or clock.now()) - ended > dt.timedelta(days=days):
        return (
            f"{ticket.ref} was {ticket.get_state_display().lower()} more than {days} days ago; "
            "open a new ticket and name this one."
        )
    return None


def answer_as_requester(
    ticket: Ticket, *, body: str, by: "User", channel: Intake = Intake.PORTAL, at: dt.datetime | None = None
) -> str:
    """Let the requester write on their ticket: one that waited for them goes on, one that was done is reopened.

    Raises:
        InvalidInput: it says nothing.
        NotAllowed, WrongState: as `refuse_answer` says.
    """
    moment = at or clock.now()
    with transaction.atomic(), acting_as(by):
        row = locked(ticket)
        if refused := refuse_answer(by, row, now=moment):
            raise (WrongState if row.requester_id == by.pk else NotAllowed)(refused)
        return requester_wrote(row, _text(body), by=by, channel=channel, at=moment)


def requester_wrote(ticket: Ticket, text: str, *, by: "User", channel: Intake, at: dt.datetime) -> str:
    """Keep what the requester of a locked ticket wrote, by whichever door, and let the ticket go on."""
    reopened = ticket.state in DONE
    said = say(ticket, MessageKind.REQUESTER, text, by=by, at=at, channel=channel)
    after_requesters_word(ticket, said, by=by, at=at)
    return f"{ticket.ref} is open again; the desk has been told." if reopened else f"Your word on {ticket.ref} is kept."


def word_by_mail(ticket: Ticket, text: str, *, by: "User", at: dt.datetime) -> Message:
    """Keep what the requester of a locked ticket wrote by mail, signed by them, and let the ticket go on."""
    said = say(ticket, MessageKind.REQUESTER, text, by=by, at=at, channel=Intake.MAIL, signed=ticket.asked_by)
    after_requesters_word(ticket, said, by=by, at=at)
    return said


def note_by_mail(ticket: Ticket, text: str, *, by: "User", at: dt.datetime, signed: str = "") -> Message:
    """Keep what came by mail and is not the requester's word where only the desk reads it; the desk is told."""
    said = say(ticket, MessageKind.INTERNAL, text, by=by, at=at, channel=Intake.MAIL, signed=signed)
    if signed:
        tell_desk(ticket, "ticket.word", title=f"{signed} wrote about {ticket}", body=text, by=by)
    return said


def after_requesters_word(ticket: Ticket, said: Message, *, by: "User", at: dt.datetime) -> None:
    """Let a ticket that waited for its requester go on, reopen one that was done, and tell the desk."""
    reopened = ticket.state in DONE
    if reopened or ticket.state == TicketState.WAITING_REQUESTER:
        note = "The requester came back." if reopened else "The requester answered."
        move(ticket, TicketState.OPEN, by=by, at=at, note=note)
    service.asked(ticket, by=by, at=at)
    tell_of_message(said, by=by)
    publish("ticket.word", ticket_id=ticket.pk)


def _after_public_answer(ticket: Ticket, *, by: "User", at: dt.datetime, then: str) -> None:
    answered_publicly(ticket, by=by, at=at)
    if ticket.assignee_id is None and ticket.is_active:
        write(ticket, assignee=by)
    if then == TicketState.RESOLVED and ticket.is_active:
        raise_refusal(by, ticket, refuse_resolve(by, ticket))
        move(ticket, TicketState.RESOLVED, by=by, at=at, resolution=Resolution.SOLVED)
    elif then and ticket.is_active and ticket.state != then:
        move(ticket, TicketState(then), by=by, at=at)
    elif ticket.state == TicketState.NEW:
        move(ticket, TicketState.OPEN, by=by, at=at)


def _text(body: str) -> str:
    text = fitting(body, LONGEST, field="body", what="The message")
    if not text:
        raise InvalidInput("Write something first.", fields={"body": "Write something first."})
    return text
