"""When a person is erased, so are the traces of them at the desk: mail from and to them, and tickets they asked."""

from functools import partial
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Lower

from apps.audit.domain.personal import erase_further
from apps.core.private_files import private_files
from apps.tickets.models import ReceivedMail, SentMail, Ticket

if TYPE_CHECKING:
    from apps.core.personal import Traces

FEWEST_CHARACTERS = 6  # "a@b.cd" is the shortest address there is


def erase_at_the_desk(traces: "Traces") -> int:
    """Empty every address of the person, delete the mails themselves, and erase tickets asked from their address.

    What was written in a conversation stays: messages are evidence of what the desk was told. Returns how many places
    were emptied.
    """
    addresses = {value.lower() for value in traces.values if "@" in value and len(value) >= FEWEST_CHARACTERS}
    tickets = [each.pk for each in traces.rows if isinstance(each, Ticket)]
    if not addresses and not tickets:
        return 0
    number = 0
    asked = Ticket.objects.annotate(address=Lower("requester_email")).filter(address__in=addresses)
    for ticket in asked.exclude(pk__in=tickets).order_by("pk"):
        erase_further(ticket)
        number += 1
    received = ReceivedMail.objects.annotate(address=Lower("sender"))
    found = received.filter(Q(address__in=addresses) | (Q(ticket__in=tickets) & ~Q(sender="")))
    stored = set(found.exclude(raw="").values_list("raw", flat=True))
    keys = list(found.values_list("pk", flat=True))
    number += ReceivedMail.objects.filter(pk__in=keys).update(sender="", quoted="", raw="")
    kept = set(ReceivedMail.objects.filter(raw__in=stored).values_list("raw", flat=True))
    for place in stored - kept:
        transaction.on_commit(partial(private_files().delete, place))
    sent = SentMail.objects.annotate(where=Lower("address"))
    keys = list(sent.filter(Q(where__in=addresses) | Q(ticket__in=tickets)).values_list("pk", flat=True))
    return number + SentMail.objects.filter(pk__in=keys).exclude(address="").update(address="")
