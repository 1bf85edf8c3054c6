"""Reply templates: written as versions, approved by a second person, filled in from the ticket."""

import datetime as dt
import re
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils.timezone import localtime

from apps.approvals.domain.decisions import request_approval
from apps.core import access, clock
from apps.core.actors import acting_as
from apps.core.clocks.models import Clock
from apps.core.errors import InvalidInput, NotAllowed, WrongState
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


def refuse_draft(user: "User", template: ReplyTemplate) -> str | None:
    """Return why `user` cannot start a version of `template`, None when they can."""
    if not access.can(user, "change", template):
        return f"You may not change {template}."
    if template.is_archived:
        return f"{template} is archived; restore it first."
    open_one = template.versions.filter(state__in=(TemplateState.DRAFT, TemplateState.IN_REVIEW)).first()
    if open_one is not None:
        return f"Version {open_one.number} is {open_one.get_state_display().lower()} already; finish that one."
    return None


def start_version(template: ReplyTemplate, *, by: "User") -> str:
    """Start the next version as a draft that says what is in force.

    Raises:
        NotAllowed, WrongState: as `refuse_draft` says.
    """
    made = write_version(template, by=by)
    return f"Version {made.number} is a draft; write it and send it for approval."


def write_version(
    template: ReplyTemplate, *, by: "User", body: str | None = None, guidelines: str | None = None, note: str = ""
) -> TemplateVersion:
    """Start the next version with a text, that in force where none is given.

    Raises:
        NotAllowed, WrongState: as `refuse_draft` says.
    """
    with transaction.atomic(), acting_as(by):
        row: ReplyTemplate = ReplyTemplate.objects.select_for_update(of=("self",)).get(pk=template.pk)
        if refused := refuse_draft(by, row):
            raise (WrongState if access.can(by, "change", row) else NotAllowed)(refused)
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
    if not access.can(user, "change", version):
        return f"You may not change {version}."
    if not version.is_draft:
        return f"{version} is {version.get_state_display().lower()}; only drafts are sent."
    if not version.body.strip():
        return "There is nothing to approve yet: write the text first."
    if len(version.body) > LONGEST:
        return f"The text is longer than {LONGEST:,} characters; shorten it."
    if unknown := unknown_places(version.body):
        return f"Nothing is filled in for {{{unknown[0]}}}; the places are {', '.join(f'{{{p}}}' for p in PLACES)}."
    if version.number > 1 and not version.change_note.strip():
        return "Say what is new in this version, for whoever approves it."
    return None


def submit_version(version: TemplateVersion, *, by: "User", note: str = "", at: dt.datetime | None = None) -> str:
    """Send a draft for approval; it is fixed until that is decided.

    Raises:
        NotAllowed, WrongState, InvalidInput: as `refuse_submission` says.
    """
    with transaction.atomic(), acting_as(by, reason=note or None):
        row = _locked(version)
        if refused := refuse_submission(by, row):
            if not access.can(by, "change", row):
                raise NotAllowed(refused)
            raise (InvalidInput if row.is_draft else WrongState)(refused)
        _move(row, TemplateState.IN_REVIEW)
        request_approval(row, by=by, note=note, at=at)
    return f"{row} is in review. Who wrote it cannot approve it."


def put_in_force(version: TemplateVersion, request: Any, *, by: "User", at: dt.datetime | None = None) -> None:
    """Let an approved version be what the template says: the effect of its approval.

    Raises:
        WrongState: it no longer waits for approval.
    """
    if version.state != TemplateState.IN_REVIEW:
        raise WrongState(f"{version} no longer waits for approval.")
    template = ReplyTemplate.objects.select_for_update(of=("self",)).get(pk=version.template_id)
    for before in template.versions.filter(state=TemplateState.IN_FORCE):
        _move(before, TemplateState.RETIRED)
    _move(version, TemplateState.IN_FORCE, in_force_at=at or clock.now())
    template.body, template.guidelines, template.version = version.body, version.guidelines, version.number
    with transition(ReplyTemplate):
        template.save(update_fields=["body", "guidelines", "version"])


def back_to_draft(version: TemplateVersion, request: Any, *, by: "User") -> None:
    """Make a refused or withdrawn version a draft again."""
    _move(version, TemplateState.DRAFT)


def in_force_before(version: TemplateVersion) -> dict[str, Any] | None:
    """Return what the template says now, for comparison."""
    template = version.template
    if not template.body or template.version == version.number:
        return None
    return {"body": template.body, "guidelines": template.guidelines}


def _locked(version: TemplateVersion) -> TemplateVersion:
    rows = TemplateVersion.objects.select_for_update(of=("self",)).select_related("template")
    row: TemplateVersion = rows.get(pk=version.pk)
    return row


def _move(version: TemplateVersion, state: TemplateState, **also: Any) -> None:
    version.state = state
    for name, value in also.items():
        setattr(version, name, value)
    with transition(TemplateVersion):
        version.save(update_fields=["state", *also])
