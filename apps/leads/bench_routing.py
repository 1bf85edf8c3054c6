"""`manage.py bench routing`: leads dealt to a pool by weight, beside bare statements and a loop over leads.

The bare path writes the same rows: the owner of each lead (its history, ledger and queues by the same triggers) and a
decision for each, in batches of the same size.

The usual way is what a handler for one lead does, called for each in turn, in a transaction of its own, as CRMs do it
with their ORM: it locks the lead, looks which version of the rules is in force (read once), asks one rule after the
other by a query whether it takes this lead, reads the pool, asks of each member whether somebody stands in for them,
how many open leads they have and how many they got today, takes the next in turn from the locked cursor, saves the
lead, writes the decision with who could have had it, and begins the clock of the SLA. That it decides as the product
does is compared before anything is timed.
"""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from django.db import connection, transaction

from apps.accounts.models import Team, User
from apps.approvals.models import Delegation
from apps.core import clock
from apps.core.actors import acting_as, system_principal
from apps.core.bench.registry import Result, Taken, benchmark, middle, swept, timed
from apps.core.rules.bodies import Rule
from apps.core.rules.canonical import digest_of
from apps.core.rules.catalog import Catalog, catalog_of
from apps.core.rules.domain.compiling import compile_q
from apps.core.rules.domain.queries import active_version
from apps.core.rules.enums import VersionState
from apps.core.rules.models import RuleDocument, RuleVersion
from apps.core.transitions import transition
from apps.leads.domain import answer_clocks
from apps.leads.domain.routing.routing import BATCH, route_leads
from apps.leads.domain.routing.turns import slots_of
from apps.leads.enums import OPEN_STAGES, RoutedBy
from apps.leads.models import Lead, Pool, PoolCursor, PoolMember, RoutingBatch, RoutingDecision, WaitingLead
from apps.leads.routing_rules import BODY, DOCUMENT, KIND, POOL

WEIGHTS, SAMPLE, ROUNDS = (5, 3, 2), 60, 3
_DECIDED = ("lead", "routed_by", "rule_number", "pool", "turn", "from_person", "to_person", "to_team")
LIMIT, USUAL = 2.5, 150.0
_LEADS = """
    INSERT INTO leads_lead (uuid, created_at, updated_at, row_version, record_source, external_id, name, job_title,
        company, country, territory, origin, source, stage, last_activity, last_notable_activity, quality, phone,
        is_phone_shared)
    SELECT gen_random_uuid(), now(), now(), 1, 'bench', n::text, '', '', '', '',
           (ARRAY['North', 'South', 'East'])[1 + n %% 3], '', '', 'known_lead', '', '', '', '', false
    FROM generate_series(1, %s) n
"""
_UPDATE = (
    "UPDATE leads_lead SET owner_person_id = %s, updated_at = now(), row_version = row_version + 1 WHERE id = ANY(%s)"
)
_INSERT = """
    INSERT INTO leads_routingdecision
        (lead_id, batch_id, routed_by, rule_number, pool_id, turn, to_person_id, reason, at)
    SELECT unnest(%s::bigint[]), %s, 'rule', 2, %s, 1, %s, '', now()
"""


@benchmark("routing", default_rows=20_000)
def routing(rows: int) -> Iterator[Result]:
    """Route `rows` leads to three people by weight, in batches."""
    version, pool, people = _prepared(rows)
    keys = list(Lead.objects.order_by("pk").values_list("pk", flat=True))
    _compare(keys[:SAMPLE])
    with transaction.atomic():
        route_leads(keys, tell=False)
        counted = Counter(Lead.objects.values_list("owner_person", flat=True))
        whole = rows // sum(WEIGHTS) * sum(WEIGHTS)
        exact = rows != whole or [counted[each.pk] for each in people] == [
            each * rows // sum(WEIGHTS) for each in WEIGHTS
        ]
        transaction.set_rollback(True)
    batch = RoutingBatch.objects.create(version=version, at=clock.now(), leads=rows, facts={})

    def bare() -> None:
        with acting_as(people[0]), connection.cursor() as cursor:
            for start in range(0, len(keys), BATCH):
                chunk = keys[start : start + BATCH]
                cursor.execute(_UPDATE, [people[0].pk, chunk])
                cursor.execute(_INSERT, [chunk, batch.pk, pool.pk, people[0].pk])

    def loop() -> None:
        _one_by_one(keys[:SAMPLE])

    run, limit = _in_turn(lambda: route_leads(keys, tell=False), bare)
    swept(Lead, Lead.history.model, RoutingDecision, WaitingLead)
    [usual] = _in_turn(loop)
    to_limit, to_usual = run.worked / limit.worked, usual.worked / SAMPLE * rows / run.worked
    goal = (
        f"weights exact, works at most {LIMIT} times as long as a bare UPDATE and INSERT, a loop over leads at least "
        f"{USUAL:.0f} times"
    )
    met = exact and to_limit <= LIMIT and to_usual >= USUAL
    more = {"weights_exact": exact, "worked_to_limit": round(to_limit, 3), "worked_to_usual": round(to_usual, 1)}
    per_lead = usual.seconds / SAMPLE
    yield Result("routing leads by weight", rows, run.seconds, limit.seconds, per_lead * rows, goal, met, more)


def _in_turn(*paths: Callable[[], Any]) -> list[Taken]:
    """Return how long each took in the middle, after a round to warm up; what they write is taken back each time."""
    taken: list[list[Taken]] = [[] for _ in paths]
    for number in range(ROUNDS + 1):
        for path, times in zip(paths, taken, strict=True):
            with transaction.atomic():
                found = timed(path)
                transaction.set_rollback(True)
            if number:
                times.append(found)
    return [middle(each) for each in taken]


