"""A ticket with what its page needs to know, in one query and two for lists: so that no part asks in vain."""

from typing import Any

from django.db.models import Exists, IntegerField, OuterRef, Prefetch, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from apps.tickets.models import ChecklistItem, FollowUp, Problem, Survey, Ticket, TicketLink, TicketRecord, TimeEntry


def whole(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Return tickets with watchers and checklist, with the minutes spent, and with which other parts they have."""
    mine = OuterRef("pk")
    spent = TimeEntry.objects.filter(ticket=mine).order_by().values("ticket").annotate(sum=Sum("minutes")).values("sum")
    checklist = Prefetch("checklist", ChecklistItem.objects.select_related("done_by").order_by("position", "id"))
    found: QuerySet[Any] = rows.select_related("form_version", "type__process", "merged_into")
    known: QuerySet[Any] = found.prefetch_related("watchers", checklist).annotate(
        minutes=Coalesce(Subquery(spent, output_field=IntegerField()), 0),
        has_merged=Exists(Ticket.objects.filter(merged_into=mine)),
        has_problems=Exists(Problem.objects.filter(tickets=mine)),
        has_links=Exists(TicketLink.objects.filter(Q(ticket=mine) | Q(other=mine))),
        has_records=Exists(TicketRecord.objects.filter(ticket=mine)),
        has_follow_ups=Exists(FollowUp.objects.filter(ticket=mine)),
        has_surveys=Exists(Survey.objects.filter(ticket=mine)),
    )
    return known


def minutes_of(ticket: Ticket) -> int:
    """Return how long was worked on a ticket."""
    found: int | None = ticket.time_entries.aggregate(sum=Sum("minutes"))["sum"]
    return found or 0
