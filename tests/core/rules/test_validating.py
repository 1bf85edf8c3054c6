"""What a predicate is refused for, in which words and at which place; what it says and explains."""

import datetime as dt
import re

import pytest
from django.db import connection

from apps.approvals.admin.decision_table import FactsBody
from apps.core.errors import InvalidInput
from apps.core.rules.bodies import PredicateBody, RuleListBody
from apps.core.rules.predicates import (
    Boolean,
    Catalog,
    Choice,
    Date,
    DateTime,
    Field,
    Money,
    Number,
    Text,
    can_hold,
    catalog_of,
    compile_q,
    compile_sql,
    implies,
    in_words,
    matches,
    readable,
    slips,
    validate,
)
from apps.leads.models import Lead
from tests.core.rules.conftest import AS_OF

PLAIN = Catalog(
    fields=(
        Field("budget", "Budget", Money("EUR")),
        Field("visits", "Visits", Number(whole=True), nullable=False),
        Field("country", "Country", Text()),
        Field("due", "Due date", Date()),
        Field("seen", "Last seen", DateTime()),
        Field("stage", "Stage", Choice([("new", "New"), ("mql", "Qualified"), ("won", "Won")]), nullable=False),
        Field("vip", "VIP", Boolean()),
    )
)


def ask(field, op, value=None):
    return {"field": field, "op": op} | ({} if value is None else {"value": value})


def both(*parts):
    return {"all": list(parts)}


def either(*parts):
    return {"any": list(parts)}


def deep(levels):
    return ask("vip", "eq", value=True) if levels == 0 else {"not": deep(levels - 1)}


REFUSED = [
    (None, "", "A condition is missing here."),
    ("text", "", "A condition is missing here."),
    ({"all": {}}, "all", "A group is a list of conditions."),
    ({"any": []}, "", "“Any of” nothing never holds; add a condition."),
    ({"all": [], "any": []}, "", "A condition is a group (all, any, not), a field or a count of rows."),
    ({"field": "vip", "op": "eq", "value": True, "x": 1}, "", "“x” does not belong into a condition."),
    (both(ask("gone", "eq", 1)), "all/0/field", "There is no field “gone” here (any more); choose another."),
    (both(ask("", "eq", 1)), "all/0/field", "Choose a field."),
    (ask("budget", ""), "op", "Choose how to compare Budget."),
    (
        ask("vip", "gte", 1),
        "op",
        "VIP knows: is, is not known, is known.",
    ),
    (ask("budget", "gte", "x"), "value", "Budget: Give a number such as 1250 or 99.5."),
    (ask("budget", "gte", float("nan")), "value", "Budget: Give a number such as 1250 or 99.5."),
    (ask("budget", "gte", True), "value", "Budget: Give a number such as 1250 or 99.5."),
    (ask("budget", "gte", 10**30), "value", "Budget: The number has too many digits; 20 fit."),
    (ask("budget", "gte"), "value", "Say what Budget is compared with."),
    (ask("budget", "between", [1]), "value", "Budget: Give two values, from and to."),
    (
        ask("budget", "between", [5, 1]),
        "value",
        "Budget: From 5.00 EUR to 1.00 EUR is nothing; exchange the two.",
    ),
    (ask("country", "eq", 7), "value", "Country: Give a text."),
    (ask("country", "eq", "  "), "value", "Country: Give a text; to ask for a missing one, use “is empty”."),
    (ask("country", "eq", "a\x00"), "value", "Country: The text holds a character that no text holds; type it again."),
    (ask("country", "eq", "a" * 501), "value", "Country: The text is too long; 500 characters fit."),
    (ask("country", "in", "Spain"), "value", "Country: Give at least one value."),
    (ask("country", "in", ["a"] * 501), "value", "Country: 501 values are too many; 500 fit."),
    (ask("stage", "eq", "lost"), "value", "Stage: “lost” is no choice here; choose New, Qualified or Won."),
    (ask("vip", "eq", "yes"), "value", "VIP: Choose yes or no."),
    (ask("due", "eq", "tomorrow"), "value", "Due date: Give a date such as 2026-03-31."),
    (ask("due", "eq", "1850-01-01"), "value", "Due date: The date must lie between 1900 and 2199."),
    (ask("due", "last_days", 0.5), "value", "Due date: Give a whole number of days, 1 to 36,500."),
    (ask("seen", "eq", "2026-01-01Tx"), "value", "Last seen: Give a moment such as 2026-03-31T14:30."),
    ({"has": "touchpoints"}, "has", "There is nothing called “touchpoints” to count here."),
    (deep(9), "not/not/not/not/not/not/not/not", "Groups are nested too deep; 8 levels fit."),
    (both(*[ask("vip", "eq", value=True)] * 201), "all/200", "The rule has too many conditions; 200 fit."),
    (ask("country", "in", ["a" * 400 + str(n) for n in range(200)]), "", "The rule is too large; 64 kB fit."),
    ({1, 2}, "", "This is no condition: only texts, numbers, lists and yes or no fit in."),
    ({"all": []}, "", "Every record fits this rule, so it selects nothing: add a condition that some fail."),
]


