"""The clocks of a ticket: first answer, next answer and solution, as its agreement promises them.

Each operation on a ticket says here what has happened; this is the one place that starts and stops clocks.
"""

import datetime as dt
from collections.abc import Callable
from typing import TYPE_CHECKING

from apps.core.calendars.models import BusinessCalendar
from apps.core.clocks.domain.clocks import (
    cancel_clock,
    pause_if_possible,
    replace_clock,
    resume_clock,
    start_clock,
    stop_clock,
)
from apps.core.clocks.domain.queries import clock_of
from apps.core.clocks.enums import ClockState
from apps.core.clocks.models import Clock
from apps.core.clocks.registry import Metric, PauseReason, Rung
from apps.tickets.domain.agreement_choice import agreement_for, is_other
from apps.tickets.domain.rows import write
from apps.tickets.enums import DONE, WAITING, Resolution, TicketState, Tier
from apps.tickets.models import Agreement, Ticket
from apps.tickets.targets import Target

if TYPE_CHECKING:
    from apps.accounts.models import User

FIRST, NEXT, SOLUTION = "tickets.first_response", "tickets.next_reply", "tickets.resolution"
TITLES = {FIRST: "First answer", NEXT: "Next answer", SOLUTION: "Solution"}
REASONS = (
    PauseReason(TicketState.WAITING_REQUESTER.value, "waiting for requester", cap=dt.timedelta(hours=40)),
    PauseReason(TicketState.WAITING_VENDOR.value, "waiting for the vendor", cap=dt.timedelta(hours=80)),
    PauseReason(TicketState.ON_HOLD.value, "on hold", cap=dt.timedelta(hours=80)),
)


def metrics(escalate: Callable[..., None]) -> list[Metric]:
    """Return what is measured of tickets; `escalate` is called as time runs out."""
    return [Metric(key, title, on_rung=escalate, pause_reasons=REASONS) for key, title in TITLES.items()]


def opened(ticket: Ticket, *, by: "User", at: dt.datetime) -> None:
    """Put a new ticket under its agreement and start what is promised."""
    agreement = agreement_for(ticket)
    if agreement is None:
        return
    write(ticket, agreement=agreement)
    target = target_of(ticket)
    if target is not None:
        _start(ticket, FIRST, target.first_response, by=by, at=at)
        _start(ticket, SOLUTION, target.resolution, by=by, at=at)


def answered(ticket: Ticket, *, by: "User", at: dt.datetime) -> None:
    """Meet what waits for an answer: only a public one does."""
    for metric in (FIRST, NEXT):
        if (clock := _open(ticket, metric)) is not None:
            stop_clock(clock, by=by, at=at)


def asked(ticket: Ticket, *, by: "User", at: dt.datetime) -> None:
    """Let the requester's word wait for an answer, unless the first or another one is waited for already."""
    target = target_of(ticket)
    if target is None or _open(ticket, FIRST) is not None or _open(ticket, NEXT) is not None:
        return
    _start(ticket, NEXT, target.next_reply, by=by, at=at)


def moved(ticket: Ticket, before: TicketState, *, by: "User", at: dt.datetime) -> None:
    """Let time stand still, go on or end as the ticket's state says."""
    now = TicketState(ticket.state)
    if now in DONE and before not in DONE:
        _end(ticket, by=by, at=at)
    elif before in DONE and now not in DONE:
        _again(ticket, by=by, at=at)
    for clock in _open_ones(ticket):
        if clock.state == ClockState.PAUSED and now not in WAITING:
            resume_clock(clock, by=by, at=at)
        elif now in WAITING:
            _pause(ticket, clock, now, by=by, at=at)


def reprioritised(ticket: Ticket, *, by: "User", at: dt.datetime) -> None:
    """Put a ticket that matters otherwise now under the agreement whose condition holds, and change its clocks."""
    before, chosen = ticket.agreement, agreement_for(ticket, at=at)
    other = is_other(before, chosen)
    if other:
        write(ticket, agreement=chosen)
    if other and before is None and ticket.is_active and ticket.first_response_at is None:
        opened(ticket, by=by, at=at)
    else:
        _promised_anew(ticket, by=by, at=at, other_agreement=other)


