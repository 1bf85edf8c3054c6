"""Resolved tickets nobody came back to are closed after the days their queue says."""

import datetime as dt

from django.db import transaction
from django.db.models import DurationField, ExpressionWrapper, F, Value

from apps.core import clock
from apps.core.actors import acting_as, system_principal
from apps.tickets.domain.moves import move
from apps.tickets.domain.rows import locked
from apps.tickets.enums import TicketState
from apps.tickets.models import Ticket

MOST = 500


def to_close(at: dt.datetime) -> list[int]:
    """Return the keys of resolved tickets whose days are over, oldest first."""
    quiet = ExpressionWrapper(F("queue__close_days") * Value(dt.timedelta(days=1)), output_field=DurationField())
    rows = Ticket.objects.live().filter(state=TicketState.RESOLVED, queue__close_days__isnull=False)
    over = rows.annotate(quiet=quiet).filter(
        resolved_at__lt=Value(at) - F("quiet"), last_word_at__lt=Value(at) - F("quiet")
    )
    return list(over.order_by("resolved_at").values_list("pk", flat=True)[:MOST])


def close_quiet(key: int, *, at: dt.datetime | None = None) -> bool:
    """Close one ticket if it is still resolved; safe to run twice."""
    moment = at or clock.now()
    by = system_principal()
    with transaction.atomic(), acting_as(by, reason="Nobody came back"):
        row = locked(Ticket.objects.get(pk=key))
        if row.state != TicketState.RESOLVED:
            return False
        move(row, TicketState.CLOSED, by=by, at=moment, note=f"Nobody came back within {row.queue.close_days} days.")
    return True
