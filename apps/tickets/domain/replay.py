"""Replay: what a version of the rules would have done with the tickets of the past, before it goes live."""

import datetime as dt
from collections import Counter
from typing import TYPE_CHECKING, Any

from apps.core.rules.catalog import catalog_of
from apps.core.rules.domain.matching import values_of
from apps.core.rules.domain.queries import active_version
from apps.core.rules.domain.rule_lists import first_match
from apps.tickets.domain.replay_people import replay_people
from apps.tickets.models import Queue, Ticket
from apps.tickets.routing_rules import BODY, DOCUMENT

if TYPE_CHECKING:
    from apps.core.rules.bodies import Rule
    from apps.core.rules.models import RuleVersion

REPLAYED, SHOWN, MOST_PEOPLE = 2000, 10, 30


def replay(version: "RuleVersion", as_of: dt.datetime) -> dict[str, Any]:
    """Return what `version` would have decided about the latest tickets, beside where they went and where they are.

    Whom it would have been given is replayed in the order of opening, with the people and skills of today.
    """
    catalog = catalog_of(Ticket)
    rows = {each.pk: each for each in Ticket.objects.live().select_related("type").order_by("-pk")[:REPLAYED]}
    values = values_of(catalog, Ticket.objects.filter(pk__in=rows))
    rules = BODY.rules(version.body, catalog)
    in_force = active_version(DOCUMENT)
    before = _readable(in_force, catalog)
    default = Queue.objects.live().filter(is_default=True).values_list("pk", flat=True).first()
    names = dict(Queue.objects.values_list("pk", "name"))
    hits: Counter[str] = Counter()
    moved: Counter[tuple[str, str]] = Counter()
    elsewhere, changed = 0, []
    deciding: dict[int, Rule | None] = {}
    goes: dict[int, int | None] = {}
    for pk, ticket in rows.items():
        rule = first_match(rules, values[pk], catalog, as_of=as_of)
        hits[_named(rule)] += 1
        now = _queue(rule, ticket, default)
        deciding[pk], goes[pk] = rule, now
        elsewhere += now != ticket.queue_id
        then = _queue(first_match(before, values[pk], catalog, as_of=as_of), ticket, default)
        if now != then:
            changed.append(pk)
            moved[names.get(then or 0, "nowhere"), names.get(now or 0, "nowhere")] += 1
    decides = version.document.key == DOCUMENT
    return {
        "facts": [
            ["Tickets replayed", len(rows)],
            ["Go to another queue than now", len(changed)],
            ["Go to another queue than where they are", elsewhere],
            ["Decides about tickets", "yes" if decides else f"no: only the document “{DOCUMENT}” does"],
        ],
        "tables": [
            {
                "title": "Tickets by rule",
                "head": ["Rule", "Tickets"],
                "rows": [[_named(r), hits[_named(r)]] for r in rules],
            },
            {
                "title": "Tickets that change queue",
                "head": ["From", "To", "Tickets"],
                "rows": [[*ways, number] for ways, number in moved.most_common(20)],
            },
            {
                "title": "Tickets by person",
                "head": ["Given to", "Tickets"],
                "rows": replay_people(list(rows.values()), deciding, goes)[:MOST_PEOPLE],
            },
        ],
        "sample_model": "tickets.ticket",
        "sample": (changed or list(rows))[:SHOWN],
    }


def _readable(version: "RuleVersion | None", catalog: Any) -> "list[Rule]":
    if version is None or BODY.problems(version.body, catalog):
        return []
    return BODY.rules(version.body, catalog)


def _named(rule: "Rule | None") -> str:
    return f"{rule.position}. {rule.name}" if rule is not None else "No rule"


def _queue(rule: "Rule | None", ticket: Ticket, default: int | None) -> int | None:
    """Return the queue a rule sends a ticket to; without one the type's, else the default."""
    own = ticket.type.queue_id if ticket.type is not None else None
    said: int | None = rule.outcome["queue"] if rule is not None else None
    return said or own or default