@pytest.mark.parametrize(("predicate", "pointer", "sentence"), REFUSED)
@pytest.mark.django_db
def test_predicate_is_refused_at_its_place(predicate, pointer, sentence):
    problems = validate(predicate, PLAIN)
    assert [(each.pointer, each.sentence) for each in problems] == [(pointer, sentence)]


def test_all_problems_are_named_at_once():
    problems = validate(both(ask("gone", "eq", 1), ask("budget", "gte", "x")), PLAIN)
    assert [each.pointer for each in problems] == ["all/0/field", "all/1/value"]


SPAIN, ITALY = ask("country", "eq", "Spain"), ask("country", "eq", "Italy")
CONTRADICTIONS = [
    both(ask("budget", "gt", 5), ask("budget", "lt", 3)),
    both(ask("visits", "gt", 5), ask("visits", "lt", 6)),
    both(ask("due", "gt", "2026-01-01"), ask("due", "lt", "2026-01-02")),
    both(SPAIN, {"not": SPAIN}),
    both(SPAIN, ITALY),
    both(SPAIN, ask("country", "ne", "SPAIN")),
    both(ask("country", "in", ["Spain", "Italy"]), ask("country", "contains", "x")),
    both(ask("country", "starts_with", "a"), ask("country", "starts_with", "b")),
    both(ask("country", "starts_with", "abc"), ask("country", "not_contains", "b")),
    both(SPAIN, ask("country", "empty")),
    both(ask("budget", "gte", 1), ask("budget", "empty")),
    ask("visits", "empty"),
    both(*(ask("stage", "ne", each) for each in ("new", "mql", "won"))),
    both(ask("vip", "eq", value=True), ask("vip", "eq", value=False)),
    both(ask("seen", "last_days", 3), ask("seen", "older_days", 5)),
    both(either(SPAIN, ITALY), ask("country", "eq", "France")),
    ask("visits", "eq", 5.5),
]


@pytest.mark.parametrize("predicate", CONTRADICTIONS)
def test_contradiction_is_refused(predicate):
    (problem,) = validate(predicate, PLAIN)
    assert problem.code == "contradiction"
    assert problem.sentence.startswith("This contradicts itself, no record can fit it: ")


def test_only_the_part_that_contradicts_itself_is_to_blame():
    problems = validate(either(ITALY, both(SPAIN, ask("country", "empty"))), PLAIN)
    assert [each.pointer for each in problems] == ["any/1"]


