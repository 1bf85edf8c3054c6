"""Routing: leads go to people by the rules in force, a batch in one statement, each with its decision.

The rules are the document "lead-routing" of the rules kit. The first rule whose condition holds, and whose person is
there, takes the lead. A pool deals in turns by weight: its cursor is locked, so that two workers never deal the same
turn. What no rule takes, or what nobody of a pool can take now, goes to the fallback queue: no lead is ever without.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import connection, transaction

from apps.accounts.models import User
from apps.core import clock
from apps.core.actors import acting_as, system_principal
from apps.core.alerts.domain.alerting import resolve_alert
from apps.core.notifications.domain.notifying import notify
from apps.core.rules.domain.queries import active_version
from apps.leads.domain import answer_clocks
from apps.leads.domain.routing.asking import (
    ARCHIVED_FALLBACK,
    UNREADABLE,
    Asked,
    Rules,
    archived_fallback,
    array_of,
    ask,
    rules_in_force,
)
from apps.leads.domain.routing.turns import deal
from apps.leads.enums import OPEN_STAGES, RoutedBy
from apps.leads.models import Lead, PoolCursor, RoutingBatch, WaitingLead
from apps.leads.routing_rules import ACCOUNT, DOCUMENT, OWNER, PERSON, POOL

if TYPE_CHECKING:
    from apps.core.rules.models import RuleVersion

BATCH = 5_000
GIVEN = "lead.given"
_WRITE = """
    WITH incoming AS (
        SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::text[], %s::int[], %s::bigint[],
                             %s::bigint[], %s::bigint[]) AS t (lead, person, team, routed_by, rule, pool, turn, before)
    ), moved AS (
        UPDATE leads_lead l SET owner_person_id = i.person, owner_team_id = i.team, updated_at = %s,
               row_version = row_version + 1
        FROM incoming i WHERE l.id = i.lead
          AND (l.owner_person_id IS DISTINCT FROM i.person OR l.owner_team_id IS DISTINCT FROM i.team)
    )
    INSERT INTO leads_routingdecision
        (lead_id, batch_id, routed_by, rule_number, pool_id, turn, from_person_id, to_person_id, to_team_id, reason, at)
    SELECT lead, %s, routed_by, rule, pool, turn, before, person, team, '', %s FROM incoming
