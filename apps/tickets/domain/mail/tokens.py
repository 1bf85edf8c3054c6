"""What an answer carries so that the next mail finds its ticket: a token nobody can make up."""

import re
from email.utils import parseaddr

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

from apps.tickets.models import Mailbox, Message, Ticket

LENGTH = 16
_ADDRESS = re.compile(r"\+t(\d{1,12})-([0-9a-f]{16})@")
_SUBJECT = re.compile(r"\[T-(\d{1,12})-([0-9a-f]{16})\]")
_MESSAGE = re.compile(r"<ticket-(\d{1,12})-\d{1,12}-([0-9a-f]{16})@")
_NOISE = re.compile(r"^\s*((re|aw|fwd?|wg|antw|sv)\s*:\s*)+", re.IGNORECASE)


def token_of(ticket: Ticket) -> str:
    """Return the token of a ticket: known to those it was sent to, made with the secret key."""
    return salted_hmac("tickets.mail", str(ticket.uuid), algorithm="sha256").hexdigest()[:LENGTH]


def address_with_token(mailbox: Mailbox, ticket: Ticket) -> str:
    """Return the address that answers come back to: "help+t12-…@example.com"."""
    local, _, domain = mailbox.address.partition("@")
    return f"{local}+t{ticket.pk}-{token_of(ticket)}@{domain}"


def subject_with_token(ticket: Ticket) -> str:
    """Return the subject of an answer."""
    return f"Re: {' '.join(ticket.title.split())} [{ticket.ref}-{token_of(ticket)}]"


def header_id_of(message: Message, address: str) -> str:
    """Return the Message-ID of an answer: the same at every try, and told by its ticket's token."""
    domain = parseaddr(address or settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
    return f"<ticket-{message.ticket_id}-{message.pk}-{token_of(message.ticket)}@{domain}>"


def ticket_by_token(recipients: list[str], subject: str, refers: list[str]) -> Ticket | None:
    """Return the ticket whose own token stands in an address, a subject or a reference; one made up finds none."""
    found = [match for each in recipients for match in _ADDRESS.finditer(each)]
    found += list(_SUBJECT.finditer(subject))
    found += [match for each in refers for match in _MESSAGE.finditer(each)]
    tickets = Ticket.objects.in_bulk({int(match[1]) for match in found[:50]})
    for match in found[:50]:
        ticket: Ticket | None = tickets.get(int(match[1]))
        if ticket is not None and constant_time_compare(match[2], token_of(ticket)):
            return ticket
    return None


def bare_subject(subject: str) -> str:
    """Return a subject without tokens and the "Re:" of programs."""
    return " ".join(_NOISE.sub("", _SUBJECT.sub("", subject)).split())
