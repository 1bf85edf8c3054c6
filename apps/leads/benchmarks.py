"""`manage.py bench scoring`: a night's rescore of all leads, of a few, and a rehearsal, beside the bare statements.

The bare path reads the same rows (scores joined with sums) and writes the same rows with the same columns. No path has
helpers of PostgreSQL: they read for the bare one alone, since no UPDATE has them, and what they work is not counted.
"""

import datetime as dt
from collections.abc import Iterator
from typing import Any

from django.db import connection

from apps.accounts.models import User
from apps.core import clock
from apps.core.bench.registry import Result, Taken, benchmark, in_turn, interleaved
from apps.core.rules.canonical import digest_of
from apps.core.rules.domain.matching import matches, values_of
from apps.core.rules.domain.tree import fields_used
from apps.core.rules.enums import VersionState
from apps.core.rules.models import RuleDocument, RuleVersion
from apps.core.transitions import transition
from apps.leads import bench_import, bench_list, bench_routing  # noqa: F401  # register on import
from apps.leads.domain.scoring import measures
from apps.leads.domain.scoring.engine import store
from apps.leads.domain.scoring.model import Model, Points, read_model
from apps.leads.domain.scoring.rehearsal import simulate
from apps.leads.models import Lead, LeadScore, Touchpoint
from apps.leads.scoring_rules import BODY, DOCUMENT, HALF_LIFE, KIND

TOUCHES, SAMPLE, FEW = 10, 100, 100
LIMIT, USUAL, REHEARSAL = 2.5, 300.0, 2.0
_LEADS = """
    INSERT INTO leads_lead (uuid, created_at, updated_at, row_version, record_source, external_id, name, job_title,
        company, country, territory, origin, source, stage, last_activity, last_notable_activity, quality, phone,
        is_phone_shared)
    SELECT gen_random_uuid(), now(), now(), 1, 'bench', n::text, '',
           (ARRAY['Chief of all', 'Director', 'Manager', 'Buyer', ''])[1 + n %% 5],
           '', '', '', '', '', 'known_lead', '', '', '', '', false FROM generate_series(1, %s) n
"""
_TOUCHES = """
    INSERT INTO leads_touchpoint (lead_id, type, channel, occurred_at, received_at, source, source_event_id, utm, value,
                                  is_machine, machine_reason)
    SELECT l.id, (ARRAY['visit', 'visit', 'visit', 'email', 'download', 'webinar'])[1 + (l.id * 7 + n) %% 6], 'website',
           %s::timestamptz - make_interval(hours => ((l.id * 31 + n * 977) %% 4000)::int), now(), 'bench', '', '{}', '',
           false, '' FROM leads_lead l, generate_series(1, %s) n
"""


@benchmark("scoring", default_rows=20_000)
def scoring(rows: int) -> Iterator[Result]:
    """Score `rows` leads with ten touches each: a day later all of them, then a few, then a rehearsal."""
    start = clock.now()
    model = _prepared(rows, start)
    changed = store(model, as_of=start).changed
    day = iter(range(1, 1000))
    night, bare = in_turn(
        lambda: store(model, as_of=start + dt.timedelta(days=next(day)), reuse=True), lambda: _bare(model)
    )
    loop = _usual(model)
    usual = loop.seconds / SAMPLE * rows
    to_limit, to_usual = night.worked / bare.worked, loop.worked / SAMPLE * rows / night.worked
    met = to_limit <= LIMIT and to_usual >= USUAL
    goal = f"works at most {LIMIT} times bare scan, join and update, the per-lead loop at least {USUAL:.0f} times"
    more = {"worked_to_limit": round(to_limit, 3), "worked_to_usual": round(to_usual, 1)}
    yield Result("scoring all leads a day later", changed, night.seconds, bare.seconds, usual, goal, met, more)
    keys = list(Lead.objects.values_list("pk", flat=True)[:FEW])
    (few,) = interleaved(lambda: store(model, as_of=start + dt.timedelta(days=next(day)), leads=keys))
    yield Result("scoring 100 leads", FEW, few, None, None, "under a second whatever there is", few <= 1.0)
    draft = _version(model.version.document, 2, model.version.author, 20, VersionState.DRAFT)
    rehearsed, rescored = in_turn(
        lambda: simulate(draft, start + dt.timedelta(days=next(day))),
        lambda: store(model, as_of=start + dt.timedelta(days=next(day))),
        rounds=3,
    )
    to_limit, goal = rehearsed.worked / rescored.worked, f"works under {REHEARSAL:.0f} times a full rescore"
    more = {"worked_to_limit": round(to_limit, 3)}
    met = to_limit < REHEARSAL
    yield Result("scoring rehearsal", rows, rehearsed.seconds, rescored.seconds, None, goal, met, more)


