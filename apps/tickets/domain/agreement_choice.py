"""Which agreement a ticket is under: what its requester's team agreed with its queue, else what holds for everybody.

Of several, those with a condition are asked first, in their order; the first whose condition holds decides.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from django.db.models import BooleanField, ExpressionWrapper, Q, Value

from apps.accounts.models import User
from apps.core import clock
from apps.core.rules.catalog import Catalog, catalog_of
from apps.core.rules.domain.applying import (
    asked_of_row,
    asked_of_values,
    condition_fields,
    is_narrowed,
    tell_unreadable,
)
from apps.core.rules.domain.matching import values_of
from apps.tickets.enums import AgreementState, Priority
from apps.tickets.models import Agreement, Queue, Ticket, TicketType


def in_question(queue: Queue, person: User | None, *, on: dt.date | None = None) -> list[Agreement]:
    """Return the agreements in force that could hold for somebody who asks at a queue, in the order they are asked."""
    rows = Agreement.objects.filter(queue=queue, state=AgreementState.SIGNED, effective_on__lte=on or clock.today())
    if person is None:
        found = list(rows.filter(for_everybody=True).annotate(is_own=Value(False)))
    else:
        own = Q(customer__in=person.team_keys())
        found = list(rows.filter(own | Q(for_everybody=True)).annotate(is_own=ExpressionWrapper(own, BooleanField())))
    return sorted(found, key=_order)


def _order(agreement: Any) -> tuple[bool, bool, int, float]:
    last = -agreement.signed_at.timestamp()  # who is in two teams is under what was signed last
    return not agreement.is_own, not is_narrowed(agreement.applies_to), agreement.precedence, last


def agreement_for(ticket: Ticket, *, at: dt.datetime | None = None) -> Agreement | None:
    """Return the agreement a ticket comes under, as it is now; None where nothing is promised to it."""

    def values(catalog: Catalog, keys: set[str]) -> Mapping[str, Any]:
        found: dict[str, Any] = values_of(catalog, Ticket.objects.filter(pk=ticket.pk), keys)[ticket.pk]
        return found

    asked = in_question(ticket.queue, ticket.requester, on=ticket.opened_at.date())
    chosen, broken = _first(asked, values, at or clock.now())
    for each, wrong in broken:
        tell_unreadable(each, wrong, of="ticket")
    return chosen


def agreement_of(kind: TicketType, person: User, asked: list[Agreement]) -> Agreement | None:
    """Return which of the agreements in question a normal ticket of a type would come under, asked by `person` now."""

    def values(catalog: Catalog, keys: set[str]) -> Mapping[str, Any]:
        team = person.memberships.filter(archived_at__isnull=True).order_by("pk").first()
        return {
            "type": kind.pk,
            "tier": kind.tier,
            "priority": Priority.NORMAL.value,
            "requester_team": team.team_id if team is not None else None,
        }

    return _first(asked, values, clock.now())[0]


def _first(
    asked: list[Agreement], values: Callable[[Catalog, set[str]], Mapping[str, Any]], at: dt.datetime
) -> tuple[Agreement | None, list[tuple[Agreement, str]]]:
    """Return the first that holds, and those before it whose condition can no longer be read, with the reason."""
    if not any(is_narrowed(each.applies_to) for each in asked):
        return (asked[0] if asked else None), []
    catalog = catalog_of(Ticket)
    broken: list[tuple[Agreement, str]] = []
    known = values(catalog, set().union(*(condition_fields(each.applies_to, catalog) for each in asked)))
    for each in asked:
        answer = asked_of_values(each.applies_to, catalog, known, at=at)
        if answer.holds:
            return each, broken
        if answer.is_broken:
            broken.append((each, answer.why))
    return None, broken


def is_other(before: Agreement | None, after: Agreement | None) -> bool:
    """Whether a ticket that has changed comes under another condition; a newer version of the same is no other."""
    return (before.applies_to if before is not None else {}) != (after.applies_to if after is not None else {})


def why_under(ticket: Ticket, reader: User) -> str:
    """Return why a ticket is under its agreement, for `reader`; "" where it is under none."""
    agreement = ticket.agreement
    if agreement is None:
        return ""
    if agreement.for_everybody:
        side = (
            f"it holds between {ticket.queue} and {agreement.customer}, and for everybody without one of their own"
            if agreement.queue_id == ticket.queue_id
            else f"it held for everybody at the queue {ticket.asked_by} asked"
        )
    else:
        side = f"{ticket.asked_by} asks for {agreement.customer}, which it was agreed with"
    said = f"{agreement} applies because {side}"
    if not is_narrowed(agreement.applies_to):
        return f"{said}."
    answer = asked_of_row(agreement.applies_to, ticket, at=clock.now(), reader=reader)
    if answer.holds:
        return f"{said}, and its condition holds: {answer.why}."
    return f"{said}, and its condition held when it was chosen; by now: {answer.why}."
