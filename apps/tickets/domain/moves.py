"""How a ticket moves: waiting, going on, resolved, closed, reopened; who works on it, where, and how soon."""

import datetime as dt
from typing import TYPE_CHECKING

from django.db import transaction

from apps.core import access, clock
from apps.core.actors import acting_as
from apps.core.errors import InvalidInput
from apps.core.events import publish
from apps.core.words import fitting, reason_given
from apps.tickets.domain import service
from apps.tickets.domain.rows import locked, raise_refusal, record, refuse_active_work, refuse_work, say, write
from apps.tickets.domain.telling import tell_desk, tell_of_resolution
from apps.tickets.enums import (
    DONE,
    MOVES,
    WAITING,
    EventKind,
    Level,
    MessageKind,
    Priority,
    Resolution,
    TicketState,
    priority_of,
)
from apps.tickets.models import Queue, Ticket

if TYPE_CHECKING:
    from apps.accounts.models import User

LONGEST = 50_000


def refuse_move(user: "User", ticket: Ticket, to: TicketState) -> str | None:
    """Return why `user` cannot bring `ticket` to `to`, None when the way is open."""
    if refused := refuse_work(user, ticket):
        return refused
    if to not in MOVES[TicketState(ticket.state)]:
        return f"{ticket.ref} is {ticket.get_state_display().lower()}; it cannot become {to.label.lower()} now."
    return None


def move(ticket: Ticket, to: TicketState, *, by: "User", at: dt.datetime, note: str = "", resolution: str = "") -> None:
    """Write the new state of a locked ticket and what belongs to it; announces `ticket.<state>`."""
    before = TicketState(ticket.state)
    again = before in DONE and to not in DONE
    changed: dict[str, object] = {"state": to}
    if to in DONE:
        changed |= {"resolution": resolution or ticket.resolution, "resolved_at": ticket.resolved_at or at}
        changed |= {"closed_at": at} if to == TicketState.CLOSED else {}
    elif again:
        changed |= {"resolution": "", "resolved_at": None, "closed_at": None, "reopened": ticket.reopened + 1}
    write(ticket, **changed)
    kind = EventKind.REOPENED if again else EventKind.STATE
    record(ticket, kind, by=by, at=at, before=before.label, after=to.label, note=note)
    service.moved(ticket, before, by=by, at=at)
    publish(f"ticket.{to.value}", ticket_id=ticket.pk)


def refuse_wait(user: "User", ticket: Ticket) -> str | None:
    """Return why `user` cannot let `ticket` wait, None when they can."""
    return refuse_active_work(user, ticket)


def wait(ticket: Ticket, *, by: "User", state: str, reason: str, at: dt.datetime | None = None) -> str:
    """Let a ticket wait: for its requester, a vendor, or for another reason.

    Raises:
        InvalidInput: that is no state to wait in, or no reason is given.
        NotAllowed, WrongState: as `refuse_wait` says.
    """
    if state not in WAITING:
        raise InvalidInput("A ticket waits for its requester, for a vendor, or is on hold.")
    reason = reason_given(reason, "Say what it waits for; time stands still meanwhile, and somebody will ask why.")
    to = TicketState(state)
    with transaction.atomic(), acting_as(by, reason=reason):
        row = locked(ticket)
        raise_refusal(by, row, refuse_wait(by, row) or refuse_move(by, row, to))
        move(row, to, by=by, at=at or clock.now(), note=reason)
    return f"{row.ref} is {to.label.lower()}."


def refuse_going_on(user: "User", ticket: Ticket) -> str | None:
    """Return why `user` cannot take up `ticket` again, None when they can."""
    if refused := refuse_active_work(user, ticket):
        return refused
    return refuse_move(user, ticket, TicketState.OPEN)


def go_on(ticket: Ticket, *, by: "User", note: str = "", at: dt.datetime | None = None) -> str:
    """Take up work on a new or waiting ticket.

    Raises:
        NotAllowed, WrongState: as `refuse_going_on` says.
    """
    with transaction.atomic(), acting_as(by, reason=note or None):
        row = locked(ticket)
        raise_refusal(by, row, refuse_going_on(by, row))
        move(row, TicketState.OPEN, by=by, at=at or clock.now(), note=note)
    return f"{row.ref} is open."


