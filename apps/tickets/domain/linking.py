"""What belongs to a ticket: other tickets, records, watchers, points to do, and time spent."""

import datetime as dt
from typing import TYPE_CHECKING

from django.db import models, transaction

from apps.core import access, clock
from apps.core.actors import acting_as
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.core.events import publish
from apps.core.words import fitting
from apps.tickets.domain.moves import move
from apps.tickets.domain.rows import locked, raise_refusal, record, refuse_active_work, refuse_work, write
from apps.tickets.domain.telling import tell_requester
from apps.tickets.enums import EventKind, LinkKind, Resolution, TicketState
from apps.tickets.models import ChecklistItem, Ticket, TicketLink, TicketRecord, TimeEntry

if TYPE_CHECKING:
    from apps.accounts.models import User

MOST_POINTS = 50
LONGEST_LINE = 200


def link_tickets(ticket: Ticket, *, by: "User", other: Ticket, kind: str = LinkKind.RELATED) -> str:
    """Link two tickets, read from the first to the second ("is the parent of").

    Raises:
        InvalidInput: they are the same, are linked already, or would be each other's parents.
        NotAllowed, WrongState: as `refuse_work` says.
    """
    with transaction.atomic(), acting_as(by):
        row = locked(ticket)
        raise_refusal(by, row, refuse_work(by, row))
        if other.pk == row.pk:
            raise InvalidInput("A ticket cannot be linked to itself.")
        live = TicketLink.objects.live().filter(kind=kind)
        if live.filter(ticket=row, other=other).exists():
            raise InvalidInput(f"{row.ref} and {other.ref} are linked that way already.")
        if live.filter(ticket=other, other=row).exists():
            words = LinkKind(kind).label
            raise InvalidInput(f"{other.ref} {words} {row.ref} already; it cannot be both ways.")
        TicketLink.objects.create(ticket=row, other=other, kind=kind)
        record(row, EventKind.LINKED, by=by, at=clock.now(), after=f"{LinkKind(kind).label} {other.ref}")
    return f"{row.ref} {LinkKind(kind).label} {other.ref}."


def refuse_merge(user: "User", ticket: Ticket) -> str | None:
    """Return why `user` cannot merge `ticket` into another, None when they can."""
    return refuse_active_work(user, ticket)


def merge_into(ticket: Ticket, *, by: "User", other: Ticket, note: str = "", at: dt.datetime | None = None) -> str:
    """Close a ticket as a duplicate of another; both keep their trails, and the other's page shows both.

    Raises:
        InvalidInput: it is the same ticket, or was merged itself.
        NotAllowed, WrongState: as `refuse_merge` says.
    """
    if other.pk == ticket.pk:
        raise InvalidInput("A ticket cannot be merged into itself.")
    moment = at or clock.now()
    with transaction.atomic(), acting_as(by, reason=note or None):
        rows = {row.pk: row for row in map(locked, sorted((ticket, other), key=lambda each: each.pk))}
        row, kept = rows[ticket.pk], rows[other.pk]
        raise_refusal(by, row, refuse_merge(by, row))
        if refused := refuse_work(by, kept):
            raise WrongState(refused)
        move(row, TicketState.CLOSED, by=by, at=moment, note=note, resolution=Resolution.DUPLICATE)
        write(row, merged_into=kept)
        record(row, EventKind.MERGED, by=by, at=moment, after=f"into {kept.ref}", note=note)
        record(kept, EventKind.MERGED, by=by, at=moment, after=f"{row.ref} into this one", note=note)
        kept.watchers.add(*row.watchers.all(), *([row.requester] if row.requester is not None else []))
        words = f"It is the same as {kept.ref}, {kept.title}; you will hear about it there."
        tell_requester(row, title=f"{row.ref} goes on in {kept.ref}", body=words, by=by)
        publish("ticket.merged", ticket_id=row.pk, other_id=kept.pk)
    return f"{row.ref} goes on in {kept.ref}."


def add_record(ticket: Ticket, *, by: "User", thing: models.Model, at: dt.datetime | None = None) -> str:
    """Say that a ticket is about a campaign, lead, tool or SOP.

    Raises:
        InvalidInput: it says so already.
        NotAllowed: `by` may not see it, or may not work on the ticket.
    """
    with transaction.atomic(), acting_as(by):
        row = locked(ticket)
        raise_refusal(by, row, refuse_work(by, row))
        if not access.can(by, "view", thing):
            raise NotAllowed("You can link only what you may see.")
        if row.records.live().filter(object_id=thing.pk, content_type__model=thing._meta.model_name).exists():
            raise InvalidInput(f"{row.ref} is about {thing} already.")
        TicketRecord.objects.create(ticket=row, record=thing)
        record(row, EventKind.LINKED, by=by, at=at or clock.now(), after=f"is about {thing}")
    return f"{row.ref} is about {thing}."


