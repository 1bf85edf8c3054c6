"""Routing: which queue and which person a ticket goes to, by the rules in force, with the reason kept.

The list of rules is the document "ticket-routing" of the rules kit; a second person approves each version. The first
rule that fits decides. Who is considered, who is passed over and why is stored with the ticket.
"""

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db import transaction

from apps.accounts.models import Team, User
from apps.core import access, clock
from apps.core.actors import acting_as
from apps.core.errors import WrongState
from apps.core.events import publish
from apps.core.rules.catalog import catalog_of
from apps.core.rules.domain.matching import values_of
from apps.core.rules.domain.queries import active_version
from apps.core.rules.domain.rule_lists import ask_rules
from apps.core.words import reason_given
from apps.tickets.domain import candidates, service
from apps.tickets.domain.rows import locked, raise_refusal, record, refuse_active_work, write
from apps.tickets.domain.telling import tell_desk
from apps.tickets.enums import EventKind
from apps.tickets.models import Queue, RoutingDecision, Ticket, TicketType
from apps.tickets.routing_rules import BODY, DOCUMENT, STAYS

if TYPE_CHECKING:
    from apps.core.rules.bodies import Rule
    from apps.core.rules.models import RuleVersion

LONGEST = 300


@dataclass
class Way:
    """Where a ticket goes, as far as it is decided, and what was said on the way."""

    queue: Queue
    rule: "Rule | None" = None
    version: "RuleVersion | None" = None
    tried: list[dict[str, Any]] = field(default_factory=list)
    considered: list[candidates.Candidate] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    person: User | None = None


def queue_for(kind: TicketType | None) -> Queue:
    """Return where a ticket waits that no rule sends elsewhere: the queue of its type, else the default one.

    Raises:
        WrongState: no queue is the default.
    """
    if kind is not None and kind.queue is not None and not kind.queue.is_archived:
        return kind.queue
    default: Queue | None = Queue.objects.live().select_related("team").filter(is_default=True).first()
    if default is None:
        raise WrongState("There is no queue to put it in; an administrator makes one the default under Queues.")
    return default


def route(ticket: Ticket, *, by: User, at: dt.datetime) -> RoutingDecision:
    """Send a locked ticket to the queue and the person that the rules say, and keep why.

    Runs inside the caller's transaction. Tickets given to people of one team wait for each other, so that two workers
    never give the same turn twice.
    """
    way = _decided(ticket, at)
    before_queue, before_person = ticket.queue, ticket.assignee
    if way.queue.pk != before_queue.pk or way.person != before_person:
        write(ticket, queue=way.queue, assignee=way.person)
    sentence = " ".join(way.words)
    if way.queue.pk != before_queue.pk:
        record(ticket, EventKind.QUEUE, by=by, at=at, before=before_queue, after=way.queue, note=sentence)
    if way.person != before_person:
        record(ticket, EventKind.ASSIGNED, by=by, at=at, after=way.person or "Nobody", note=sentence)
    return RoutingDecision.objects.create(
        ticket=ticket,
        version=way.version,
        rule_key=way.rule.key if way.rule is not None else "",
        rule_name=way.rule.name if way.rule is not None else "",
        queue=way.queue,
        assignee=way.person,
        sentence=sentence,
        explanation={"tried": way.tried, "candidates": [each.as_json() for each in way.considered]},
        at=at,
    )


def refuse_routing(user: User, ticket: Ticket) -> str | None:
    """Return why `user` cannot let the rules decide about `ticket` again, None when they can."""
    if refused := refuse_active_work(user, ticket):
        return refused
    has_rules = getattr(ticket, "has_rules", None)  # a page has read it with the ticket
    if has_rules is None:
        has_rules = active_version(DOCUMENT) is not None
    return None if has_rules else "No rules of routing are in force; hand it over instead."