def refuse_resolve(user: "User", ticket: Ticket) -> str | None:
    """Return why `user` cannot resolve `ticket`, None when they can."""
    if refused := refuse_active_work(user, ticket):
        return refused
    left = sum(each.done_at is None and each.archived_at is None for each in ticket.checklist.all())
    if left:
        return f"{left} point{'' if left == 1 else 's'} of the checklist are still open; tick or remove them first."
    return None


def resolve(ticket: Ticket, *, by: "User", resolution: str, note: str = "", at: dt.datetime | None = None) -> str:
    """Resolve a ticket; its requester is told, by mail where they asked by mail, and may come back.

    The note is an answer to the requester like any other: it stands in the conversation and is a first response.

    Raises:
        InvalidInput: that is no way for a ticket to end.
        NotAllowed, WrongState: as `refuse_resolve` says.
    """
    if resolution not in Resolution.values or resolution == Resolution.DUPLICATE:
        raise InvalidInput("Choose how it ended; a duplicate is merged instead.")
    with transaction.atomic(), acting_as(by, reason=note or None):
        row = locked(ticket)
        raise_refusal(by, row, refuse_resolve(by, row))
        moment, text = at or clock.now(), fitting(note, LONGEST, field="note", what="The note")
        if text:
            say(row, MessageKind.PUBLIC, text, by=by, at=moment)
            answered_publicly(row, by=by, at=moment)
        if row.assignee is None and not by.is_system:  # whoever solves what nobody had taken worked on it
            hand_on(row, queue=None, assignee=by, by=by, at=moment, note="")
        move(row, TicketState.RESOLVED, by=by, at=moment, resolution=resolution)
        tell_of_resolution(row, text, by=by, at=moment)
    return f"{row.ref} is resolved: {Resolution(resolution).label.lower()}."


def answered_publicly(ticket: Ticket, *, by: "User", at: dt.datetime) -> None:
    """Meet what waited for an answer of the desk on a locked ticket: only a public one does."""
    service.answered(ticket, by=by, at=at)
    if ticket.first_response_at is None:
        write(ticket, first_response_at=at)


def refuse_close(user: "User", ticket: Ticket) -> str | None:
    """Return why `user` cannot close `ticket`, None when they can."""
    if refused := refuse_work(user, ticket):
        return refused
    return None if ticket.state == TicketState.RESOLVED else f"{ticket.ref} is closed once it has been resolved."


def close(ticket: Ticket, *, by: "User", note: str = "", at: dt.datetime | None = None) -> str:
    """Close a resolved ticket.

    Raises:
        NotAllowed, WrongState: as `refuse_close` says.
    """
    with transaction.atomic(), acting_as(by, reason=note or None):
        row = locked(ticket)
        raise_refusal(by, row, refuse_close(by, row))
        move(row, TicketState.CLOSED, by=by, at=at or clock.now(), note=note)
    return f"{row.ref} is closed."


def refuse_reopen(user: "User", ticket: Ticket) -> str | None:
    """Return why `user` cannot reopen `ticket`, None when they can."""
    if refused := refuse_work(user, ticket):
        return refused
    return None if ticket.state in DONE else f"{ticket.ref} is not done yet."


def reopen(ticket: Ticket, *, by: "User", reason: str, at: dt.datetime | None = None) -> str:
    """Reopen a ticket that was done; it counts among its figures.

    Raises:
        InvalidInput: without a reason.
        NotAllowed, WrongState: as `refuse_reopen` says.
    """
    reason = reason_given(reason, "Say why it is opened again.")
    with transaction.atomic(), acting_as(by, reason=reason):
        row = locked(ticket)
        raise_refusal(by, row, refuse_reopen(by, row))
        move(row, TicketState.OPEN, by=by, at=at or clock.now(), note=reason)
        tell_desk(row, "ticket.word", title=f"{row} was reopened", body=reason, by=by)
    return f"{row.ref} is open again."


def refuse_take(user: "User", ticket: Ticket) -> str | None:
    """Return why `user` cannot take `ticket`, None when they can."""
    if refused := refuse_active_work(user, ticket):
        return refused
    return f"{ticket.ref} is yours already." if ticket.assignee_id == user.pk else None


def take(ticket: Ticket, *, by: "User") -> str:
    """Take a ticket."""
    return assign(ticket, by=by, assignee=by)


