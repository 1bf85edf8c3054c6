"""The trail of a ticket: what was said and what happened, in order, those merged into it included."""

import datetime as dt
from dataclasses import dataclass
from itertools import chain
from typing import Any

from apps.core.markdown import render
from apps.tickets.enums import MessageKind
from apps.tickets.models import Message, Ticket, TicketEvent

MOST = 500


@dataclass(frozen=True)
class Entry:
    """One thing on the trail."""

    at: dt.datetime
    who: str
    kind: str
    label: str
    html: Any
    words: str
    via: str
    origin: str

    @property
    def is_message(self) -> bool:
        """Whether something was said."""
        return self.kind in MessageKind.values


def trail_of(ticket: Ticket, *, public_only: bool = False) -> list[Entry]:
    """Return the trail, oldest first: two queries however long it is, three where the merged ones are not known yet.

    Args:
        ticket: whose; tickets merged into it are told of as well, each entry naming where it is from.
        public_only: leave out notes among colleagues and what happened inside the desk.
    """
    known = getattr(ticket, "part_merged", None)
    inside = ticket.merged.values_list("pk", flat=True) if known is None else [each["id"] for each in known]
    refs = {ticket.pk: ""} | {pk: f"T-{pk}" for pk in inside}
    messages = Message.objects.filter(ticket__in=refs).select_related("author")
    if public_only:
        messages = messages.exclude(kind=MessageKind.INTERNAL).filter(ticket=ticket)
    said = (_said(each, refs[each.ticket_id]) for each in messages.order_by("-at", "-id")[:MOST])
    events = TicketEvent.objects.filter(ticket__in=() if public_only else refs).select_related("actor")
    happened = (_happened(each, refs[each.ticket_id]) for each in events.order_by("-at", "-id")[:MOST])
    return sorted(chain([*said][::-1], [*happened][::-1]), key=lambda entry: entry.at)


def _said(message: Message, origin: str) -> Entry:
    return Entry(
        at=message.at,
        who=str(message.author or message.author_label),
        kind=message.kind,
        label=message.get_kind_display(),
        html=render(message.body),
        words=message.body,
        via=message.get_channel_display(),
        origin=origin,
    )


def _happened(event: TicketEvent, origin: str) -> Entry:
    change = " → ".join(filter(None, (event.before, event.after)))
    return Entry(
        at=event.at,
        who=str(event.actor or event.actor_label),
        kind=event.kind,
        label=event.get_kind_display(),
        html="",
        words=". ".join(filter(None, (change, event.note))),
        via="",
        origin=origin,
    )
