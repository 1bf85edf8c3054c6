"""The panel an agent lives in: the conversation, the reply box, and the facts beside it."""

from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.urls import reverse

from apps.core.admin_kit.links import link_to
from apps.core.clocks.domain.explaining import clock_panel
from apps.core.markdown import render
from apps.tickets.domain.about import seen
from apps.tickets.domain.agreement_choice import why_under
from apps.tickets.domain.conversation import refuse_reply
from apps.tickets.domain.forms import answered
from apps.tickets.domain.knowledge import suggest
from apps.tickets.domain.routing import decision_of, may_see_rules
from apps.tickets.domain.rows import refuse_active_work, refuse_work
from apps.tickets.domain.templates import filled, templates_for, values_of
from apps.tickets.domain.trail import trail_of
from apps.tickets.domain.whole import rows_of
from apps.tickets.models import FollowUp, Problem, Survey, Ticket, TicketLink

BACK = {"parent": "is a child of", "related": "is related to", "duplicate": "has the duplicate"}


def desk_panel(request: HttpRequest, ticket: Ticket) -> dict[str, Any]:
    """Return the panel of a ticket, read by `whole`, for the person who looks at it."""
    person: Any = request.user
    refused = refuse_reply(person, ticket)
    may_unlink = refuse_work(person, ticket) is None
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
        "process": _process(ticket),
        "points": [
            (point, reverse("admin:tickets_ticket_tick", args=(ticket.pk, point.pk)))
            for point in ticket.checklist.all()
            if point.archived_at is None
        ],
        "links": [*_links(ticket, may_unlink), *_records(person, ticket, may_unlink)],
        "known": [
            (link_to(each), render(each.workaround) if each.workaround else "")
            for each, _ in rows_of(ticket, "problems", Problem)
        ],
        "minutes": getattr(ticket, "minutes"),  # noqa: B009  # read with the ticket
        "watchers": list(ticket.watchers.all()),
        "follow_ups": _follow_ups(ticket),
        "surveys": [each for each, _ in rows_of(ticket, "surveys", Survey)],
        "articles": suggest(person, ticket.title, kind=ticket.type) if ticket.is_active else [],
        "routing": _routing(person, ticket),
        "clocks": clock_panel(ticket, title="Promised times", why=why_under(ticket, person)),
    }


def _process(ticket: Any) -> str:
    process = ticket.type.process if ticket.type is not None else None
    return link_to(process) if process is not None and ticket.sees_process else ""


def _follow_ups(ticket: Ticket) -> list[tuple[FollowUp, str, str]]:
    found = []
    for each, values in rows_of(ticket, "follow_ups", FollowUp):
        each.ticket = ticket
        found.append((each, link_to(each), values["called"] or ""))
    return found


def _links(ticket: Ticket, may_unlink: bool) -> Iterator[tuple[str, str, str]]:
    """Tell of each ticket it belongs to: how, its link, and where that is taken back."""
    if ticket.merged_into is not None:
        yield "goes on in", link_to(ticket.merged_into), ""
    for each, values in rows_of(ticket, "links", TicketLink):
        away = _away(ticket, "link", each.pk) if may_unlink else ""
        if each.ticket_id == ticket.pk:
            other = Ticket(pk=each.other_id, title=values["other__title"])
            yield each.get_kind_display(), link_to(other), away
        else:
            yield BACK[each.kind], link_to(Ticket(pk=each.ticket_id, title=values["ticket__title"])), away
    for inside, _ in rows_of(ticket, "merged", Ticket):
        yield "has taken in", link_to(inside), ""


def _records(person: Any, ticket: Any, may_unlink: bool) -> Iterator[tuple[str, str, str]]:
    rows = ticket.part_records
    shown = seen(person, [(each["content_type_id"], each["object_id"]) for each in rows])
    for each in rows:
        thing = shown.get((each["content_type_id"], each["object_id"]))
        if thing is not None:
            kind = thing._meta.verbose_name
            yield f"is about the {kind}", link_to(thing), _away(ticket, "record", each["id"]) if may_unlink else ""


def _away(ticket: Ticket, kind: str, key: int) -> str:
    return reverse("admin:tickets_ticket_unlink", args=(ticket.pk, kind, key))


def _routing(person: Any, ticket: Ticket) -> dict[str, Any] | None:
    decision = decision_of(ticket)
    if decision is None:
        return None
    rules = link_to(decision.version) if may_see_rules(person, decision) else ""
    return {"decision": decision, "rules": rules, **decision.explanation}
