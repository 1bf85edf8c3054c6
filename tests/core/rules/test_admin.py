"""The pages of rules: what they show, refuse, count and cost; who may do what."""

import json
import re

import pytest
from django.urls import reverse

from apps.accounts.enums import Role
from apps.core.rules.bodies import OutcomeField, RuleListBody
from apps.core.rules.domain.versions import start_draft, write_rules
from apps.core.rules.kinds import RuleKind, _kinds, register_kind
from apps.core.rules.models import RuleDocument, RuleVersion
from apps.core.rules.predicates import Choice, Number
from apps.leads.models import Lead
from tests.admin_pages import assert_same_queries, button_of, list_of, page_of, queries_of
from tests.factories.accounts import person_with
from tests.factories.leads import LeadFactory
from tests.factories.rules import SPAIN, active, draft, in_review, segment

pytestmark = pytest.mark.django_db
POOL = OutcomeField("pool", "Pool", Choice([("north", "North"), ("south", "South")]))
POINTS = OutcomeField("points", "Points", Number(whole=True), required=False)


def rule(name, field, op, value=None, pool="north", **more):
    asked = {"field": field, "op": op} | ({} if value is None else {"value": value})
    return {"name": name, "predicate": {"all": [asked]}, "outcome": {"pool": pool}, "enabled": True, **more}


LIST = {
    "rules": [
        rule("Iberia", "country", "in", ["Spain", "Portugal"]),
        rule("Spain", "country", "eq", "Spain", pool="south"),
        rule("Visited", "total_visits", "gte", 5, pool="south", enabled=False),
        {"name": "Everybody else", "predicate": {"all": []}, "outcome": {"pool": "south"}, "enabled": True},
    ]
}


@pytest.fixture
def ops(client):
    person = person_with(Role.OPS)
    client.force_login(person)
    return person


@pytest.fixture
def routing():
    """A kind whose rules are an ordered list, as routing will be."""
    kind = RuleKind(
        key="test.routing",
        title="Test routing",
        body=RuleListBody(Lead, (POOL, POINTS), first_wins=True),
        simulate=lambda version, as_of: {"facts": [["Rules", len(version.body["rules"])]]},
    )
    register_kind(kind)
    yield kind
    del _kinds["test.routing"]


def listed_rules(owner, body=LIST):
    document = RuleDocument.objects.create(key="routes", kind="test.routing", title="Routes", owner=owner)
    return write_rules(start_draft(document, by=owner), body, by=owner)


def form_of(version, **changes):
    given = {"body": json.dumps(version.body), "change_note": "", "effective_from": "", "review_on": ""}
    return given | {"opened_version": str(version.row_version), "change_reason": ""} | changes


def many(owner):
    for number in range(2):
        draft(segment(owner=person_with(Role.OPS), key=f"more-{number}", title=f"More {number}"), by=owner)


@pytest.mark.parametrize("model", [RuleDocument, RuleVersion])
def test_lists_cost_the_same_at_one_and_three_rows(client, ops, model):
    draft(segment(owner=ops), by=ops)
    assert assert_same_queries(client, list_of(model), lambda: many(ops)) <= 20


def test_a_segment_is_written_on_the_page(client, ops):
    client.post(
        list_of(RuleDocument) + "add/",
        {"title": "Spain", "key": "spain", "kind": "leads.segment", "description": "", "owner": ops.pk},
    )
    document = RuleDocument.objects.get()
    client.post(button_of(document, "draft"))
    version = document.versions.get()
    page = client.get(page_of(version)).content.decode()
    assert "data-rules-editor" in page
    assert "Lifecycle stage" in page
    client.post(page_of(version), form_of(version, body=json.dumps(SPAIN), _continue="1"))
    version.refresh_from_db()
    assert version.words == "Country is “Spain”"
    answer = client.post(button_of(version, "simulate"), follow=True).content.decode()
    assert "Leads in the segment" in answer


def test_mistakes_stand_at_their_place_and_nothing_is_lost(client, ops):
    version = draft(segment(owner=ops), by=ops)
    wrong = {"predicate": {"all": [{"field": "total_visits", "op": "gte", "value": "many"}]}}
    answer = client.post(page_of(version), form_of(version, body=json.dumps(wrong))).content.decode()
    assert "Visits: Give a number such as 1250 or 99.5. (at predicate/all/0/value)" in answer
    assert '"at": "predicate/all/0/value"' in answer
    assert "many" in answer
    answer = client.post(page_of(version), form_of(version, body="{")).content.decode()
    assert "The rules are no valid JSON; undo the last change of the text." in answer
    version.refresh_from_db()
    assert version.body == SPAIN


