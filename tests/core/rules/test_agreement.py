"""SQL and memory agree on any predicate and any row, empty values included; reasoning claims nothing false."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.accounts.enums import Role
from apps.core.records import kind_of
from apps.core.rules.predicates import (
    always_holds,
    can_hold,
    compile_q,
    compile_sql,
    fields_used,
    implies,
    in_words,
    matches,
    readable,
    values_of,
)
from apps.core.workspace.domain.custom_values import set_custom_values
from apps.core.workspace.domain.journal import add_note
from apps.core.workspace.models import JournalNote, TaggedRecord
from apps.leads.enums import Stage
from apps.leads.models import Lead
from tests.core.rules.conftest import AS_OF, leads_with_notes
from tests.factories.accounts import person_with
from tests.factories.leads import LeadFactory
from tests.factories.workspace import CustomFieldFactory, TagFactory

TEXTS = ["Spain", "spain", "SPAIN ", "ÉIRE", "éire", "İzmir", "ΟΔΟΣ", "50%_x", "a\\b", "spa", "x"]
PATTERNS = ["eq", "ne", "contains", "not_contains", "starts_with", "ends_with"]
RELATIVE = ["last_days", "older_days", "next_days", "later_days"]
COUNTS = ["gte", "gt", "eq", "lte", "lt"]
TAGGED = ["has_any", "has_all", "has_none"]
NUMBERS = [0, 1, 5, 5.5, "6", 7, -3, 100000000000]
DAYS = [1, 2, 30, 400]
MOMENTS = ["2026-11-22", "2026-11-21", "2026-11-22T11:30", "2026-11-20T00:00", "2025-03-30"]


def rows(by):
    texts = ["", "Spain", "spain", "ÉIRE", "İzmir", "οδοσ", "50%_X", "A\\B", "x"]
    for number in range(18):
        lead = LeadFactory(
            country=texts[number % len(texts)],
            company=texts[(number * 5 + 1) % len(texts)],
            stage=[Stage.MQL, Stage.KNOWN_LEAD, Stage.CUSTOMER][number % 3],
            email=None if number % 4 == 0 else f"spa{number}@example.com",
            total_visits=[None, 0, 5, 6, 7][number % 5],
            converted=[None, True, False][(number // 2) % 3],
            owner_person=by if number % 3 == 1 else None,
        )
        Lead.objects.filter(pk=lead.pk).update(
            created_at=AS_OF - dt.timedelta(days=number - 2, minutes=number % 2 * 630)
        )
        given = [{}, {"budget": "5.5"}, {"budget": "7", "since": "2026-11-22"}, {"since": "2026-10-01", "vip": True}]
        if given[number % 4]:
            set_custom_values(lead, given[number % 4], by=by)
        for each in range(number % 4):
            add_note(lead, TEXTS[each], by=by)
    return Lead.objects.all()


def leaf(field, op, value=None):
    found = {"field": field, "op": op}
    return found if value is None else {**found, "value": value}


def text_leaves(field):
    one = st.sampled_from(TEXTS)
    return st.one_of(
        st.builds(
            leaf,
            st.just(field),
            st.sampled_from(["eq", "ne", "contains", "not_contains", "starts_with", "ends_with"]),
            one,
        ),
        st.builds(leaf, st.just(field), st.sampled_from(["in", "not_in"]), st.lists(one, min_size=1, max_size=3)),
        st.builds(leaf, st.just(field), st.sampled_from(["empty", "filled"])),
    )


def number_leaves(field):
    one = st.sampled_from(NUMBERS)
    pair = st.tuples(one, one).map(lambda two: sorted(two, key=lambda each: Decimal(str(each))))
    return st.one_of(
        st.builds(leaf, st.just(field), st.sampled_from(["eq", "ne", "gt", "gte", "lt", "lte"]), one),
        st.builds(leaf, st.just(field), st.just("between"), pair),
        st.builds(leaf, st.just(field), st.sampled_from(["empty", "filled"])),
    )


def date_leaves(field, values):
    one = st.sampled_from(values)
    return st.one_of(
        st.builds(leaf, st.just(field), st.sampled_from(["eq", "ne", "gt", "gte", "lt", "lte"]), one),
        st.builds(leaf, st.just(field), st.just("between"), st.tuples(one, one).map(sorted)),
        st.builds(
            leaf,
            st.just(field),
            st.sampled_from(["last_days", "older_days", "next_days", "later_days"]),
            st.sampled_from(DAYS),
        ),
        st.builds(leaf, st.just(field), st.sampled_from(["empty", "filled"])),
    )


def predicates(person, tags):
    stage = st.builds(leaf, st.just("stage"), st.sampled_from(["eq", "ne"]), st.sampled_from(["mql", "customer"]))
    stages = st.builds(leaf, st.just("stage"), st.sampled_from(["in", "not_in"]), st.just(["mql", "known_lead"]))
    boolean = st.builds(leaf, st.sampled_from(["converted", "custom.vip"]), st.just("eq"), st.booleans())
    owner = st.builds(leaf, st.just("owner_person"), st.sampled_from(["eq", "ne", "empty", "filled"]), st.just(person))
    tagged = st.builds(
        leaf,
        st.just("tags"),
        st.sampled_from(TAGGED),
        st.lists(st.sampled_from(tags), min_size=1),
    )
    within = st.sampled_from([{}, {"within": {"days": 1}}])
    where = st.one_of(st.just({}), text_leaves("text").map(lambda each: {"where": each}))
    count = st.builds(lambda op, n: {"count": {op: n}}, st.sampled_from(COUNTS), st.integers(0, 3))
    has = st.builds(lambda *parts: {"has": "notes"} | {k: v for p in parts for k, v in p.items()}, within, where, count)
    leaves = st.one_of(
        text_leaves("country"),
        text_leaves("email"),
        number_leaves("total_visits"),
        number_leaves("custom.budget"),
        date_leaves("created_at", MOMENTS),
        date_leaves("custom.since", ["2026-11-22", "2026-10-01"]),
        stage,
        stages,
        boolean,
        owner,
        tagged,
        has,
    )
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.builds(lambda parts: {"all": parts}, st.lists(inner, max_size=3)),
            st.builds(lambda parts: {"any": parts}, st.lists(inner, min_size=1, max_size=3)),
            st.builds(lambda part: {"not": part}, inner),
        ),
        max_leaves=8,
    )


@pytest.mark.django_db
def test_sql_and_memory_agree_and_reasoning_claims_nothing_false(proof):
    by = person_with(Role.OPS)
    for label, kind in (("Budget", "number"), ("Since", "date"), ("VIP", "boolean")):
        CustomFieldFactory(content_type=kind_of(Lead), label=label, key=label.lower(), type=kind)
    tags = [TagFactory(name=name).pk for name in ("Hot", "Cold")]
    leads = rows(by)
    for number, lead in enumerate(leads):
        for tag in tags[: number % 3]:
            TaggedRecord.objects.create(content_type=kind_of(Lead), object_id=lead.pk, tag_id=tag)
    catalog = leads_with_notes()
    now = JournalNote.objects.order_by("-created_at").first().created_at
    everything = values_of(catalog, leads)
    assert len(everything) == 18
    before = []

    @settings(max_examples=1500 if proof else 150, deadline=None, suppress_health_check=list(HealthCheck))
    @given(predicate=predicates(by.pk, tags), as_of=st.sampled_from([AS_OF, now, AS_OF - dt.timedelta(days=1)]))
    def check(predicate, as_of):
        tree = readable(predicate, catalog)
        by_memory = {pk for pk, values in everything.items() if matches(tree, values, catalog, as_of=as_of)}
        assert {each.pk for each in leads.filter(compile_q(tree, catalog, as_of=as_of))} == by_memory
        text, parameters = compile_sql(tree, catalog, as_of=as_of, alias="who")
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT id FROM leads_lead AS who WHERE {text}", parameters)
            assert {pk for (pk,) in cursor.fetchall()} == by_memory
        outcome = matches(tree, next(iter(everything.values())), catalog, as_of=as_of)
        assert all(outcome.why.count(each.sentence) for each in outcome.deciding)
        assert in_words(tree, catalog)
        assert fields_used(tree) <= {each.key for each in catalog.fields} | {"notes"}
        if by_memory:
            assert can_hold(tree), predicate
        if always_holds(tree):
            assert by_memory == set(everything), predicate
        for other, found, moment in before[-5:]:
            if moment == as_of and implies(tree, other):
                assert by_memory <= found, (predicate, other)
        before.append((tree, by_memory, as_of))

    check()