EVERYTHING = [
    {"all": []},
    either(SPAIN, {"not": SPAIN}),
    either(ask("budget", "gte", 5), ask("budget", "lt", 9), ask("budget", "empty")),
    either(ask("visits", "gte", 5), ask("visits", "lt", 5)),
    ask("stage", "in", ["new", "mql", "won"]),
    ask("stage", "filled"),
    either(ask("seen", "last_days", 5), ask("seen", "ne", "2026-01-01"), ask("seen", "eq", "2026-01-01")),
]


@pytest.mark.parametrize("predicate", EVERYTHING)
def test_rule_that_every_record_fits_is_refused_unless_meant(predicate):
    assert [each.code for each in validate(predicate, PLAIN)] == ["everything"]
    assert validate(predicate, PLAIN, allow_everything=True) == []


FINE = [
    either(ask("budget", "gte", 5), ask("budget", "lt", 5)),  # without a budget neither holds
    both(ask("budget", "gt", 5), ask("budget", "lt", 6)),
    both(ask("seen", "gt", "2026-01-01"), ask("seen", "last_days", 3)),
    both(ask("country", "contains", "a"), ask("country", "not_contains", "b")),
    {"not": SPAIN},
]


@pytest.mark.parametrize("predicate", FINE)
def test_predicate_that_selects_something_passes(predicate):
    assert validate(predicate, PLAIN) == []


def test_implication_is_seen_and_not_claimed_wrongly():
    big, small = (readable(ask("budget", "gte", each), PLAIN) for each in (1000, 10))
    assert implies(big, small)
    assert not implies(small, big)
    assert can_hold(big, small)


def test_words_of_a_predicate():
    predicate = both(
        ask("budget", "between", [1000, 2500.5]),
        either(SPAIN, ask("country", "empty"), {"not": ask("stage", "in", ["new", "mql", "won"])}),
        ask("seen", "last_days", 30),
        ask("seen", "last_days", 1),
        ask("due", "older_days", 1),
        ask("seen", "gte", "2026-03-01T14:30"),
    )
    assert in_words(predicate, PLAIN) == (
        "Budget is between 1,000.00 EUR and 2,500.50 EUR and (Country is “Spain” or Country is empty or not (Stage is "
        "one of New, Qualified or Won)) and Last seen is in the last 30 days and Last seen is in the last day and "
        "Due date is more than 1 day ago and Last seen is on or after 1 March 2026, 14:30"
    )


def test_words_of_a_count(catalog):
    where = ask("kind", "eq", "warning")
    assert in_words({"has": "notes", "where": where, "count": {"gte": 2}, "within": {"days": 30}}, catalog) == (
        "has at least 2 journal notes in the last 30 days where Kind is Warning"
    )
    assert in_words({"has": "notes", "count": {"eq": 0}}, catalog) == "has no journal notes"
    assert in_words({"has": "notes"}, catalog) == "has any journal notes"


def test_count_is_refused_in_words(catalog):
    found = validate({"has": "notes", "count": {"gte": -1}, "within": {"days": 0}}, catalog)
    assert [each.sentence for each in found] == [
        "Give a number of rows, 0 to 1,000,000.",
        "Give a whole number of days, 1 to 36,500.",
    ]
    (problem,) = validate({"has": "notes", "count": {"lt": 0}}, catalog)
    assert problem.sentence == "This can never hold: has fewer than 0 journal notes."
    (inner,) = validate({"has": "notes", "where": ask("gone", "eq", 1)}, catalog)
    assert inner.pointer == "where/field"


def test_outcome_names_what_decided():
    predicate = both(ask("budget", "gte", 1000), either(SPAIN, ITALY), ask("vip", "ne", value=True) | {"op": "filled"})
    predicate["all"][2].pop("value")
    outcome = matches(predicate, {"budget": 1200, "country": "ITALY", "vip": False}, PLAIN, as_of=AS_OF)
    assert outcome.matched
    assert outcome.why == (
        "Budget is at least 1,000.00 EUR (it is 1,200.00 EUR) ✓; Country is “Italy” ✓; VIP is known (it is no) ✓"
    )
    outcome = matches(predicate, {"budget": 1200}, PLAIN, as_of=AS_OF)
    assert not outcome.matched
    assert outcome.why == "Country is “Spain” (it is empty) ✗; Country is “Italy” (it is empty) ✗; VIP is known ✗"


