"""`manage.py bench routing`: leads dealt to a pool by weight, beside bare statements and a loop over leads."""

from collections import Counter
from collections.abc import Iterator

from django.db import connection, transaction

from apps.accounts.models import Team, User
from apps.core import clock
from apps.core.actors import acting_as
from apps.core.bench.registry import Result, benchmark, interleaved
from apps.core.rules.canonical import digest_of
from apps.core.rules.domain.matching import matches, values_of
from apps.core.rules.enums import VersionState
from apps.core.rules.models import RuleDocument, RuleVersion
from apps.core.transitions import transition
from apps.leads.domain.routing.asking import read_rules
from apps.leads.domain.routing.routing import BATCH, route_leads
from apps.leads.domain.routing.turns import slots_of
from apps.leads.models import Lead, Pool, PoolMember, RoutingBatch, RoutingDecision
from apps.leads.routing_rules import BODY, DOCUMENT, KIND, POOL

WEIGHTS, SAMPLE = (5, 3, 2), 60
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
    with transaction.atomic():
        route_leads(keys, tell=False)
        counted = Counter(Lead.objects.values_list("owner_person", flat=True))
        whole = rows // sum(WEIGHTS) * sum(WEIGHTS)
        exact = rows != whole or [counted[each.pk] for each in people] == [
            each * rows // sum(WEIGHTS) for each in WEIGHTS
        ]
        transaction.set_rollback(True)
    batch = RoutingBatch.objects.create(version=version, at=clock.now(), leads=rows, facts={})

    def product() -> None:
        with transaction.atomic():
            route_leads(keys, tell=False)
            transaction.set_rollback(True)

    def bare() -> None:
        with transaction.atomic(), acting_as(people[0]), connection.cursor() as cursor:
            for start in range(0, len(keys), BATCH):
                chunk = keys[start : start + BATCH]
                cursor.execute(_UPDATE, [people[0].pk, chunk])
                cursor.execute(_INSERT, [chunk, batch.pk, pool.pk, people[0].pk])
            transaction.set_rollback(True)

    seconds, limit = interleaved(product, bare, rounds=3)
    usual = _usual(version, pool, people, keys, batch) * rows
    met = exact and seconds <= LIMIT * limit and usual >= USUAL * seconds
    goal = (
        f"weights exact, at most {LIMIT} times a bare UPDATE and INSERT, at least {USUAL:.0f} times a loop over leads"
    )
    yield Result("routing leads by weight", rows, seconds, limit, usual, goal, met, {"weights_exact": exact})


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


def _usual(version: RuleVersion, pool: Pool, people: list[User], keys: list[int], batch: RoutingBatch) -> float:
    """Return the seconds per lead of the usual way: load, ask the rules, take the next in turn, save, write why."""
    rules, slots = (
        read_rules(version, at=clock.now()),
        slots_of(dict(zip([p.pk for p in people], WEIGHTS, strict=True))),
    )

    def loop() -> None:
        with transaction.atomic(), acting_as(people[0]):
            for place, lead in enumerate(Lead.objects.filter(pk__in=keys[:SAMPLE]).select_related("account")):
                values = values_of(rules_catalog, Lead.objects.filter(pk=lead.pk))[lead.pk]
                number = next(
                    each.position
                    for each in rules.rules
                    if matches(each.tree, values, rules_catalog, as_of=clock.now())
                )
                lead.owner_person_id = slots[place % len(slots)]
                lead.save()
                RoutingDecision.objects.create(
                    lead=lead,
                    batch=batch,
                    routed_by="rule",
                    rule_number=number,
                    pool=pool,
                    turn=place,
                    to_person_id=lead.owner_person_id,
                    at=clock.now(),
                )
            transaction.set_rollback(True)

    from apps.core.rules.catalog import catalog_of  # noqa: PLC0415  # only the usual way needs it

    rules_catalog = catalog_of(BODY.model or Lead)
    (taken,) = interleaved(loop, rounds=3)
    return taken / SAMPLE
