"""Files that requesters send with their tickets: checked like all others, and read by those who sent them alone."""

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import QuerySet

from apps.core import clock
from apps.core.actors import acting_as
from apps.core.attachments.domain.files import attach_for
from apps.core.attachments.models import Attachment
from apps.core.errors import DomainError, NotAllowed
from apps.tickets.domain.conversation import refuse_answer
from apps.tickets.domain.rows import locked, record
from apps.tickets.enums import EventKind
from apps.tickets.models import Ticket

if TYPE_CHECKING:
    from apps.accounts.models import User

MOST = 5


def files_of(person: "User", ticket: Ticket) -> QuerySet[Attachment]:
    """Return the files that the requester of a ticket has sent; what the desk attached is the desk's."""
    rows: QuerySet[Attachment] = Attachment.objects.about(ticket).live()
    return rows.filter(attached_by=person) if ticket.requester_id == person.pk else rows.none()


def send_files(ticket: Ticket, files: Sequence[Any], *, by: "User", at: dt.datetime | None = None) -> list[str]:
    """Keep files with a ticket for its requester; returns in sentences what was left out and why.

    Raises:
        NotAllowed: `by` may no longer write on it.
    """
    left = [f"{each.name} was left out: {MOST} files at a time are enough." for each in files[MOST:]]
    for file in files[:MOST]:
        try:
            with transaction.atomic(), acting_as(by):
                row = locked(ticket)
                if refused := refuse_answer(by, row):
                    raise NotAllowed(refused)
                kept = attach_for(row, file, by=by, description="From the requester")
                record(row, EventKind.FACTS, by=by, at=at or clock.now(), after=f"file: {kept.name}")
        except DomainError as refusal:
            left.append(f"{file.name} was left out: {refusal.message}")
    return left