def test_a_predicate_that_is_wrong_is_never_run():
    with pytest.raises(InvalidInput, match="There is no field"):
        compile_q(ask("gone", "eq", 1), PLAIN, as_of=AS_OF)
    with pytest.raises(ValueError, match="aware moment"):
        compile_q(SPAIN, PLAIN, as_of=dt.datetime(2026, 1, 1))


@pytest.mark.parametrize(
    ("predicate", "index"),
    [
        (ask("stage", "eq", "mql"), "lead_by_stage"),
        (ask("stage", "in", ["mql", "sql"]), "lead_by_stage"),
        (ask("owner_person", "empty"), "lead_by_owner|leads_lead_owner_person_id"),
        (both(ask("stage", "eq", "mql"), ask("country", "ne", "Spain")), "lead_by_stage"),
    ],
)
@pytest.mark.django_db
def test_plans_use_the_index(predicate, index):
    catalog = catalog_of(Lead)
    text, parameters = compile_sql(predicate, catalog, as_of=AS_OF, alias="lead")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN SELECT id FROM leads_lead lead WHERE {text}", parameters)
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert re.search(index, plan)
    rows = Lead.objects.order_by().filter(compile_q(predicate, catalog, as_of=AS_OF))
    assert re.search(index, rows.explain())


FRACTIONS = [
    ("gte", 1.5, "Visits is a whole number; write “is at least 2”."),
    ("gt", 1.5, "Visits is a whole number; write “is more than 1”."),
    ("lte", "1.5", "Visits is a whole number; write “is at most 1”."),
    ("lt", 1.5, "Visits is a whole number; write “is less than 2”."),
    ("between", [0.5, 2.5], "Visits is a whole number; write “is between 1 and 2”."),
    ("ne", 1.5, "Visits is a whole number, which 1.5 is not."),
    ("gte", 2.0, ""),
    ("between", [1, 2], ""),
]


@pytest.mark.parametrize(("op", "value", "sentence"), FRACTIONS)
def test_a_fraction_of_whole_numbers_is_no_new_rule_and_one_in_force_goes_on(op, value, sentence):
    found = slips(both(ask("visits", op, value), SPAIN), PLAIN)
    assert [(each.pointer, each.sentence) for each in found] == ([("all/0/value", sentence)] if sentence else [])
    assert validate(both(ask("visits", op, value), SPAIN), PLAIN) == []
    assert slips(ask("budget", "gte", 1.5), PLAIN) == []


@pytest.mark.django_db
def test_a_fraction_is_refused_alike_in_conditions_lists_and_tables_of_policies():
    visits = {"all": [ask("total_visits", "gte", 1.5)]}
    sentence = "Visits is a whole number; write “is at least 2”."
    wrong = [("predicate/all/0/value", sentence)]
    assert told(PredicateBody(Lead).objections({"predicate": visits})) == wrong
    assert PredicateBody(Lead).problems({"predicate": visits}) == []
    listed = RuleListBody(Lead, (), first_wins=True)
    rules = {"rules": [{"name": "One", "predicate": visits, "outcome": {}}]}
    assert told(listed.objections(rules)) == [("rules/0/predicate/all/0/value", sentence)]
    assert listed.problems(rules) == []
    table = FactsBody(PLAIN)
    assert told(table.objections({"predicate": {"all": [ask("visits", "gte", 1.5)]}})) == wrong
    assert told(table.objections({})) == [("", "A condition is {“predicate”: a condition} and nothing else.")]


def told(problems):
    return [(each.pointer, each.sentence) for each in problems]