def _prepared(rows: int) -> tuple[RuleVersion, Pool, list[User]]:
    with connection.cursor() as cursor:
        cursor.execute(_LEADS, [rows])
        cursor.execute("DELETE FROM leads_scorequeue")
        cursor.execute("ANALYZE leads_lead")
    names = range(len(WEIGHTS))
    people = [User.objects.create(email=f"bench-routing-{n}@example.com", full_name=f"Bench {n}") for n in names]
    pool, queue = Pool.objects.create(name="Bench"), Team.objects.create(name="Bench routing")
    for person, weight in zip(people, WEIGHTS, strict=True):
        PoolMember.objects.create(pool=pool, person=person, weight=weight)
    nowhere = {"field": "territory", "op": "eq", "value": "West"}
    body = {
        "rules": [
            {"key": "west", "name": "West", "predicate": nowhere, "outcome": {"to": POOL, "pool": pool.pk}},
            {"key": "rest", "name": "Rest", "predicate": {"all": []}, "outcome": {"to": POOL, "pool": pool.pk}},
        ],
        "settings": {"fallback": queue.pk},
    }
    document = RuleDocument.objects.create(key=DOCUMENT, kind=KIND, title="Bench", owner=people[0])
    with transition(RuleVersion):
        version = RuleVersion.objects.create(
            document=document,
            number=1,
            author=people[0],
            body=body,
            simulated_digest=digest_of(body),
            state=VersionState.ACTIVE,
            activated_at=clock.now(),
            activated_by=people[0],
        )
    return version, pool, people


def _compare(keys: list[int]) -> None:
    """Hold the usual way to the same result, or there is nothing to compare.

    Raises:
        AssertionError: the two ways decide differently.
    """
    left = []
    for way in (lambda: route_leads(keys, tell=False), lambda: _one_by_one(keys)):
        with transaction.atomic():
            way()
            rows = Lead.objects.filter(pk__in=keys).order_by("pk")
            told = RoutingDecision.objects.filter(lead__in=keys).order_by("lead").values_list(*_DECIDED)
            left.append((list(rows.values_list("owner_person", "owner_team")), list(told)))
            transaction.set_rollback(True)
    if left[0] != left[1] or len(left[0][1]) != len(keys):
        raise AssertionError("The usual way does not decide as the product does.")


def _one_by_one(keys: list[int]) -> None:
    """Route leads as a handler for one lead does; see above."""
    catalog = catalog_of(Lead)
    known: dict[int, list[Rule]] = {}
    for key in keys:
        with transaction.atomic(), acting_as(system_principal()):
            lead, version = Lead.objects.select_for_update(of=("self",)).get(pk=key), active_version(DOCUMENT)
            if version is not None and not lead.is_archived:
                rules = known.get(version.pk) or known.setdefault(version.pk, BODY.rules(version.body, catalog))
                _route_one(lead, version, rules, catalog)


def _route_one(lead: Lead, version: RuleVersion, rules: list[Rule], catalog: Catalog) -> None:
    now = clock.now()
    for rule in rules:
        if Lead.objects.filter(compile_q(rule.tree, catalog, as_of=now), pk=lead.pk).exists():
            break
    pool = Pool.objects.get(pk=rule.outcome[POOL])
    candidates = [_asked(each, now) for each in pool.members.filter(archived_at=None).select_related("person")]
    slots = slots_of({each["person"]: each["weight"] for each in candidates if not each["passed_over"]})
    PoolCursor.objects.get_or_create(pool=pool)
    cursor = PoolCursor.objects.select_for_update().get(pool=pool)
    turn, before = cursor.position, lead.owner_person_id
    lead.owner_person_id, lead.owner_team_id = slots[turn % len(slots)], pool.team_id
    lead.save()
    cursor.position, cursor.given = turn + 1, cursor.given + 1
    cursor.save()
    facts = {"left_out": {}, "pools": {str(pool.pk): {"name": str(pool), "candidates": candidates}}}
    batch = RoutingBatch.objects.create(version=version, at=now, leads=1, facts=facts)
    RoutingDecision.objects.create(
        lead=lead,
        batch=batch,
        routed_by=RoutedBy.RULE,
        rule_number=rule.position,
        pool=pool,
        turn=turn,
        from_person_id=before,
        to_person_id=lead.owner_person_id,
        to_team_id=lead.owner_team_id,
        at=now,
    )
    WaitingLead.objects.filter(lead=lead).delete()
    answer_clocks.restart([lead.pk], at=now)


def _asked(member: PoolMember, now: dt.datetime) -> dict[str, Any]:
    """Ask of one member of a pool whether they can take a lead now."""
    person = member.person
    away = Delegation.objects.valid_at(now).filter(subject_kind="", from_person=person).exists()
    held = Lead.objects.filter(owner_person=person, stage__in=OPEN_STAGES, archived_at=None).count()
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    given = RoutingDecision.objects.filter(pool=member.pool_id, to_person=person, at__gte=today).count()
    full = member.most_open is not None and held >= member.most_open
    full = full or (member.most_a_day is not None and given >= member.most_a_day)
    passed_over = "is away" if away or not person.is_active else "has enough" if full else ""
    return {"person": person.pk, "name": str(person), "weight": member.weight, "left": None, "passed_over": passed_over}
