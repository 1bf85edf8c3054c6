"""What rules of routing would have done with the latest leads, before they decide about any."""

import datetime as dt
from collections import Counter
from typing import TYPE_CHECKING

from apps.accounts.models import Team, User
from apps.core.rules.domain.queries import active_version
from apps.core.rules.kinds import Simulation
from apps.leads.domain.routing.asking import Asked, Rules, ask, read_rules
from apps.leads.domain.routing.routing import Way, decide
from apps.leads.enums import OPEN_STAGES, RoutedBy
from apps.leads.models import Lead, PoolCursor
from apps.leads.routing_rules import BODY, DOCUMENT

if TYPE_CHECKING:
    from apps.core.rules.models import RuleVersion

LAST, SHOWN = 2_000, 10


def simulate(version: "RuleVersion", as_of: dt.datetime) -> Simulation:
    """Route the latest leads by these rules and by those in force, and tell the difference; nothing is changed.

    People, pools, capacity and turns are those of now.
    """
    rows = Lead.objects.live().filter(stage__in=OPEN_STAGES).order_by("-pk").values_list("pk", flat=True)
    keys = list(rows[:LAST])
    positions = dict(PoolCursor.objects.values_list("pool", "position"))
    new, ways, asked = _routed(version, keys, as_of, positions)
    active = active_version(DOCUMENT)
    readable = active is not None and not BODY.problems(active.body)
    before = {each.lead: each for each in _routed(active, keys, as_of, positions)[1]} if readable and active else {}
    changed = [each.lead for each in ways if each.lead in before and _target(before[each.lead]) != _target(each)]
    owners = {each.lead: each.owner for each in asked}
    elsewhere = [each.lead for each in ways if each.person is not None and owners[each.lead] != each.person]
    counted = Counter(each.routed_by for each in ways)
    facts: list[list[object]] = [["Latest leads routed", len(ways)]]
    if active is not None:
        facts.append([f"Go to another person or pool than by version {active.number}", len(changed)])
    facts += [
        ["Would get another owner than they have", len(elsewhere)],
        ["In the fallback queue: no rule takes them", counted[RoutedBy.FALLBACK]],
        ["In the fallback queue: nobody of the pool is free", counted[RoutedBy.WAITING]],
        ["Decides about leads", "yes" if version.document.key == DOCUMENT else f"no: only “{DOCUMENT}” does"],
    ]
    return {
        "facts": facts,
        "tables": [
            {"title": "Leads by rule", "head": ["Rule", "Leads"], "rows": _by_rule(new, ways)},
            {"title": "Leads by person", "head": ["Given to", "Leads"], "rows": _by_person(ways)},
            {"title": "Passed over now", "head": ["Pool", "Person", "Why"], "rows": _passed_over(new)},
        ],
        "sample_model": Lead._meta.label_lower,
        "sample": (changed or elsewhere or keys)[:SHOWN],
    }


def _routed(
    version: "RuleVersion", keys: list[int], as_of: dt.datetime, positions: dict[int, int]
) -> tuple[Rules, list[Way], list[Asked]]:
    rules = read_rules(version, at=as_of)
    asked = ask(rules, keys, at=as_of, lock=False)
    return rules, decide(rules, asked, positions), asked


def _target(way: Way) -> tuple[int | None, int | None]:
    """Where a lead goes: the pool, whoever's turn it is there; else the person."""
    return (way.pool, None) if way.pool is not None else (None, way.person)


def _by_rule(rules: Rules, ways: list[Way]) -> list[list[object]]:
    counted = Counter(each.rule for each in ways)
    named: list[list[object]] = [
        [f"{each.position}. {each.name}", counted[each.position] if not (why := _left(rules, each.position)) else why]
        for each in rules.rules
    ]
    return [*named, ["No rule", counted[0]]]


def _left(rules: Rules, number: int) -> str:
    return rules.left_out.get(number, "")


def _by_person(ways: list[Way]) -> list[list[object]]:
    people = Counter(each.person for each in ways if each.person is not None)
    teams = Counter(each.team for each in ways if each.person is None and each.team is not None)
    names = {each.pk: str(each) for each in User.objects.filter(pk__in=people)}
    queues = {each.pk: str(each) for each in Team.objects.filter(pk__in=teams)}
    return [[names[key], number] for key, number in people.most_common(30)] + [
        [f"{queues[key]} (fallback queue)", number] for key, number in teams.most_common()
    ]


def _passed_over(rules: Rules) -> list[list[object]]:
    return [
        [str(crew.pool), each.name, each.passed_over]
        for crew in rules.crews.values()
        for each in crew.candidates
        if each.passed_over
    ]