def assign(
    ticket: Ticket,
    *,
    by: "User",
    assignee: "User | None" = None,
    queue: Queue | None = None,
    note: str = "",
    at: dt.datetime | None = None,
) -> str:
    """Give a ticket to a person, to another queue, or to both; nobody named puts it back into its queue.

    Raises:
        InvalidInput: the person could not work on it, or nothing would change.
        NotAllowed, WrongState: as `refuse_active_work` says.
    """
    moment = at or clock.now()
    with transaction.atomic(), acting_as(by, reason=note or None):
        row = locked(ticket)
        raise_refusal(by, row, refuse_active_work(by, row))
        if assignee is not None and not access.can(assignee, "change", row):
            raise InvalidInput(f"{assignee} does not work at the desk, so the ticket would be stuck with them.")
        if queue is not None and queue.is_archived:
            raise InvalidInput(f"{queue} is archived; choose another queue.")
        moved = queue is not None and queue.pk != row.queue_id
        given = (assignee.pk if assignee is not None else None) != row.assignee_id
        if not moved and not given:
            raise InvalidInput("Nothing would change; choose another person or queue.")
        hand_on(row, queue=queue, assignee=assignee, by=by, at=moment, note=note)
    return f"{row.ref} is with {assignee or row.queue} now."


def refuse_priority(user: "User", ticket: Ticket) -> str | None:
    """Return why `user` cannot change how much `ticket` matters, None when they can."""
    return refuse_active_work(user, ticket)


def set_priority(
    ticket: Ticket, *, by: "User", impact: int, urgency: int, reason: str = "", at: dt.datetime | None = None
) -> str:
    """Say anew how much a ticket touches and how soon it matters; its priority follows.

    Raises:
        InvalidInput: nothing would change.
        NotAllowed, WrongState: as `refuse_priority` says.
    """
    with transaction.atomic(), acting_as(by, reason=reason or None):
        row = locked(ticket)
        raise_refusal(by, row, refuse_priority(by, row))
        if (int(impact), int(urgency)) == (row.impact, row.urgency):
            raise InvalidInput("Nothing would change; choose another impact or urgency.")
        before = Priority(row.priority)
        after = matter(row, impact, urgency, by=by, at=at or clock.now(), reason=reason)
        publish("ticket.reprioritised", ticket_id=row.pk)
    return f"{row.ref} is {after.label} now." if before != after else f"{row.ref} stays {after.label}."


def matter(ticket: Ticket, impact: int, urgency: int, *, by: "User", at: dt.datetime, reason: str) -> Priority:
    """Write how much a locked ticket matters, with its trail and its clocks; returns its priority."""
    before, after = Priority(ticket.priority), priority_of(int(impact), int(urgency))
    write(ticket, impact=Level(int(impact)), urgency=Level(int(urgency)), priority=after)
    record(ticket, EventKind.PRIORITY, by=by, at=at, before=before.label, after=after.label, note=reason)
    service.reprioritised(ticket, by=by, at=at)  # its agreement may ask about either
    return after


def hand_on(
    ticket: Ticket, *, queue: Queue | None, assignee: "User | None", by: "User", at: dt.datetime, note: str
) -> None:
    """Bring a locked ticket to another queue, to a person, or both; a queue alone takes it from whoever has it."""
    if queue is not None and queue.pk != ticket.queue_id:
        record(ticket, EventKind.QUEUE, by=by, at=at, before=ticket.queue, after=queue, note=note)
        write(ticket, queue=queue)
        service.requeued(ticket, by=by, at=at)
    if (assignee.pk if assignee is not None else None) != ticket.assignee_id:
        _give(ticket, assignee, by=by, at=at, note=note)
    publish("ticket.assigned", ticket_id=ticket.pk)


def _give(ticket: Ticket, assignee: "User | None", *, by: "User", at: dt.datetime, note: str) -> None:
    before = ticket.assignee
    changed: dict[str, object] = {"assignee": assignee}
    if before is not None:
        changed["reassigned"] = ticket.reassigned + 1
    write(ticket, **changed)
    record(ticket, EventKind.ASSIGNED, by=by, at=at, before=before or "", after=assignee or "Nobody", note=note)
    if assignee is not None and assignee.pk != by.pk:
        tell_desk(ticket, "ticket.assigned", title=f"{ticket} is yours", body=note, by=by, people=[assignee])