@pytest.mark.parametrize(
    "text",
    [
        "[" * 50_000,
        '{"predicate":' + '{"not":' * 900 + "1" + "}" * 901,
        '{"predicate": {"field": "total_visits", "op": "gte", "value": ' + "9" * 5_000 + "}}",
        '{"predicate": {"field": "total_visits", "op": "gte", "value": NaN}}',
        '{"predicate": {"field": ["x"], "op": {"a": 1}, "value": {}}}',
        '{"predicate": {"field": "country", "op": "eq", "value": "\\ud800"}}',
        '{"predicate": {"field": "country", "op": "forged", "value": "x"}}',
        '{"predicate": {"field": "password", "op": "eq", "value": "x"}}',
        '{"predicate": null, "more": 1}',
        "null",
        "",
    ],
)
def test_bodies_written_by_hand_are_refused_beside_the_field(client, ops, text):
    version = draft(segment(owner=ops), by=ops)
    answer = client.post(page_of(version), form_of(version, body=text))
    assert answer.status_code == 200
    assert "errornote" in answer.content.decode() or "Please correct" in answer.content.decode()
    told = client.post(reverse("admin:rules_ruleversion_preview", args=(version.pk,)), {"body": text, "rule": "9" * 99})
    assert told.status_code == 200
    version.refresh_from_db()
    assert version.body == SPAIN


def test_lists_written_by_hand_are_refused_beside_the_field(client, ops, routing):
    version, (first, *_) = listed_rules(ops), LIST["rules"]
    for wrong in (
        {**first, "key": ["x"], "name": "\ud800"},
        {**first, "reason": "\ud800"},
        {**first, "outcome": {"pool": {"a": 1}}},
        {**first, "outcome": []},
        {**first, "enabled": "yes"},
        {**first, "forged": 1},
        5,
    ):
        answer = client.post(page_of(version), form_of(version, body=json.dumps({"rules": [wrong]})))
        assert (answer.status_code, "Please correct" in answer.content.decode()) == (200, True)
    version.refresh_from_db()
    assert [each["name"] for each in version.body["rules"]] == [each["name"] for each in LIST["rules"]]


def test_a_document_starts_with_who_adds_it_and_an_empty_draft_says_once_what_it_lacks(client, ops):
    form = client.get(reverse("admin:rules_ruledocument_add")).context["adminform"].form
    assert form.initial["owner"] == ops.pk
    page = client.get(page_of(start_draft(segment(owner=ops), by=ops))).content.decode()
    panel = page.split('aria-label="The rules in words"')[1].split("</section>")[0]
    assert panel.count("Every record fits this rule") == 1


def test_what_is_in_review_is_read_only(client, ops):
    version = in_review(segment(owner=ops), by=ops)
    page = client.get(page_of(version)).content.decode()
    assert "data-rules-editor" not in page
    assert "Country is “Spain”" in page
    client.post(page_of(version), form_of(version, body=json.dumps({"predicate": {"all": []}})))
    version.refresh_from_db()
    assert version.body == SPAIN


def preview(client, version, body, **more):
    address = reverse("admin:rules_ruleversion_preview", args=(version.pk,))
    return client.post(address, {"body": json.dumps(body), **more})


def test_preview_counts_what_the_person_sees(client, ops):
    LeadFactory(country="Spain"), LeadFactory(country="Italy")
    version = draft(segment(owner=ops), by=ops)
    said = preview(client, version, SPAIN).json()
    assert re.fullmatch(r"Finding them costs \d+\.\d × reading all leads once\.", said.pop("cost"))
    assert said == {
        "words": "Country is “Spain”",
        "live": "1 of 2 leads that you see.",
        "findings": [],
        "problems": [],
    }
    said = preview(client, version, {"predicate": {"all": [{"field": ""}]}}).json()
    assert said["live"] == "Choose a field."
    assert said["problems"] == [{"at": "predicate/all/0/field", "sentence": "Choose a field."}]
    assert preview(client, version, SPAIN).status_code == 200


def test_preview_is_for_those_who_may_change(client, ops):
    version = draft(segment(owner=ops), by=ops)
    for role, status in ((Role.AUDITOR, 403), (Role.APPROVER, 403), (Role.SALES, 403)):
        client.force_login(person_with(role))
        assert preview(client, version, SPAIN).status_code == status
    assert client.get(reverse("admin:rules_ruleversion_preview", args=(version.pk,))).status_code in (403, 405)


def test_a_slow_count_becomes_an_estimate(ops):
    from django.db.models import Func, IntegerField, Value
    from django.db.models.functions import Cast

    from apps.core import clock
    from apps.core.rules.domain.counting import count_matching
    from apps.core.rules.predicates import Catalog, Field, catalog_of

    LeadFactory()
    slow = Func(Value(1), function="pg_sleep", template="(SELECT length(%(function)s(%(expressions)s)::text))")
    fields = (Field("slow", "Slow", Number(), Cast(slow, IntegerField())),)
    catalog = Catalog(fields=fields, model=catalog_of(Lead).model)
    asked = {"field": "slow", "op": "gte", "value": 1}
    counted = count_matching(asked, catalog, user=ops, as_of=clock.now(), patience=50)
    assert not counted.exact
    assert counted.sentence.startswith("About ")
    assert Lead.objects.count() == 1  # the transaction goes on


