"""Opening a ticket, whichever door it comes through: desk, portal, mail, API or import."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from django.db import models, transaction

from apps.core import access, clock
from apps.core.actors import acting_as
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.core.events import publish
from apps.core.transitions import transition
from apps.core.words import fitting
from apps.tickets.domain import service
from apps.tickets.domain.forms import checked_answers
from apps.tickets.domain.procedure import start_at_intake
from apps.tickets.domain.routing import queue_for, route
from apps.tickets.domain.rows import record
from apps.tickets.domain.telling import tell_desk
from apps.tickets.enums import EventKind, Intake, Level, MessageKind, Tier, priority_of
from apps.tickets.models import Message, Queue, Ticket, TicketRecord, TicketType

if TYPE_CHECKING:
    from apps.accounts.models import User

LONGEST, LONGEST_TITLE, LONGEST_NAME = 50_000, 200, 150


def open_ticket(
    *,
    title: str,
    body: str,
    by: "User",
    kind: TicketType | None = None,
    queue: Queue | None = None,
    requester: "User | None" = None,
    requester_name: str = "",
    requester_email: str = "",
    impact: int = Level.MEDIUM,
    urgency: int = Level.MEDIUM,
    answers: Mapping[str, Any] | None = None,
    records: Sequence[models.Model] = (),
    channel: Intake = Intake.DESK,
    at: dt.datetime | None = None,
) -> Ticket:
    """Open a ticket with its first message.

    Args:
        title: what it is about, in one line.
        body: the wish or the trouble, in Markdown.
        by: who writes it down. Anybody signed in may ask for themselves; for others only the desk.
        kind: the entry of the catalogue; its form is checked.
        queue: where it waits; when not given, the rules of routing say.
        requester: the colleague who asks; `by` when neither a colleague nor an e-mail is given.
        requester_name: of somebody from outside; with `requester_email`.
        requester_email: of somebody from outside.
        impact: 1 to 3, how much it touches.
        urgency: 1 to 3, how soon it matters.
        answers: to the questions of the type's form, by key.
        records: campaigns, leads, tools or SOPs it is about, those `by` may see.
        channel: the door.
        at: when it came in; now when not given.

    Raises:
        InvalidInput: no title, no text, one of them too long, or an answer of the form that cannot be used.
        NotAllowed: `by` asks for somebody else without working at the desk.
        WrongState: there is no queue to put it in, or the type is one to do alone.
    """
    asking = _who_asks(by, requester, requester_name, requester_email)
    text = fitting(body, LONGEST, field="body", what="The description")
    asked = _asked(title, text, kind, answers or {})
    moment = at or clock.now()
    with transaction.atomic(), acting_as(by), transition(Ticket):
        ticket: Ticket = Ticket.objects.create(
            **asking,
            **asked,
            queue=queue or queue_for(kind),
            impact=Level(impact),
            urgency=Level(urgency),
            priority=priority_of(impact, urgency),
            intake=channel,
            opened_at=moment,
            last_word_at=moment,
        )
        _first_word(ticket, text, by, moment, records)
        _on_its_way(ticket, text, by, moment, routed=queue is None)
    return ticket


def refuse_opening(user: "User", *, for_person: "User | None") -> str | None:
    """Return why `user` cannot open a ticket for that person (None: for somebody from outside), None when they can."""
    if for_person is not None and for_person.pk == user.pk:
        return None if user.is_active else f"{user} is deactivated."
    if access.has_model_permission(user, "add", Ticket):
        return None
    return "You can ask for yourself; tickets for others are written down by the people of the desk."


def _who_asks(by: "User", requester: "User | None", name: str, email: str) -> dict[str, Any]:
    """Return who asks as columns of the ticket, once `by` may ask for them."""
    person = requester or (None if email else by)
    if refused := refuse_opening(by, for_person=person):
        raise NotAllowed(refused)
    outsider = fitting(name, LONGEST_NAME, field="requester_name", what="The name")
    return {"requester": person, "requester_name": outsider, "requester_email": email.strip().lower()}


def _asked(title: str, text: str, kind: TicketType | None, answers: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is asked as columns of the ticket, once it is complete."""
    line = fitting(" ".join(title.split()), LONGEST_TITLE, field="title", what="The title")
    _check(line, text, kind)
    form = kind.current_form if kind is not None else None
    return {"title": line, "type": kind, "form_version": form, "answers": checked_answers(form, answers)}


def _check(line: str, text: str, kind: TicketType | None) -> None:
    wrong = {}
    if not line:
        wrong["title"] = "Say in one line what it is about."
    if not text:
        wrong["body"] = "Describe it: what you need, or what happened and what you expected."
    if wrong:
        raise InvalidInput(" ".join(wrong.values()), fields=wrong)
    if kind is not None and kind.is_archived:
        raise WrongState(f"{kind} is no longer offered; choose something else from the catalogue.")
    if kind is not None and kind.tier == Tier.SELF_SERVICE:
        raise WrongState(f"{kind} needs no ticket: follow its guide. If you are stuck, ask for help instead.")


def _on_its_way(ticket: Ticket, text: str, by: "User", at: dt.datetime, *, routed: bool) -> None:
    """Let the rules say where it waits, start its clocks and its procedure, and tell whoever is to look at it."""
    if routed:
        route(ticket, by=by, at=at)
    service.opened(ticket, by=by, at=at)
    start_at_intake(ticket, by=by, at=at)
    assigned = ticket.assignee is not None
    news = f"New and yours: {ticket}" if assigned else f"New in {ticket.queue}: {ticket}"
    tell_desk(ticket, "ticket.assigned" if assigned else "ticket.opened", title=news, body=text, by=by)
    publish("ticket.opened", ticket_id=ticket.pk)


def _first_word(ticket: Ticket, text: str, by: "User", at: dt.datetime, records: Sequence[models.Model]) -> None:
    by_requester = ticket.requester_id == by.pk or ticket.requester is None
    Message.objects.create(
        ticket=ticket,
        kind=MessageKind.REQUESTER,
        author=by if by_requester and ticket.requester is not None else ticket.requester,
        author_label=ticket.asked_by,
        body=text,
        channel=ticket.intake,
        at=at,
    )
    for each in records:
        if not access.can(by, "view", each):
            raise NotAllowed("You can link only what you may see.")
        TicketRecord.objects.create(ticket=ticket, record=each)
    record(ticket, EventKind.OPENED, by=by, at=at, note=f"By {ticket.get_intake_display().lower()}.")
