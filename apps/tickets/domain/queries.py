"""Questions about tickets that pages ask."""

import datetime as dt
from typing import TYPE_CHECKING

from django.db import models

from apps.accounts.models import User
from apps.core.access import visible
from apps.core.overdue import LateRows
from apps.tickets.enums import Tier
from apps.tickets.models import Ticket, TicketType

if TYPE_CHECKING:
    from django.db.models import QuerySet

QUIET_FOR = dt.timedelta(days=3)


def desk_people() -> "QuerySet[User]":
    """Return everybody who may work on tickets."""
    right = models.Q(
        groups__permissions__codename="change_ticket", groups__permissions__content_type__app_label="tickets"
    )
    return User.objects.working().filter(right).distinct().order_by("full_name")


def catalogue() -> list[tuple[str, list[TicketType]]]:
    """Return what colleagues find on the help page, by tier."""
    rows = list(TicketType.objects.live().filter(in_catalogue=True).select_related("queue").order_by("name"))
    groups = [(tier.label, [row for row in rows if row.tier == tier]) for tier in Tier]
    return [(label, found) for label, found in groups if found]


def own_tickets(person: User) -> "QuerySet[Ticket]":
    """Return the tickets that a person asks or asked; they read them on their own page, whatever their role."""
    rows: QuerySet[Ticket] = Ticket.objects.live().filter(requester=person).select_related("queue", "type")
    return rows.order_by("-last_word_at")


def quiet_tickets(person: User, today: dt.date) -> LateRows:
    """Return the tickets of a person that wait for a word of theirs for days."""
    since = dt.datetime.combine(today, dt.time(), dt.UTC) - QUIET_FOR
    rows = Ticket.objects.active().filter(assignee=person, state__in=("new", "open"), last_word_at__lt=since)
    mine = (rows & visible(person, Ticket)).order_by("last_word_at")
    return LateRows(mine, "waits for a word of yours", "last_word_at")