"""


@dataclass(frozen=True)
class Way:
    """Where one lead goes."""

    lead: int
    person: int | None
    team: int | None
    routed_by: str
    rule: int
    pool: int | None
    turn: int | None
    before: int | None


def route_leads(
    leads: Sequence[int], *, by: User | None = None, at: dt.datetime | None = None, tell: bool = True
) -> int:
    """Route these leads by the rules in force, whoever has them now; return how many were decided about.

    What another worker holds is left to it. Nothing happens where no rules are in force.
    """
    version, done = active_version(DOCUMENT), 0
    if version is None:
        return 0
    moment = at or clock.now()
    for start in range(0, len(leads), BATCH):
        with transaction.atomic(), acting_as(by or system_principal(), reason=f"Routed by {version}"):
            done += len(_route_batch(version, leads[start : start + BATCH], moment, by=by, tell=tell))
    return done


def route_new(leads: Sequence[int] | None = None, *, at: dt.datetime | None = None) -> int:
    """Route the leads that nobody looks after yet, all of them or some; what waits for a pool once it is there."""
    moment = at or clock.now()
    rows = Lead.objects.unowned().filter(stage__in=OPEN_STAGES).order_by("pk")
    done = 0
    if leads is not None:
        return route_leads(list(rows.filter(pk__in=leads).values_list("pk", flat=True)), at=moment)
    while found := list(rows.values_list("pk", flat=True)[:BATCH]):
        routed = route_leads(found, at=moment)
        done += routed
        if routed < len(found):
            break
    return done


def route_waiting(*, at: dt.datetime | None = None) -> int:
    """Give the leads that wait in the fallback queue to their pools, as far as somebody is there now."""
    version, moment = active_version(DOCUMENT), at or clock.now()
    if version is None:
        return 0
    waits = {"owner_person__isnull": True, "archived_at__isnull": True, "stage__in": OPEN_STAGES}
    WaitingLead.objects.exclude(**{f"lead__{name}": value for name, value in waits.items()}).delete()
    rules = rules_in_force(version, at=moment)
    if not rules.rules:  # they keep their places until the rules are mended
        return 0
    resolve_alert(UNREADABLE, why="The rules in force can be read.")
    if archived_fallback(rules) is None:
        resolve_alert(ARCHIVED_FALLBACK, why="The fallback queue is a team in use.")
    return route_leads(_next_waiting(rules), at=moment)


def _next_waiting(rules: Rules) -> list[int]:
    """Return who waits longest for each pool, as many as it can take now; all of them where it deals no more."""
    dealing = {key: crew for key, crew in rules.crews.items() if not crew.pool.is_archived}
    rooms = {key: 0 if not crew.slots else crew.room for key, crew in dealing.items()}
    found: list[int] = []
    for pool in WaitingLead.objects.order_by("pool_id").values_list("pool", flat=True).distinct():
        room = rooms.get(pool)
        keys = WaitingLead.objects.filter(pool=pool).order_by("since", "pk").values_list("pk", flat=True)
        found += keys[: BATCH if room is None else min(room, BATCH)]
    return found[:BATCH]


def _route_batch(
    version: "RuleVersion", leads: Sequence[int], at: dt.datetime, *, by: User | None, tell: bool
) -> list[Way]:
    cursors = lock_cursors(_turn_order(version))
    rules = rules_in_force(version, at=at)
    asked = ask(rules, leads, at=at, lock=True)
    if not asked:
        return []
    ways = decide(rules, asked, {key: cursors[key].position for key in cursors}, cursors)
    batch = RoutingBatch.objects.create(version=version, at=at, leads=len(ways), facts=rules.facts)
    _write(ways, batch, at)
    _keep_waiting(ways, at)
    given = [each.lead for each in ways if each.person is not None and each.person != each.before]
    answer_clocks.restart(given, at=at, by=by)
    if tell:
        _tell(ways, by)
    return ways


def _turn_order(version: "RuleVersion") -> list[int]:
    """Return the pools a version names, in the order in which every worker locks them."""
    return sorted({rule["outcome"][POOL] for rule in version.body["rules"] if rule["outcome"].get(POOL)})


def lock_cursors(pools: list[int]) -> dict[int, PoolCursor]:
    """Lock the turns of the pools before their capacity is counted, so that nobody gets more than they can take."""
    PoolCursor.objects.bulk_create([PoolCursor(pool_id=key) for key in pools], ignore_conflicts=True)
    rows = PoolCursor.objects.select_for_update(of=("self",)).filter(pool__in=pools).order_by("pool_id")
    return {each.pool_id: each for each in rows}


def decide(
    rules: Rules, asked: Sequence[Asked], positions: dict[int, int], cursors: dict[int, PoolCursor] | None = None
) -> list[Way]:
    """Return where each lead goes, in their order; moves the cursors on where they are given. No query but theirs."""
    turns: dict[int, list[tuple[int, int]]] = {}
    for key, crew in rules.crews.items():
        count = sum(each.rule != 0 and rules.rule(each.rule).outcome[POOL] == key for each in asked)
        dealt, position = deal(crew.slots, position=positions.get(key, 0), count=count, left=crew.left)
        turns[key] = dealt[::-1]
        if cursors is not None and dealt:
            cursors[key].position, cursors[key].given = position, cursors[key].given + len(dealt)
            cursors[key].save(update_fields=["position", "given"])
    return [_way(rules, each, turns) for each in asked]


def _way(rules: Rules, each: Asked, turns: dict[int, list[tuple[int, int]]]) -> Way:
    if not each.rule:
        return Way(each.lead, None, rules.fallback, RoutedBy.FALLBACK, 0, None, None, each.owner)
    said = rules.rule(each.rule).outcome
    to = said["to"]
    if to == POOL:
        pool = said[POOL]
        if not turns[pool]:
            return Way(each.lead, None, rules.fallback, RoutedBy.WAITING, each.rule, pool, None, each.owner)
        person, turn = turns[pool].pop()
        team = rules.crews[pool].pool.team_id
        return Way(each.lead, person, team, RoutedBy.RULE, each.rule, pool, turn, each.owner)
    chosen = {OWNER: each.owner, ACCOUNT: each.account_manager, PERSON: said[PERSON]}[to]
    team = each.team if to == OWNER else None
    return Way(each.lead, chosen, team, RoutedBy.RULE, each.rule, None, None, each.owner)


def _write(ways: Sequence[Way], batch: RoutingBatch, at: dt.datetime) -> None:
    columns = [
        array_of([getattr(each, name) for each in ways])
        for name in ("lead", "person", "team", "routed_by", "rule", "pool", "turn", "before")
    ]
    with connection.cursor() as cursor:
        cursor.execute(_WRITE, [*columns, at, batch.pk, at])


def _keep_waiting(ways: Sequence[Way], at: dt.datetime) -> None:
    """Remember who waits for a pool, and forget who no longer does."""
    waits = [each for each in ways if each.routed_by == RoutedBy.WAITING]
    found = array_of([each.lead for each in ways if each.routed_by != RoutedBy.WAITING])
    with connection.cursor() as cursor:  # five thousand numbers of an IN are read one by one
        cursor.execute("DELETE FROM leads_waitinglead WHERE lead_id = ANY (%s::bigint[])", [found])
    rows = [WaitingLead(lead_id=each.lead, pool_id=each.pool, since=at) for each in waits if each.pool is not None]
    WaitingLead.objects.bulk_create(rows, ignore_conflicts=True)


def _tell(ways: Sequence[Way], by: User | None) -> None:
    """Tell everybody who was given leads how many, once a batch."""
    given: dict[int, list[int]] = {}
    for each in ways:
        if each.person is not None and each.person != each.before:
            given.setdefault(each.person, []).append(each.lead)
    if not given:
        return
    people = User.objects.in_bulk(list(given))
    firsts = Lead.objects.in_bulk([leads[0] for leads in given.values()])
    for key, leads in given.items():
        first = firsts[leads[0]]
        title = f"{first} is yours." if len(leads) == 1 else f"{len(leads):,} leads are yours, {first} among them."
        notify([people[key]], GIVEN, title=title, body="", subject=first, by=by or system_principal())
