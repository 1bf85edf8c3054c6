"""How an operation reaches a ticket: locked, refused in words, written in one way, with its event on the trail."""

import datetime as dt
from typing import TYPE_CHECKING, Any

from apps.core import access
from apps.core.errors import DomainError, NotAllowed, WrongState
from apps.core.transitions import transition
from apps.tickets.enums import EventKind, Intake, MessageKind
from apps.tickets.models import Message, ReplyTemplate, Ticket, TicketEvent

if TYPE_CHECKING:
    from apps.accounts.models import User

SHORT = 200


def locked(ticket: Ticket) -> Ticket:
    """Return the ticket's row, locked until the transaction ends."""
    row: Ticket = Ticket.objects.select_for_update(of=("self",)).select_related("queue__team").get(pk=ticket.pk)
    return row


def refuse_work(user: "User", ticket: Ticket) -> str | None:
    """Return why `user` cannot work on `ticket` at all, None when they can."""
    if not access.may(user, "change", ticket):
        return f"You may not work on {ticket.ref}; only the people of the desk do."
    if ticket.is_archived:
        return f"{ticket.ref} is archived; restore it first."
    if ticket.merged_into_id is not None:
        return f"{ticket.ref} was merged into T-{ticket.merged_into_id}; go on there."
    return None


def refuse_active_work(user: "User", ticket: Ticket) -> str | None:
    """Return why `user` cannot work on what is still to be done of `ticket`, None when they can."""
    if refused := refuse_work(user, ticket):
        return refused
    return None if ticket.is_active else f"{ticket.ref} is {ticket.get_state_display().lower()}; reopen it first."


def raise_refusal(user: "User", ticket: Ticket, sentence: str | None) -> None:
    """Raise `sentence`, if there is one, as the kind of refusal it is."""
    if sentence is None:
        return
    kind: type[DomainError] = WrongState if access.may(user, "change", ticket) else NotAllowed
    raise kind(sentence)


def write(ticket: Ticket, **changed: Any) -> None:
    """Write columns of a locked ticket."""
    for name, value in changed.items():
        setattr(ticket, name, value)
    with transition(Ticket):
        ticket.save(update_fields=list(changed))


def say(
    ticket: Ticket,
    kind: MessageKind,
    text: str,
    *,
    by: "User",
    at: dt.datetime,
    template: ReplyTemplate | None = None,
    channel: Intake = Intake.DESK,
    signed: str = "",
) -> Message:
    """Keep what was said on a locked ticket; `signed` names who said it where `by` only wrote it down."""
    author = by if not signed else ticket.requester if kind == MessageKind.REQUESTER else None
    said: Message = Message.objects.create(
        ticket=ticket,
        kind=kind,
        author=author,
        author_label=signed or str(by),
        body=text,
        channel=channel,
        template=template,
        template_version=template.version if template is not None else None,
        at=at,
    )
    write(ticket, last_word_at=at)
    return said


def record(
    ticket: Ticket,
    kind: EventKind,
    *,
    by: "User",
    at: dt.datetime,
    before: Any = "",
    after: Any = "",
    note: str = "",
) -> TicketEvent:
    """Put an event on the ticket's trail."""
    return TicketEvent.objects.create(
        ticket=ticket,
        kind=kind,
        before=str(before)[:SHORT],
        after=str(after)[:SHORT],
        note=note,
        actor=by,
        actor_label=by.get_username(),
        at=at,
    )
