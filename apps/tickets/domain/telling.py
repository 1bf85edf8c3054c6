"""Who is told what about a ticket: the requester by their own page, the desk by the ticket's."""

from typing import TYPE_CHECKING

from django.urls import reverse

from apps.core.actors import system_principal
from apps.core.notifications.domain.audiences import people_of
from apps.core.notifications.domain.notifying import notify
from apps.tickets.domain.mail.answering import address_of, queue_answer
from apps.tickets.domain.rows import say
from apps.tickets.enums import MessageKind
from apps.tickets.models import Message, Ticket

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

    from apps.accounts.models import User

LONGEST = 2000


def portal_url(ticket: Ticket) -> str:
    """Return the page on which a requester reads and answers a ticket."""
    return reverse("portal-ticket", args=(ticket.pk,))


def tell_requester(ticket: Ticket, *, title: str, body: str = "", by: "User", dedupe: str = "") -> None:
    """Tell the colleague who asks; they read it on their own page, for the ticket itself is the desk's."""
    if ticket.requester is not None and ticket.requester_id != by.pk:
        notify(
            [ticket.requester],
            "ticket.answered",
            title=title,
            body=body[:LONGEST],
            url=portal_url(ticket),
            by=by,
            dedupe=dedupe,
        )


def tell_desk(
    ticket: Ticket, kind: str, *, title: str, body: str = "", by: "User", people: "Iterable[User] | None" = None
) -> None:
    """Tell who works on a ticket and who watches it; the whole team while nobody has taken it."""
    if people is None:
        people = [ticket.assignee] if ticket.assignee is not None else people_of(ticket.queue.team)
    told = {person.pk: person for person in (*people, *ticket.watchers.all()) if person.pk != by.pk}
    notify(told.values(), kind, title=title, body=body[:LONGEST], subject=ticket, by=by)


def tell_of_resolution(ticket: Ticket, text: str, *, by: "User", at: "dt.datetime") -> None:
    """Tell the requester that their ticket is resolved: by mail where they asked by mail, with or without words."""
    message = ticket.messages.filter(kind=MessageKind.PUBLIC, at=at).last() if text else None
    if message is None and address_of(ticket):
        words = f"{ticket.ref} is resolved: {ticket.get_resolution_display().lower()}. Answer this mail if it is not."
        message = say(ticket, MessageKind.PUBLIC, words, by=system_principal(), at=at)
    if message is None or not queue_answer(message):
        title = f"{ticket.ref} is resolved: {ticket.title}"
        tell_requester(ticket, title=title, body=text or "Write on it if it is not.", by=by)


def tell_of_message(message: Message, *, by: "User") -> None:
    """Tell those whom a message concerns."""
    ticket = message.ticket
    if message.kind == "public" and not queue_answer(message):
        tell_requester(ticket, title=f"{ticket.ref} was answered: {ticket.title}", body=message.body, by=by)
    elif message.kind == "requester":
        tell_desk(ticket, "ticket.word", title=f"{ticket.asked_by} wrote about {ticket}", body=message.body, by=by)
