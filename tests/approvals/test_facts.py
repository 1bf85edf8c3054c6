"""The decision table asks by predicates of the rules kit; what was approved in the earlier form goes on deciding."""

import datetime as dt

import pytest

from apps.approvals.domain.definition import Row, definition_of, read_definition
from apps.approvals.domain.facts import asked, condition_words, facts_catalog, facts_of, understood
from apps.approvals.domain.routing import route_of, route_of_facts
from apps.approvals.domain.trying import how_many_fit
from apps.approvals.models import ApprovalRequest
from apps.core.errors import InvalidInput, WrongState
from apps.core.rules.predicates import Boolean, Catalog, Choice, Date, Field, Number, Text
from tests.factories.accounts import Role, person_with
from tests.factories.approvals import policy_with, stage
from tests.factories.campaigns import CampaignFactory, sent
from tests.factories.processes import ProcessFactory, draft

NOW = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
KIND = "campaigns.campaign"
CATALOG = Catalog(
    (
        Field("budget", "Budget", Number()),
        Field("channel", "Channel", Choice([("email", "E-mail"), ("social", "Social"), ("print", "Print")])),
        Field("risk", "Risk", Text()),
        Field("tags", "Tags", Text()),
        Field("note", "Note", Text()),
        Field("live", "Live", Boolean()),
        Field("starts", "Starts", Date()),
    )
)
FACTS = {"budget": "12000", "channel": "email", "risk": "High", "tags": ["eu", "gdpr"], "live": True}
FACTS |= {"note": "", "starts": "2026-04-01"}


def leaf(field, op, *value):
    return {"field": field, "op": op, **({"value": value[0]} if value else {})}


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ((), True),
        ((leaf("budget", "gte", "10000"),), True),
        ((leaf("budget", "gte", "12 000.00"),), True),
        ((leaf("budget", "gt", 12000),), False),
        ((leaf("channel", "in", ["Email", "social"]),), True),
        ((leaf("channel", "not_in", ["print"]),), True),
        ((leaf("channel", "contains", "soc"),), False),
        ((leaf("channel", "is", "email"),), None),
        ((leaf("risk", "eq", "high"),), True),
        ((leaf("risk", "ne", "low"),), True),
        ((leaf("tags", "contains", "gdpr"),), True),
        ((leaf("note", "empty"),), True),
        ((leaf("note", "not_empty"),), False),
        ((leaf("live", "eq", "yes"),), True),
        ((leaf("starts", "gt", "2026-03-31"),), True),
        ((leaf("budget", "gte", "10000"), leaf("channel", "eq", "print")), False),
        ((leaf("missing", "gt", "3"),), None),
    ],
)
def test_conditions_of_both_forms(condition, holds):
    when = {"all": list(condition)}
    if holds is None:
        with pytest.raises(InvalidInput):
            asked(when, FACTS, CATALOG, as_of=NOW)
    else:
        assert asked(when, FACTS, CATALOG, as_of=NOW).matched is holds


def test_groups_and_negations_are_read_too():
    when = {"any": [leaf("budget", "gt", 50000), {"not": {"all": [leaf("live", "eq", "no")]}}]}
    assert asked(when, FACTS, CATALOG, as_of=NOW).matched
    assert understood(when, CATALOG)["any"][1]["not"]["all"][0]["value"] is False


def test_the_reason_names_what_was_found():
    outcome = asked({"all": [leaf("budget", "gte", "20000")]}, FACTS, CATALOG, as_of=NOW)
    assert outcome.why == "Budget is at least 20,000 (it is 12,000) ✗"


def test_words_of_a_condition():
    assert condition_words({"all": [leaf("budget", "gte", "20000")]}, CATALOG) == "Budget is at least 20,000"
    assert condition_words({"all": []}, CATALOG) == ""
    assert condition_words({"all": [leaf("gone", "eq", 1)]}, CATALOG) == "a condition that cannot be read as it is"


def test_a_fact_that_is_no_number_is_refused_in_words():
    with pytest.raises(InvalidInput, match="Budget: Give a number such as 1250"):
        asked({"all": [leaf("budget", "gt", 5)]}, {"budget": "a lot"}, CATALOG, as_of=NOW)


@pytest.mark.django_db
def test_campaigns_tell_their_columns_and_what_they_add():
    keys = {each.key for each in facts_catalog(KIND).fields}
    assert {"budget", "main_channel", "starts_on", "amount", "channel", "days", "requester", "round"} <= keys
    labels = {each.key: each.label for each in facts_catalog("processes.sopversion").fields}
    assert labels["is_material"].startswith("Material")
    assert "flow" not in labels
    assert "body" not in labels


@pytest.mark.django_db
def test_an_approved_version_of_the_earlier_form_goes_on_deciding_and_keeps_its_digest():
    author, _, _ = person_with(Role.OPS), person_with(Role.APPROVER), person_with(Role.EXECUTIVE)
    old = {"all": [{"field": "budget", "op": "gte", "value": "10 000"}]}
    rows = (Row("Large", old, (1, 2), "budget >= 10 000"), Row("Others", {"all": []}, (1,)))
    policy = policy_with(stage(1, Role.APPROVER), stage(2, Role.EXECUTIVE), kind=KIND, rows=rows)
    version = policy.active_version
    assert version.definition["rows"][0]["when"] == old
    assert read_definition(version.definition).digest == version.digest == definition_of(version).digest
    assert [each.stage.number for each in route_of(CampaignFactory(budget=12000), by=author).stages] == [1, 2]
    route = route_of_facts(KIND, {"budget": "9 999"}, by=author)
    assert (route.row.name, route.rows[0].outcome.why) == ("Others", "Budget is at least 10,000 (it is 9,999) ✗")


@pytest.mark.django_db
def test_a_row_that_asks_for_what_is_gone_sends_nothing_anywhere():
    author = person_with(Role.OPS)
    gone = {"all": [{"field": "custom.tier", "op": "eq", "value": "gold"}]}
    rows = (Row("Gold", gone, (1,)), Row("Others", {"all": []}, (1,)))
    policy_with(stage(1, Role.APPROVER), kind=KIND, rows=rows)
    with pytest.raises(WrongState, match="Row “Gold” of the decision table cannot be read any more: There"):
        sent(author=author)
    assert ApprovalRequest.objects.count() == 0


@pytest.mark.django_db
def test_the_round_is_a_fact():
    author = person_with(Role.OPS)
    campaign, _ = sent(author=author)
    assert facts_of(campaign, by=author)["round"] == 2


@pytest.mark.django_db
def test_a_condition_is_tried_on_earlier_requests():
    author = person_with(Role.OPS)
    catalog = facts_catalog(KIND)
    when = {"all": [{"field": "budget", "op": "gte", "value": 10000}]}
    assert how_many_fit(when, catalog, KIND, author) == "No request of this kind was sent yet."
    sent(author=author, budget=12000)
    sent(author=author, budget=500)
    assert how_many_fit(when, catalog, KIND, author) == "Fits 1 of the last 2 requests of this kind that you see."


@pytest.mark.django_db
def test_sop_versions_tell_their_process():
    author = person_with(Role.OPS)
    version = draft(ProcessFactory(criticality="high", family="lead"))
    facts = facts_of(version, by=author)
    assert (facts["criticality"], facts["family"], facts["round"]) == ("high", "lead", 1)
    keys = {each.key for each in facts_catalog("processes.sopversion").fields}
    assert {"family", "criticality", "classification", "steps"} <= keys
