"""Escalation: what happens as promised time runs out, by the ladder both sides signed; and by hand, with a reason."""

import datetime as dt
from typing import TYPE_CHECKING, Any

from django.db import transaction

from apps.accounts.models import User
from apps.core import access, clock
from apps.core.actors import acting_as, system_principal
from apps.core.clocks.domain.explaining import explain
from apps.core.clocks.models import Clock, EscalationFire
from apps.core.clocks.registry import Rung
from apps.core.events import publish
from apps.core.notifications.domain.audiences import people_of
from apps.core.words import reason_given
from apps.tickets.domain.agreements import receiver
from apps.tickets.domain.moves import hand_on, matter
from apps.tickets.domain.rows import locked, raise_refusal, record, refuse_active_work
from apps.tickets.domain.service import TITLES
from apps.tickets.domain.telling import tell_desk
from apps.tickets.enums import EventKind, Level, Priority, priority_of
from apps.tickets.ladder import TOLD, USUAL, Step
from apps.tickets.models import Ticket

if TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST_CHAIN = 50


def escalate(clock: Clock, rung: Rung, *, at: dt.datetime) -> None:
    """Do what the agreement's ladder says for a rung that was reached: tell people, raise the priority, hand over.

    Called once for each rung of a clock, with the ticket's row locked. Raising the priority replaces the clock, whose
    successor may have passed the same share of its shorter time already: people are told of that promise too, but a
    ticket is raised and handed over once for each step, however many clocks follow one another.
    """
    ticket = Ticket.objects.select_related("queue__team", "assignee__manager", "agreement__owner_person").get(
        pk=clock.object_id
    )
    step, by = step_of(ticket, rung.percent), system_principal()
    title = TITLES.get(clock.metric, str(clock))
    words = f"{title}: {rung.percent} % of the time is used" if rung.percent < 100 else f"{title} is late"
    record(ticket, EventKind.ESCALATED, by=by, at=at, after=words, note=explain(clock))
    people = _people(ticket, step.told)
    tell_desk(ticket, "ticket.escalated", title=f"{words}: {ticket}", body=explain(clock), by=by, people=people)
    if (step.raises or step.gives_to) and not _done_before(clock, rung):
        _act(ticket, step, f"{words}.", by=by, at=at)


def step_of(ticket: Ticket, percent: int) -> Step:
    """Return what its agreement wants at a share of the time; without a line for it, its assignee is told."""
    steps = ticket.agreement.steps if ticket.agreement is not None else USUAL
    return next((step for step in steps if step.percent == percent), Step(percent, ("assignee",)))


def raised(impact: int, urgency: int) -> tuple[int, int] | None:
    """Return the impact and urgency that make the priority one higher, the urgency first; None where it is P1."""
    before = priority_of(impact, urgency)
    while (impact, urgency) != (Level.HIGH, Level.HIGH):
        impact, urgency = (impact, urgency + 1) if urgency < Level.HIGH else (impact + 1, urgency)
        if priority_of(impact, urgency) != before:
            return impact, urgency
    return None


def refuse_escalation(user: User, ticket: Ticket) -> str | None:
    """Return why `user` cannot escalate `ticket`, None when they can."""
    return refuse_active_work(user, ticket)


def escalate_by_hand(
    ticket: Ticket, *, by: User, reason: str, raise_priority: bool = True, at: dt.datetime | None = None
) -> str:
    """Tell the whole team, the assignee's manager and the agreement's owner now, without waiting for the clock.

    Args:
        ticket: which.
        by: who escalates.
        reason: why; everybody who is told reads it.
        raise_priority: also make the priority one higher, where it is not the highest.
        at: when; now when not given.

    Raises:
        InvalidInput: without a reason.
        NotAllowed, WrongState: as `refuse_escalation` says.
    """
    reason, moment = reason_given(reason, "Say why it cannot wait; everybody who is told reads it."), at or clock.now()
    with transaction.atomic(), acting_as(by, reason=reason):
        row = locked(ticket)
        raise_refusal(by, row, refuse_escalation(by, row))
        people = [each for each in _people(row, TOLD) if each.pk != by.pk]
        record(row, EventKind.ESCALATED, by=by, at=moment, after="By hand", note=reason)
        tell_desk(row, "ticket.escalated", title=f"{by} escalated {row}", body=reason, by=by, people=people)
        if raise_priority:
            _raise(row, reason, by=by, at=moment)
        publish("ticket.escalated", ticket_id=row.pk)
    told = len({each.pk for each in people})
    return (
        f"{row.ref} is {Priority(row.priority).label}; {told} {'person has' if told == 1 else 'people have'} been told."
    )


def _act(ticket: Ticket, step: Step, why: str, *, by: User, at: dt.datetime) -> None:
    if step.raises:
        _raise(ticket, why, by=by, at=at)
    if step.gives_to:
        _give(ticket, step.gives_to, why, by=by, at=at)


def _raise(ticket: Ticket, why: str, *, by: User, at: dt.datetime) -> None:
    wanted = raised(ticket.impact, ticket.urgency)
    if wanted is not None:
        matter(ticket, *wanted, by=by, at=at, reason=why)


def _give(ticket: Ticket, wanted: str, why: str, *, by: User, at: dt.datetime) -> None:
    """Hand a ticket on to a queue or a person; where that is no longer possible, say so on the trail."""
    queue, person = receiver(wanted)
    if person is not None and not access.can(person, "change", ticket):
        person = None
    if queue is None and person is None:
        record(
            ticket, EventKind.ESCALATED, by=by, at=at, note=f"{wanted} cannot take it; it stays with {ticket.queue}."
        )
        return
    hand_on(ticket, queue=queue, assignee=person, by=by, at=at, note=why)


def _people(ticket: Ticket, told: "Iterable[str]") -> list[User]:
    """Return the people behind the names of a step; while nobody has taken a ticket, its team stands in."""
    people: list[Any] = []
    for name in told:
        if name == "team" or (name == "assignee" and ticket.assignee is None):
            people += people_of(ticket.queue.team)
        elif name == "assignee":
            people += people_of(ticket.assignee)
        elif name == "manager" and ticket.assignee is not None:
            people.append(ticket.assignee.manager)
        elif name == "owner" and ticket.agreement is not None:
            people.append(ticket.agreement.owner_person)
    return [person for person in people if person is not None]


def _done_before(clock: Clock, rung: Rung) -> bool:
    """Whether a clock that this one goes on from has taken the same step already."""
    chain: list[int] = []
    before = clock.follows_id
    while before is not None and len(chain) < LONGEST_CHAIN:
        chain.append(before)
        before = Clock.objects.filter(pk=before).values_list("follows_id", flat=True).first()
    return EscalationFire.objects.filter(clock__in=chain, rung=rung.percent, silent=False).exists()