def route_again(ticket: Ticket, *, by: User, reason: str, at: dt.datetime | None = None) -> str:
    """Let the rules in force decide anew about a ticket, for instance after its facts were corrected.

    Raises:
        InvalidInput: without a reason.
        NotAllowed, WrongState: as `refuse_routing` says.
    """
    reason, moment = reason_given(reason, "Say why it is routed again."), at or clock.now()
    with transaction.atomic(), acting_as(by, reason=reason):
        row = locked(ticket)
        raise_refusal(by, row, refuse_routing(by, row))
        before, person = row.queue_id, row.assignee
        decision = route(row, by=by, at=moment)
        if row.queue_id != before:
            service.requeued(row, by=by, at=moment)
        if person is not None and row.assignee_id != person.pk:
            write(row, reassigned=row.reassigned + 1)
        if row.assignee is not None and row.assignee != person:
            tell_desk(row, "ticket.assigned", title=f"{row} is yours", body=decision.sentence, by=by)
        publish("ticket.assigned", ticket_id=row.pk)
    return decision.sentence


def decision_of(ticket: Ticket) -> RoutingDecision | None:
    """Return the latest reason why a ticket is where it is; None where somebody chose its queue by hand."""
    return ticket.routings.select_related("version__document", "queue", "assignee").first()


def _decided(ticket: Ticket, at: dt.datetime) -> Way:
    way = Way(queue_for(ticket.type))
    way.version = active_version(DOCUMENT, at=None)
    way.rule = _matching(ticket, way, at) if way.version is not None else None
    if way.rule is None:
        way.words.append(_without_rule(ticket, way))
        return way
    outcome = way.rule.outcome
    _to_queue(way, outcome["queue"])
    way.words.insert(0, f"Rule {way.rule.position}, {way.rule.name}, decided: {way.queue}.")
    wanted = candidates.Wanted(outcome["person"], outcome["skill"], outcome["spread"] or STAYS)
    if wanted.person is None and wanted.spread == STAYS:
        way.words.append("Whoever of the team takes it works on it.")
        return way
    team = Team.objects.filter(pk=outcome["team"]).first() or way.queue.team
    way.considered, way.person, words = candidates.choose(ticket, team, wanted, at=at)
    way.words.append(words)
    return way


def _matching(ticket: Ticket, way: Way, at: dt.datetime) -> "Rule | None":
    """Ask the rules in order; None where they can no longer be read or none fits."""
    assert way.version is not None  # noqa: S101  # for the type checker: the caller asked
    catalog = catalog_of(Ticket)
    if problems := BODY.problems(way.version.body, catalog):
        way.words.append(f"{way.version} cannot be used: {problems[0].sentence}")
        return None
    rules = BODY.rules(way.version.body, catalog)
    values = values_of(catalog, Ticket.objects.filter(pk=ticket.pk))[ticket.pk]
    asked = ask_rules(rules, values, catalog, as_of=at, first_wins=True)
    way.tried = [
        {
            "position": each.rule.position,
            "name": each.rule.name,
            "matched": each.matched,
            "said": _short(each.outcome.why if each.outcome is not None else each.note),
        }
        for each in asked
    ]
    return next((each.rule for each in asked if each.matched), None)


def _to_queue(way: Way, wanted: Any) -> None:
    """Take the queue a rule names; an archived one sends to where its type or the default says."""
    if wanted is None:
        return
    queue: Queue = Queue.objects.select_related("team").get(pk=wanted)
    if queue.is_archived:
        way.words.append(f"{queue} is archived, so it waits in {way.queue}.")
    else:
        way.queue = queue


def _without_rule(ticket: Ticket, way: Way) -> str:
    own = ticket.type is not None and ticket.type.queue_id == way.queue.pk
    where = f"{way.queue} is the queue of its type" if own else f"{way.queue} is the default queue"
    return f"{where}." if way.version is not None else f"No rules of routing are in force; {where}."


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def may_see_rules(person: User, decision: RoutingDecision) -> bool:
    """Whether the decision's rules can be opened by `person`."""
    return decision.version is not None and bool(access.can(person, "view", decision.version))
