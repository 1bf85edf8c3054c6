"""Pauses looked at: who lets time stand still, for what, how long, and which of it looks like hiding from the clock.

A pause is looked at where its limit ended it, where it waits for a requester whom nobody asked anything around then,
or where it began when nine tenths of the promised time were gone.
"""

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Sum, Value
from django.db.models.functions import Coalesce

from apps.accounts.models import called
from apps.core import access
from apps.core.calendars.domain.queries import default_calendar
from apps.core.clocks.domain.laying_out import Worked, lay_out
from apps.core.clocks.models import ClockSegment, EscalationFire
from apps.core.records import kind_of
from apps.tickets.domain.service import REASONS
from apps.tickets.enums import MessageKind, TicketState
from apps.tickets.models import Message, Ticket

if TYPE_CHECKING:
    from apps.accounts.models import User

AROUND, NINE_TENTHS, SHOWN = dt.timedelta(hours=1), 90, 50
TITLES = {reason.key: reason.title for reason in REASONS}
ODD = Q(hit_limit=True) | Q(unasked=True) | Q(late=True)


@dataclass(frozen=True)
class Line:
    """What one person let wait, for one reason."""

    person: str
    person_id: int | None
    reason: str
    pauses: int
    worked: dt.timedelta
    hit_limit: int
    unasked: int
    late: int


@dataclass(frozen=True)
class Odd:
    """One pause worth a look, and why."""

    ticket_id: int
    ticket: str
    person: str
    reason: str
    started: dt.datetime
    worked: dt.timedelta
    why: str


def pauses_of(reader: "User", *, since: dt.datetime, now: dt.datetime) -> QuerySet[Any]:
    """Return the pauses begun since a moment on tickets that `reader` may see, each once however many clocks it held.

    Their working time (`worked`) is counted in the default calendar, up to `now` where they still last.
    """
    seen = access.visible(reader, Ticket).order_by().values("pk")
    mine = ClockSegment.objects.filter(
        running=False, started__gte=since, clock__content_type=kind_of(Ticket), clock__object_id__in=seen
    )
    once = mine.order_by("clock__object_id", "started", "clock_id").distinct("clock__object_id", "started")
    ends, version = Coalesce(F("ended"), Value(now)), Value(lay_out(default_calendar()).pk, models.BigIntegerField())
    went_on = ClockSegment.objects.filter(
        clock=OuterRef("clock"), started=OuterRef("ended"), note__startswith="Runs again:"
    )
    asked = Message.objects.filter(
        ticket=OuterRef("clock__object_id"),
        kind=MessageKind.PUBLIC,
        at__gte=OuterRef("started") - AROUND,
        at__lte=OuterRef("started") + AROUND,
    )
    fired = EscalationFire.objects.filter(
        clock=OuterRef("clock"), rung__gte=NINE_TENTHS, reached_at__lte=OuterRef("started")
    )
    found: QuerySet[Any] = ClockSegment.objects.filter(pk__in=once.values("pk")).annotate(
        worked=models.ExpressionWrapper(
            Worked(version, ends) - Worked(version, F("started")), output_field=models.DurationField()
        ),
        hit_limit=Exists(went_on),
        unasked=~Exists(asked) & Q(reason=TicketState.WAITING_REQUESTER),
        late=Exists(fired),
    )
    return found


def lines(rows: QuerySet[Any]) -> list[Line]:
    """Return a line for each person and reason, what is odd most often first."""
    counted = rows.order_by().annotate(called=called("actor")).values("actor", "called", "actor_label", "reason")
    figures = counted.annotate(
        pauses=Count("pk"),
        time=Sum("worked"),
        limits=Count("pk", filter=Q(hit_limit=True)),
        silent=Count("pk", filter=Q(unasked=True)),
        tardy=Count("pk", filter=Q(late=True)),
    )
    found = [
        Line(
            person=each["called"] or each["actor_label"],
            person_id=each["actor"],
            reason=TITLES.get(each["reason"], each["reason"].replace("_", " ")),
            pauses=each["pauses"],
            worked=each["time"] or dt.timedelta(0),
            hit_limit=each["limits"],
            unasked=each["silent"],
            late=each["tardy"],
        )
        for each in figures
    ]
    return sorted(found, key=lambda each: (-(each.hit_limit + each.unasked + each.late), -each.pauses, each.person))


def odd_ones(rows: QuerySet[Any]) -> list[Odd]:
    """Return the pauses worth a look, the longest first."""
    found = rows.filter(ODD).select_related("actor", "clock").order_by("-worked", "-started")[:SHOWN]
    tickets = Ticket.objects.in_bulk({each.clock.object_id for each in found})
    return [
        Odd(
            ticket_id=each.clock.object_id,
            ticket=str(tickets[each.clock.object_id]),
            person=str(each.actor or each.actor_label),
            reason=TITLES.get(each.reason, each.reason),
            started=each.started,
            worked=each.worked or dt.timedelta(0),
            why=_why(each),
        )
        for each in found
    ]


def _why(pause: Any) -> str:
    parts = ["its limit ended it"] if pause.hit_limit else []
    parts += ["nobody asked the requester anything around then"] if pause.unasked else []
    parts += ["nine tenths of the promised time were gone"] if pause.late else []
    return ", ".join(parts).capitalize() + "."