def test_a_list_says_which_rule_decides_and_which_never_matters(client, ops, routing):
    lead = LeadFactory(country="Spain", total_visits=9)
    version = listed_rules(ops)
    assert [each["key"] for each in version.body["rules"]] == ["rule-1", "rule-2", "rule-3", "rule-4"]
    page = client.get(page_of(version)).content.decode()
    dead = "Rule 2, Spain, never gets its turn: whatever fits it also fits rule 1, Iberia, which comes first."
    assert dead in page
    address = reverse("admin:rules_ruleversion_try", args=(version.pk,))
    assert str(lead) in client.get(address, {"q": lead.email}).content.decode()
    page = client.get(address, {"record": lead.pk}).content.decode()
    assert "decides: Pool North" in page
    assert "Not asked: rule 1 has decided." in page
    other = LeadFactory(country="Italy")
    page = client.get(address, {"record": other.pk}).content.decode()
    assert "Country is one of “Spain” or “Portugal” (it is “Italy”) ✗" in page
    assert "Switched off." in page
    assert "decides: Pool South" in page
    said = preview(client, version, version.body, rule="0").json()
    assert said["live"] == "Rule 1 alone fits 1 of 2 leads that you see."
    assert said["findings"] == [dead]


def test_rules_of_a_list_are_refused_at_their_place(client, ops, routing):
    version = listed_rules(ops)
    wrong = {"rules": [{**LIST["rules"][0], "name": " ", "outcome": {"points": "x"}}]}
    said = preview(client, version, wrong).json()
    assert said["problems"] == [
        {"at": "rules/0/name", "sentence": "Give the rule a name of at most 150 characters."},
        {"at": "rules/0/outcome/pool", "sentence": "Pool is missing."},
        {"at": "rules/0/outcome/points", "sentence": "Points: Give a number such as 1250 or 99.5."},
    ]
    assert preview(client, version, {"rules": []}).json()["live"] == "There is no rule yet; add the first one."


def test_lists_are_compared_rule_by_rule(ops, routing):
    from apps.core.rules.domain.comparing import compare_lines

    shape, old = routing.body, listed_rules(ops).body
    assert shape.lines(old)[-1].text.startswith("always: ")
    rules = [{**each} for each in old["rules"]]
    changed = {**rules[1], "outcome": {"pool": "north"}}
    new = {"rules": [rules[3], rules[0], changed, {**rules[2], "key": "rule-9", "name": "New"}]}
    found = compare_lines(shape.lines(old), shape.lines(new))
    assert [(each.what, each.title) for each in found] == [
        ("moved", "1. Everybody else"),
        ("changed", "3. Spain"),
        ("added", "4. New"),
        ("removed", "3. Visited"),
    ]


def test_a_try_shows_only_records_one_sees(client, ops):
    lead = LeadFactory(country="Spain")
    version = active(segment(owner=ops), by=ops)
    address = reverse("admin:rules_ruleversion_try", args=(version.pk,))
    assert "Country is “Spain”" in client.get(address, {"record": lead.pk}).content.decode()
    client.force_login(person_with(Role.APPROVER))  # may see rules, but no leads
    page = client.get(address, {"record": lead.pk}).content.decode()
    assert "You may not see any leads." in page
    assert str(lead) not in page
    assert str(lead) not in client.get(page_of(version)).content.decode()
    client.force_login(person_with(Role.SALES))
    assert client.get(address).status_code == 403


def test_a_segment_in_use_is_a_filter_on_leads_within_what_one_sees(client, ops):
    LeadFactory(country="Spain", name="Inside One"), LeadFactory(country="Italy", name="Outside One")
    version = active(segment(owner=ops), by=ops)
    assert "?segment=spain" in client.get(page_of(version)).content.decode()
    page = client.get(list_of(Lead), {"segment": "spain"}).content.decode()
    assert "Inside One" in page
    assert "Outside One" not in page
    assert queries_of(client, list_of(Lead) + "?segment=spain") <= 25
    client.force_login(person_with(Role.SALES))  # sees their own leads only
    assert "Inside One" not in client.get(list_of(Lead), {"segment": "spain"}).content.decode()


def test_auditor_reads_and_writes_nothing(client, ops):
    version = draft(segment(owner=ops), by=ops)
    client.force_login(person_with(Role.AUDITOR))
    page = client.get(page_of(version)).content.decode()
    assert "Country is “Spain”" in page
    for name in ("simulate", "send", "activate", "retire", "again", "reviewed"):
        client.post(button_of(version, name), {"reason": "x", "next_review": "2027-01-01"})
    version.refresh_from_db()
    assert version.state == "draft"
    assert RuleVersion.objects.count() == 1


def test_a_page_of_a_version_stays_cheap(client, ops):
    version = active(segment(owner=ops), by=ops)
    assert queries_of(client, page_of(version)) <= 45
