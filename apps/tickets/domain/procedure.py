"""Working on a ticket by its procedure: a run of the process its type names, started once."""

import datetime as dt
from typing import TYPE_CHECKING

from django.db import transaction

from apps.core import access, clock
from apps.core.actors import acting_as
from apps.core.records import kind_of
from apps.processes.domain.running import begin_run, refuse_start, start_run, unready
from apps.processes.enums import RunState
from apps.processes.models import Run
from apps.tickets.domain.rows import locked, raise_refusal, record, refuse_active_work
from apps.tickets.enums import EventKind
from apps.tickets.models import Ticket, TicketRecord

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from apps.accounts.models import User


def runs_of(ticket: Ticket) -> "QuerySet[Run]":
    """Return the runs started for a ticket, newest first."""
    rows: QuerySet[Run] = Run.objects.filter(content_type=kind_of(Ticket), object_id=ticket.pk)
    return rows.select_related("process").order_by("-pk")


def refuse_run(user: "User", ticket: Ticket) -> str | None:
    """Return why `user` cannot start the procedure of `ticket`, None when they can."""
    if refused := refuse_active_work(user, ticket):
        return refused
    process = ticket.type.process if ticket.type is not None else None
    if process is None:
        return f"The type of {ticket.ref} names no process; name one in the catalogue."
    under_way = getattr(ticket, "is_under_way", None)  # a page has read it with the ticket
    if under_way or (under_way is None and runs_of(ticket).filter(state=RunState.ACTIVE).exists()):
        return f"A run for {ticket.ref} is under way already."
    return refuse_start(user, process, seen=getattr(ticket, "sees_process", None))


def start_at_intake(ticket: Ticket, *, by: "User", at: dt.datetime) -> Run | None:
    """Start the procedure of a new, locked ticket where its type says so, whoever asked; None where none starts.

    What keeps it from starting (nothing in force, no steps) stands on the trail and keeps no ticket out.
    """
    kind = ticket.type
    if kind is None or not kind.starts_run or kind.process is None:
        return None
    if why := unready(kind.process):
        record(ticket, EventKind.LINKED, by=by, at=at, note=f"Its procedure did not start: {why}")
        return None
    run = begin_run(kind.process, by=by, title=_title(ticket), subject=ticket, owners=kind, at=at)
    record(ticket, EventKind.LINKED, by=by, at=at, after=f"run started: {run}", note="Its type starts it at once.")
    TicketRecord.objects.create(ticket=ticket, record=run)
    return run


def start_procedure(ticket: Ticket, *, by: "User") -> str:
    """Start the process that the ticket's type names, for this ticket.

    Raises:
        NotAllowed, WrongState: as `refuse_run` says.
    """
    with transaction.atomic(), acting_as(by):
        row = locked(ticket)
        raise_refusal(by, row, refuse_run(by, row))
        assert row.type is not None and row.type.process is not None  # noqa: S101, PT018  # refuse_run has seen to it
        run = start_run(row.type.process, by=by, title=_title(row), subject=row)
        record(row, EventKind.LINKED, by=by, at=clock.now(), after=f"run started: {run}")
        if access.can(by, "view", run):
            TicketRecord.objects.create(ticket=row, record=run)
    return f"{run} is under way: {run.steps_total} steps."


def _title(ticket: Ticket) -> str:
    return f"{ticket.ref} {ticket.title}"[:150]
