"""Working on a ticket by its procedure: a run of the process its type names, started once."""

from typing import TYPE_CHECKING

from django.db import transaction

from apps.core import access, clock
from apps.core.actors import acting_as
from apps.core.records import kind_of
from apps.processes.domain.running import refuse_start, start_run
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
    if runs_of(ticket).filter(state=RunState.ACTIVE).exists():
        return f"A run for {ticket.ref} is under way already."
    return refuse_start(user, process)


def start_procedure(ticket: Ticket, *, by: "User") -> str:
    """Start the process that the ticket's type names, for this ticket.

    Raises:
        NotAllowed, WrongState: as `refuse_run` says.
    """
    with transaction.atomic(), acting_as(by):
        row = locked(ticket)
        raise_refusal(by, row, refuse_run(by, row))
        assert row.type is not None and row.type.process is not None  # noqa: S101, PT018  # refuse_run has seen to it
        run = start_run(row.type.process, by=by, title=f"{row.ref} {row.title}"[:150], subject=row)
        record(row, EventKind.LINKED, by=by, at=clock.now(), after=f"run started: {run}")
        if access.can(by, "view", run):
            TicketRecord.objects.create(ticket=row, record=run)
    return f"{run} is under way: {run.steps_total} steps."