def _prepared(rows: int, start: dt.datetime) -> Model:
    with connection.cursor() as cursor:
        cursor.execute(_LEADS, [rows])
        cursor.execute(_TOUCHES, [start, TOUCHES])
        cursor.execute("DELETE FROM leads_scorequeue")
    author = User.objects.create(email="bench-scoring@example.com", full_name="Bench")
    document = RuleDocument.objects.create(key=DOCUMENT, kind=KIND, title="Bench", owner=author)
    model = read_model(_version(document, 1, author, 0, VersionState.ACTIVE))
    measures.ensure_measures(model.kept, ref=start.timestamp())
    with connection.cursor() as cursor:
        local = "LOCAL " if connection.in_atomic_block else ""
        cursor.execute(f"SET {local}jit = off")  # a word or none
        cursor.execute(f"SET {local}max_parallel_workers_per_gather = 0")
        cursor.execute("ANALYZE leads_lead, leads_touchpoint, leads_accumulator, leads_touchday")
    return model


def _version(document: RuleDocument, number: int, author: User, more: int, state: VersionState) -> RuleVersion:
    body = BODY.start()
    for each in body["rules"]:
        if each["outcome"].get("touch") in ("visit", "email", "download", "webinar"):
            each["outcome"] |= {"decay": HALF_LIFE, "days": 30}
        if each["outcome"]["criterion"] == "Job title":
            each["outcome"]["cap"] += more
    given: dict[str, Any] = {"state": state, "activated_at": clock.now(), "activated_by": author}
    with transition(RuleVersion):
        return RuleVersion.objects.create(
            document=document, number=number, author=author, body=body, simulated_digest=digest_of(body), **given
        )


def _bare(model: Model) -> None:
    """Read scores and sums, and write every score with its factors once more."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(s.raw), sum(a.at) FROM leads_leadscore s JOIN leads_accumulator a USING (lead_id) "
            "JOIN leads_lead l ON l.id = s.lead_id"
        )
        cursor.execute(
            "UPDATE leads_leadscore t SET as_of = as_of + interval '1 day', raw = raw + 1e-6, score = score + 1e-6, "
            "final = final, fit = fit, is_ready = is_ready, is_hand_raised = is_hand_raised, "
            "factors = factors || ARRAY[]::float8[] WHERE version_id = %s",
            [model.version.pk],
        )


def _given(each: Points, values: Any, touches: list[Touchpoint], model: Model, now: dt.datetime) -> float:
    if not matches(each.rule.tree, values, model.catalog, as_of=now):
        return 0.0
    if each.touch is None:
        return each.points
    mine = [(now - touch.occurred_at).total_seconds() for touch in touches if touch.type == each.touch]
    return each.points * sum(2 ** (-age / (each.days * 86_400)) if each.days else 1 for age in mine)


def _usual(model: Model) -> Taken:
    """Return how long a sample takes the way scores are usually made: history, rules in Python, save."""

    asked = set().union(*(fields_used(each.rule.tree) for each in model.rules))

    def loop() -> None:
        now = clock.now()
        for lead in Lead.objects.select_related("account").order_by("pk")[:SAMPLE]:
            raw = 0.0
            values = values_of(model.catalog, Lead.objects.filter(pk=lead.pk), asked)[lead.pk]
            touches = list(Touchpoint.objects.filter(lead=lead, is_machine=False))
            for rules in model.criteria.values():
                given = sum(_given(each, values, touches, model, now) for each in rules)
                raw += min(given, rules[0].cap)
            score = LeadScore.objects.get(lead=lead)
            score.raw = raw
            score.save()

    (taken,) = in_turn(loop, rounds=3)
    return taken