def _promised_anew(ticket: Ticket, *, by: "User", at: dt.datetime, other_agreement: bool) -> None:
    """Close the clocks whose promise has changed and open others; both stay visible."""
    target = target_of(ticket)
    carries = ticket.agreement.carries if ticket.agreement is not None else True
    for clock in _open_ones(ticket):
        amount = _amount(target, clock.metric)
        if amount is None:
            cancel_clock(clock, by=by, at=at)
        elif amount != clock.goal or other_agreement:
            replace_clock(
                clock,
                target=amount,
                calendar=_calendar(ticket),
                ladder=_ladder(ticket),
                carry=carries,
                caps=_caps(ticket.agreement),
                by=by,
                at=at,
            )


def requeued(ticket: Ticket, *, by: "User", at: dt.datetime) -> None:
    """Put a ticket under the agreement of its new queue; what it waited so far goes on as that says."""
    before = ticket.agreement_id
    write(ticket, agreement=agreement_for(ticket))
    if _open_ones(ticket):
        _promised_anew(ticket, by=by, at=at, other_agreement=ticket.agreement_id != before)
    elif ticket.is_active and ticket.first_response_at is None:
        opened(ticket, by=by, at=at)


def target_of(ticket: Ticket) -> Target | None:
    """Return what a ticket is promised, None where nothing is."""
    if ticket.agreement is None:
        return None
    tier = ticket.type.tier if ticket.type is not None else Tier.STANDARD.value
    return ticket.agreement.targets.of(tier, ticket.priority)


def _amount(target: Target | None, metric: str) -> dt.timedelta | None:
    if target is None:
        return None
    return {FIRST: target.first_response, NEXT: target.next_reply, SOLUTION: target.resolution}[metric]


def _caps(agreement: Agreement | None) -> dict[str, dt.timedelta]:
    if agreement is None:
        return {}
    hours = {
        TicketState.WAITING_REQUESTER.value: agreement.requester_cap,
        TicketState.WAITING_VENDOR.value: agreement.vendor_cap,
        TicketState.ON_HOLD.value: agreement.hold_cap,
    }
    return {reason: dt.timedelta(hours=each) for reason, each in hours.items() if each}


def _pause(ticket: Ticket, clock: Clock, state: TicketState, *, by: "User", at: dt.datetime) -> None:
    """Pause a clock where the agreement lets it, for the state the ticket waits in now."""
    if clock.state == ClockState.PAUSED:
        resume_clock(clock, by=by, at=at)
    if state.value in _caps(ticket.agreement):
        pause_if_possible(clock, reason=state.value, by=by, at=at)


def _end(ticket: Ticket, *, by: "User", at: dt.datetime) -> None:
    """The solution is met; answers still waited for are no longer."""
    for clock in _open_ones(ticket):
        if clock.metric == SOLUTION and ticket.resolution != Resolution.DUPLICATE:
            stop_clock(clock, by=by, at=at)
        else:
            cancel_clock(clock, by=by, at=at)


def _again(ticket: Ticket, *, by: "User", at: dt.datetime) -> None:
    """A reopened ticket goes on from the time its solution had taken."""
    target, last = target_of(ticket), clock_of(ticket, SOLUTION)
    if target is not None and target.resolution is not None:
        _start(ticket, SOLUTION, target.resolution, by=by, at=at, last=last)


def _start(
    ticket: Ticket, metric: str, amount: dt.timedelta | None, *, by: "User", at: dt.datetime, last: Clock | None = None
) -> None:
    if amount is None:
        return
    start_clock(
        ticket,
        metric,
        target=amount,
        calendar=_calendar(ticket),
        by=by,
        at=at,
        ladder=_ladder(ticket),
        carry_from=last,
        caps=_caps(ticket.agreement),
    )


def _ladder(ticket: Ticket) -> list[Rung] | None:
    """Return the rungs that the ticket's agreement wants; None for the usual ones."""
    return [step.rung for step in ticket.agreement.steps] if ticket.agreement is not None else None


def _calendar(ticket: Ticket) -> BusinessCalendar | None:
    agreed = ticket.agreement.calendar if ticket.agreement is not None else None
    return agreed or ticket.queue.calendar


def _open(ticket: Ticket, metric: str) -> Clock | None:
    return next((clock for clock in _open_ones(ticket) if clock.metric == metric), None)


def _open_ones(ticket: Ticket) -> list[Clock]:
    return list(Clock.objects.of(ticket).open())
