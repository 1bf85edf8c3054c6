"""Follow-ups: a look back at a ticket on a day, ended by what was found."""

import datetime as dt
from typing import TYPE_CHECKING

from django.db import transaction

from apps.core import access, clock
from apps.core.access import visible
from apps.core.actors import acting_as, system_principal
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.core.events import publish
from apps.core.overdue import LateRows
from apps.core.transitions import transition
from apps.core.words import fitting
from apps.tickets.domain.moves import move
from apps.tickets.domain.rows import locked, raise_refusal, refuse_work
from apps.tickets.enums import DONE, FollowUpOutcome, TicketState
from apps.tickets.models import FollowUp, Ticket

if TYPE_CHECKING:
    from apps.accounts.models import User

LONGEST = 200
HOLDS = "Ask whether the solution holds"


def plan_follow_up(
    ticket: Ticket, *, by: "User", question: str, due_on: dt.date, assignee: "User | None" = None
) -> str:
    """Plan a look back at a ticket.

    Raises:
        InvalidInput: no question, a day that is gone, or somebody who does not work at the desk.
        NotAllowed, WrongState: as `refuse_work` says.
    """
    text = fitting(" ".join(question.split()), LONGEST, field="question", what="The question")
    if not text:
        raise InvalidInput("Say what to find out.", fields={"question": "Say what to find out."})
    if due_on < clock.today():
        raise InvalidInput("That day is gone; choose today or later.", fields={"due_on": "That day is gone."})
    with transaction.atomic(), acting_as(by):
        row = locked(ticket)
        raise_refusal(by, row, refuse_work(by, row))
        who = assignee or row.assignee or by
        if not access.can(who, "change", row):
            raise InvalidInput(f"{who} does not work at the desk and could not record the outcome.")
        made = plan(row, question=text, due_on=due_on, assignee=who)
    return f"{made.assignee} looks at {row.ref} again on {due_on:%-d %b %Y}."


def plan(ticket: Ticket, *, question: str, due_on: dt.date, assignee: "User | None") -> FollowUp:
    """Write a follow-up of a locked ticket, unless the same question is open already."""
    same: FollowUp | None = ticket.follow_ups.filter(question=question, outcome="", archived_at__isnull=True).first()
    if same is not None:
        return same
    made: FollowUp = FollowUp.objects.create(ticket=ticket, question=question, due_on=due_on, assignee=assignee)
    publish("ticket.follow_up", ticket_id=ticket.pk)
    return made


def plan_after_resolution(ticket: Ticket) -> None:
    """Plan the look back that the queue wants after each resolved ticket, once."""
    by = system_principal()
    with transaction.atomic(), acting_as(by):
        row = locked(ticket)
        days, since = row.queue.follow_up_days, row.resolved_at
        if days is None or since is None or row.follow_ups.filter(question=HOLDS, created_at__gte=since).exists():
            return
        due = (since + dt.timedelta(days=days)).date()
        plan(row, question=HOLDS, due_on=due, assignee=row.assignee)


def refuse_outcome(user: "User", follow_up: FollowUp) -> str | None:
    """Return why `user` cannot record what came of `follow_up`, None when they can."""
    if not access.can(user, "change", follow_up):
        return "You may not record the outcome; only the people of the desk do."
    if follow_up.is_archived:
        return "It is archived; restore it first."
    if follow_up.outcome:
        return f"Its outcome is recorded: {FollowUpOutcome(follow_up.outcome).label.lower()}."
    return None


def record_outcome(
    follow_up: FollowUp, *, by: "User", outcome: str, note: str = "", at: dt.datetime | None = None
) -> str:
    """Record what a follow-up found; what is not solved is reopened.

    Raises:
        InvalidInput: that is no outcome.
        NotAllowed, WrongState: as `refuse_outcome` says.
    """
    if outcome not in FollowUpOutcome.values:
        raise InvalidInput("Choose what came of it.")
    moment = at or clock.now()
    with transaction.atomic(), acting_as(by, reason=note or None):
        ticket = locked(follow_up.ticket)
        row: FollowUp = FollowUp.objects.select_for_update(of=("self",)).select_related("ticket").get(pk=follow_up.pk)
        if refused := refuse_outcome(by, row):
            raise (WrongState if access.can(by, "change", row) else NotAllowed)(refused)
        row.outcome, row.note, row.done_at, row.done_by = outcome, note.strip(), moment, by
        with transition(FollowUp):
            row.save(update_fields=["outcome", "note", "done_at", "done_by"])
        if outcome == FollowUpOutcome.REOPENED and ticket.state in DONE and ticket.merged_into_id is None:
            move(ticket, TicketState.OPEN, by=by, at=moment, note=row.note or "The follow-up found it is not solved.")
        publish("ticket.followed_up", ticket_id=ticket.pk)
    return f"Recorded: {FollowUpOutcome(outcome).label.lower()}."


def follow_ups_due(person: "User", today: dt.date) -> LateRows:
    """Return the follow-ups of a person whose day has come."""
    rows = FollowUp.objects.live().filter(assignee=person, outcome="", due_on__lte=today).select_related("ticket")
    mine = (rows & visible(person, FollowUp)).order_by("due_on")
    return LateRows(mine, "is to be followed up")