def watch(ticket: Ticket, *, by: "User") -> str:
    """Be told of every answer and every move."""
    with transaction.atomic(), acting_as(by):
        ticket.watchers.add(by)
    return f"You watch {ticket.ref}."


def unwatch(ticket: Ticket, *, by: "User") -> str:
    """Be told no more."""
    with transaction.atomic(), acting_as(by):
        ticket.watchers.remove(by)
    return f"You no longer watch {ticket.ref}."


def refuse_watch(user: "User", ticket: Ticket) -> str | None:
    """Return why `user` cannot watch `ticket`, None when they can."""
    if not access.can(user, "change", ticket):
        return "Tickets are watched by the people of the desk."
    return "You watch it already." if user in ticket.watchers.all() else None


def refuse_unwatch(user: "User", ticket: Ticket) -> str | None:
    """Return why `user` cannot stop watching `ticket`, None when they can."""
    return None if user in ticket.watchers.all() else "You do not watch it."


def add_points(ticket: Ticket, *, by: "User", points: str) -> str:
    """Add points to the checklist, one a line.

    Raises:
        InvalidInput: there is none, or too many.
        NotAllowed, WrongState: as `refuse_active_work` says.
    """
    bare = (line.strip(" -*•\t") for line in points.splitlines())
    lines = [fitting(line, LONGEST_LINE, field="points", what=f"“{line[:40]}…”") for line in bare]
    lines = [line for line in lines if line]
    if not lines:
        raise InvalidInput("Write one point a line.")
    with transaction.atomic(), acting_as(by):
        row = locked(ticket)
        raise_refusal(by, row, refuse_active_work(by, row))
        there = row.checklist.live().count()
        if there + len(lines) > MOST_POINTS:
            raise InvalidInput(f"A checklist has at most {MOST_POINTS} points; a longer one is an SOP.")
        for number, line in enumerate(lines, start=there + 1):
            ChecklistItem.objects.create(ticket=row, text=line, position=number)
    return f"{len(lines)} point{'' if len(lines) == 1 else 's'} added to {row.ref}."


def tick(ticket: Ticket, *, by: "User", point: ChecklistItem, done: bool = True, at: dt.datetime | None = None) -> str:
    """Tick a point of the checklist, or take the tick away.

    Raises:
        InvalidInput: the point belongs to another ticket.
        NotAllowed, WrongState: as `refuse_active_work` says.
    """
    if point.ticket_id != ticket.pk:
        raise InvalidInput("This point belongs to another ticket.")
    with transaction.atomic(), acting_as(by):
        row = locked(ticket)
        raise_refusal(by, row, refuse_active_work(by, row))
        moment = at or clock.now()
        point.done_at, point.done_by = (moment, by) if done else (None, None)
        point.save(update_fields=["done_at", "done_by"])
        record(row, EventKind.CHECKLIST, by=by, at=moment, after=f"{'Done' if done else 'Open again'}: {point}")
    return f"{point}: {'done' if done else 'open again'}."


def spend_time(ticket: Ticket, *, by: "User", minutes: int, note: str = "", spent_on: dt.date | None = None) -> str:
    """Write down time spent; a mistake is corrected by another entry, in the minus.

    Raises:
        InvalidInput: it is none, more than a day, in the future, or takes away more than was written down.
        NotAllowed, WrongState: as `refuse_work` says.
    """
    day, today = spent_on or clock.today(), clock.today()
    if not minutes or abs(minutes) > 24 * 60:
        raise InvalidInput("Time spent is between one minute and a day.")
    if day > today:
        raise InvalidInput(f"{day} has not come yet.")
    with transaction.atomic(), acting_as(by):
        row = locked(ticket)
        raise_refusal(by, row, refuse_work(by, row))
        own = row.time_entries.filter(person=by).aggregate(sum=models.Sum("minutes"))["sum"] or 0
        if own + minutes < 0:
            raise InvalidInput(f"You have written down {own} minutes; {-minutes} cannot be taken away.")
        what_for = fitting(note, LONGEST_LINE, field="note", what="The note")
        TimeEntry.objects.create(ticket=row, person=by, minutes=minutes, spent_on=day, note=what_for, at=clock.now())
    return f"{minutes} minutes on {row.ref}."
