"""Reply templates: written as versions, approved by a second person, filled in from the ticket."""

import datetime as dt
import re
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils.timezone import localtime

from apps.approvals.domain import drafts
from apps.core import clock
from apps.core.actors import acting_as
from apps.core.clocks.models import Clock
from apps.core.transitions import transition
from apps.tickets.enums import TemplateState
from apps.tickets.models import ReplyTemplate, TemplateVersion, Ticket

if TYPE_CHECKING:
    from apps.accounts.models import User

PLACES = ("requester", "ticket", "title", "agent", "queue", "type", "due")
LONGEST = 20_000
_PLACE = re.compile(r"\{([a-z_]+)\}")


def templates_for(ticket: Ticket) -> list[ReplyTemplate]:
    """Return the templates offered on a ticket: those in force of its queue, then those for all."""
    live = ReplyTemplate.objects.live().exclude(body="")
    return list((live.filter(queue=ticket.queue) | live.filter(queue__isnull=True)).order_by("queue_id", "name"))


def values_of(ticket: Ticket, *, agent: "User") -> dict[str, str]:
    """Return what goes into each place: at most one query, for the next promised time."""
    if hasattr(ticket, "next_due"):  # a list or page has read it with the ticket
        due = ticket.next_due
    else:
        open_ones = Clock.objects.of(ticket).open().filter(due_at__isnull=False)
        due = open_ones.order_by("due_at").values_list("due_at", flat=True).first()
    return {
        "requester": ticket.asked_by,
        "ticket": ticket.ref,
        "title": ticket.title,
        "agent": str(agent),
        "queue": ticket.queue.name,
        "type": ticket.type.name if ticket.type is not None else "request",
        "due": f"{localtime(due):%A %-d %B, %H:%M}" if due else "soon",
    }


def filled(template: ReplyTemplate, ticket: Ticket, *, agent: "User", values: dict[str, str] | None = None) -> str:
    """Return a template with the ticket's values in its places; what is no place stays as it is."""
    known = values if values is not None else values_of(ticket, agent=agent)
    return _PLACE.sub(lambda found: known.get(found[1], found[0]), template.body)


def unknown_places(text: str) -> list[str]:
    """Return the places of a text that nothing would be filled into."""
    return sorted(set(_PLACE.findall(text)) - set(PLACES))


def start_version(template: ReplyTemplate, *, by: "User") -> str:
    """Start the next version as a draft that says what is in force.

    Raises:
        NotAllowed, WrongState: as `drafts.refuse_next` says.
    """
    return drafts.started(write_version(template, by=by))


def write_version(
    template: ReplyTemplate, *, by: "User", body: str | None = None, guidelines: str | None = None, note: str = ""
) -> TemplateVersion:
    """Start the next version with a text, that in force where none is given.

    Raises:
        NotAllowed, WrongState: as `drafts.refuse_next` says.
    """
    with transaction.atomic(), acting_as(by):
        row: ReplyTemplate = drafts.lock_for_next(template, by=by)
        newest = row.versions.order_by("-number").first()
        made: TemplateVersion = TemplateVersion.objects.create(
            template=row,
            number=(newest.number if newest is not None else row.version) + 1,
            body=row.body if body is None else body,
            guidelines=row.guidelines if guidelines is None else guidelines,
            change_note=note,
            author=by,
        )
    return made


def refuse_submission(user: "User", version: TemplateVersion) -> str | None:
    """Return why `user` cannot send `version` for approval, None when they can."""
    unknown = unknown_places(version.body)
    places = ", ".join(f"{{{each}}}" for each in PLACES)
    unfilled = f"Nothing is filled in for {{{unknown[0]}}}; the places are {places}." if unknown else None
    return drafts.refuse_text(user, version, longest=LONGEST, unfilled=unfilled)


def submit_version(version: TemplateVersion, *, by: "User", note: str = "", at: dt.datetime | None = None) -> str:
    """Send a draft for approval; it is fixed until that is decided.

    Raises:
        NotAllowed, WrongState, InvalidInput: as `refuse_submission` says.
    """
    return drafts.submit_draft(version, by=by, refuse=refuse_submission, note=note, at=at)


def put_in_force(version: TemplateVersion, request: Any, *, by: "User", at: dt.datetime | None = None) -> None:
    """Let an approved version be what the template says: the effect of its approval.

    Raises:
        WrongState: it no longer waits for approval.
    """
    template = ReplyTemplate.objects.select_for_update(of=("self",)).get(pk=version.template_id)
    drafts.begin_force(version, state=TemplateState.IN_FORCE, before=TemplateState.RETIRED, at=at or clock.now())
    template.body, template.guidelines, template.version = version.body, version.guidelines, version.number
    with transition(ReplyTemplate):
        template.save(update_fields=["body", "guidelines", "version"])


def in_force_before(version: TemplateVersion) -> dict[str, Any] | None:
    """Return what the template says now, for comparison."""
    template = version.template
    if not template.body or template.version == version.number:
        return None
    return {"body": template.body, "guidelines": template.guidelines}
