"""The panel an agent lives in: the conversation, the reply box, and the facts beside it."""

from typing import Any

from django.db.models import Q
from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.urls import reverse

from apps.core import access
from apps.core.admin_kit.links import link_to
from apps.core.clocks.domain.explaining import clock_panel
from apps.core.markdown import render
from apps.tickets.domain.conversation import refuse_reply
from apps.tickets.domain.forms import answered
from apps.tickets.domain.knowledge import suggest
from apps.tickets.domain.routing import decision_of, may_see_rules
from apps.tickets.domain.rows import refuse_active_work
from apps.tickets.domain.templates import filled, templates_for, values_of
from apps.tickets.domain.trail import trail_of
from apps.tickets.domain.whole import minutes_of
from apps.tickets.enums import ProblemState
from apps.tickets.models import Problem, Ticket, TicketLink


def desk_panel(request: HttpRequest, ticket: Ticket) -> dict[str, Any]:
    """Return the panel of a ticket for the person who looks at it."""
    person: Any = request.user
    refused = refuse_reply(person, ticket)
    templates = templates_for(ticket) if refused is None else []
    values = values_of(ticket, agent=person) if templates else {}
    return {
        "template": "admin/tickets/desk.html",
        "ticket": ticket,
        "trail": trail_of(ticket),
        "refused": refused,
        "may_tick": refuse_active_work(person, ticket) is None,
        "csrf": get_token(request),
        "reply_url": reverse("admin:tickets_ticket_reply", args=(ticket.pk,)),
        "templates": [(each, filled(each, ticket, agent=person, values=values)) for each in templates],
        "answers": answered(ticket.form_version, ticket.answers),
        "process": _process(person, ticket),
        "points": [
            (point, reverse("admin:tickets_ticket_tick", args=(ticket.pk, point.pk)))
            for point in ticket.checklist.all()
            if point.archived_at is None
        ],
        "links": _links(person, ticket),
        "records": _records(person, ticket),
        "known": _known(person, ticket) if _has(ticket, "problems") else [],
        "minutes": ticket.minutes if hasattr(ticket, "minutes") else minutes_of(ticket),
        "watchers": list(ticket.watchers.all()),
        "follow_ups": _follow_ups(ticket),
        "surveys": list(ticket.surveys.all()) if _has(ticket, "surveys") else [],
        "articles": suggest(person, ticket.title, kind=ticket.type) if ticket.is_active else [],
        "routing": _routing(person, ticket),
        "clocks": clock_panel(ticket, title="Promised times"),
    }


def _has(ticket: Ticket, what: str) -> bool:
    """Whether there is any of it, as the page has read with the ticket; what was not read is looked for."""
    return bool(getattr(ticket, f"has_{what}", True))


def _records(person: Any, ticket: Ticket) -> list[str]:
    if not _has(ticket, "records"):
        return []
    about = ticket.records.live().prefetch_related("record")
    return [link_to(each.record) for each in about if _sees(person, each.record)]


def _follow_ups(ticket: Ticket) -> list[tuple[Any, str]]:
    if not _has(ticket, "follow_ups"):
        return []
    return [(each, link_to(each)) for each in ticket.follow_ups.live().select_related("assignee", "ticket")]


def _links(person: Any, ticket: Ticket) -> list[tuple[str, str]]:
    back = {"parent": "is a child of", "related": "is related to", "duplicate": "has the duplicate"}
    into = [("goes on in", link_to(ticket.merged_into))] if ticket.merged_into is not None else []
    inside = [("has taken in", link_to(each)) for each in ticket.merged.all()] if _has(ticket, "merged") else []
    if not _has(ticket, "links"):
        return [*into, *inside]
    both = Q(ticket=ticket) | Q(other=ticket)
    rows = access.visible(person, TicketLink).filter(both, archived_at__isnull=True)
    linked = list(rows.select_related("ticket", "other"))
    there = [(each.get_kind_display(), link_to(each.other)) for each in linked if each.ticket_id == ticket.pk]
    here = [(back[each.kind], link_to(each.ticket)) for each in linked if each.other_id == ticket.pk]
    return [*into, *there, *here, *inside]


def _known(person: Any, ticket: Ticket) -> list[tuple[str, str]]:
    """Return the problems a ticket belongs to, each with what helps until it is solved."""
    rows = access.visible(person, Problem).filter(tickets=ticket).exclude(state=ProblemState.SOLVED)
    return [(link_to(each), render(each.workaround) if each.workaround else "") for each in rows]


def _routing(person: Any, ticket: Ticket) -> dict[str, Any] | None:
    decision = decision_of(ticket)
    if decision is None:
        return None
    rules = link_to(decision.version) if may_see_rules(person, decision) else ""
    return {"decision": decision, "rules": rules, **decision.explanation}


def _process(person: Any, ticket: Ticket) -> str:
    process = ticket.type.process if ticket.type is not None else None
    return link_to(process) if _sees(person, process) else ""


def _sees(person: Any, thing: Any) -> bool:
    return thing is not None and bool(access.can(person, "view", thing))
