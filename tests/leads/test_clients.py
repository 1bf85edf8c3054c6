"""Clients: derived from what was told of a day, judged by rules in force, with signs that open and close."""

import datetime as dt

import pytest

from apps.accounts.enums import Role
from apps.core import clock
from apps.core.rules.catalog import catalog_of
from apps.core.rules.models import RuleDocument
from apps.leads.client_rules import BODY, DOCUMENT, KIND
from apps.leads.domain.clients import facts_as_of, judge, judge_clients, simulate, stage_of
from apps.leads.enums import ClientStage
from apps.leads.models import ChurnSign, Client, Company, CompanySnapshot
from tests.factories.accounts import person_with
from tests.factories.rules import active

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


@pytest.fixture
def ops():
    return person_with(Role.OPS)


def told(company, ago, **facts):
    given = {"status": "active", "source": "billing", **facts}
    return CompanySnapshot.objects.create(company=company, taken_on=clock.today() - ago * DAY, **given)


def in_force(by):
    document = RuleDocument.objects.create(key=DOCUMENT, kind=KIND, title="Health", owner=by)
    return active(document, by=by, body=BODY.start())


def test_facts_are_the_newest_word_on_each_thing_as_of_a_day():
    able = Company.objects.create(name="Able", domain="able.example")
    told(able, 200, seats=100, active_users=80, monthly_value=900)
    told(able, 95, active_users=60, source="product")
    told(able, 5, active_users=30, source="product", plan="Team")
    today = clock.today()
    facts, evidence = facts_as_of(today)[able.pk]
    assert (facts["seats"], facts["active_users"], facts["seat_use"], facts["users_change"]) == (100, 30, 30.0, -50.0)
    assert facts["since"] == today - 200 * DAY
    assert evidence["seats"] == [str(today - 200 * DAY), "billing"]
    assert evidence["active_users"] == [str(today - 5 * DAY), "product"]
    before, _ = facts_as_of(today - 10 * DAY, [able.pk])[able.pk]
    assert (before["active_users"], before["plan"], before["users_change"]) == (60, "", -25.0)
    assert facts_as_of(today - 300 * DAY) == {}


def test_rules_that_fit_everybody_or_decide_nothing_are_refused_in_new_versions():
    rule = {"predicate": {"field": "plan", "op": "filled"}, "enabled": True, "reason": ""}
    rules = [
        {**rule, "name": "All", "predicate": {"all": []}, "outcome": {"points": -5}},
        {**rule, "name": "Nothing", "outcome": {"points": 0}},
        {**rule, "name": "Much", "outcome": {"points": -101}},
        {**rule, "name": "Sign", "outcome": {"points": 0, "sign": True}},
    ]
    body = BODY.tidy({"rules": rules, "settings": {"at_risk": 50}})
    assert BODY.problems(body, catalog_of(Client)) == []
    assert [each.sentence for each in BODY.objections(body, catalog_of(Client))] == [
        "“All” fits every client; give it a condition.",
        "“Nothing”: points go from -100 to 100; 0 is for a sign of leaving alone.",
        "“Much”: points go from -100 to 100; 0 is for a sign of leaving alone.",
    ]


def test_the_first_rules_are_right_and_judge_with_evidence(ops):
    assert BODY.objections(BODY.start(), catalog_of(Client)) == []
    version, today = in_force(ops), clock.today()
    able, bold, calm = (
        Company.objects.create(name=name, domain=f"{name}.example") for name in ("able", "bold", "calm")
    )
    for company, users in ((able, 30), (bold, 80), (calm, 80)):
        told(company, 120, seats=100, active_users=80, monthly_value=900)
        told(company, 1, active_users=users, status="cancelled" if company == calm else "active")
    judged = judge(today, version)
    assert [(judged[each.pk].stage, judged[each.pk].health) for each in (able, bold, calm)] == [
        (ClientStage.ESTABLISHED, 50.0),
        (ClientStage.ESTABLISHED, 100.0),
        (ClientStage.LEFT, 100.0),
    ]
    said = {each.name: each.why for each in judged[able.pk].findings}
    assert said["Uses it much less"] == "Change of active users is at most -25 % (it is -62.5 %)"
    assert "Most seats lie idle" in said


def test_signs_open_once_and_close_when_they_are_over(ops, client):
    in_force(ops)
    able = Company.objects.create(name="Able", domain="able.example")
    told(able, 120, seats=100, active_users=80)
    told(able, 1, active_users=20, status="past_due")
    first = judge_clients()
    assert (first["clients"], first["at_risk"]) == (1, 1)
    assert judge_clients()["signs_opened"] == 0
    row = Client.objects.get()
    assert (row.stage, row.health) == ("at_risk", 25.0)
    client.force_login(ops)
    shown = client.get("/admin/leads/client/").content.decode()
    assert "At risk" in shown
    page = client.get(f"/admin/leads/client/{able.pk}/change/").content.decode()
    for said in ("Pays late", "Let accounts call them.", "Signs of leaving over time", "Able"):
        assert said in page
    then = client.get(f"/admin/leads/client/{able.pk}/change/?day={clock.today() - 10 * DAY}").content.decode()
    assert "Pays late</th>" not in then
    assert "Nobody had told" in client.get(f"/admin/leads/client/{able.pk}/change/?day=2001-01-01").content.decode()
    told(able, 0, active_users=85)
    assert judge_clients()["signs_closed"] == first["signs_opened"]
    row.refresh_from_db()
    assert (row.stage, ChurnSign.objects.filter(closed_on=clock.today()).count()) == (
        "established",
        first["signs_opened"],
    )


def test_new_rules_are_simulated_on_all_clients(ops):
    version = in_force(ops)
    able = Company.objects.create(name="Able", domain="able.example")
    told(able, 120, seats=100, active_users=80)
    told(able, 1, active_users=20, status="past_due")
    found = simulate(version, clock.now())
    assert found["facts"][:2] == [["Clients", 1], ["Change their stage", 0]]
    assert ["Pays late", 1] in found["tables"][1]["rows"]


def test_a_stage_follows_from_subscription_health_and_signs():
    today = clock.today()
    facts = {"status": "active", "since": today - 10 * DAY}

    def stage(health=100.0, sign=False, **more):
        return stage_of({**facts, **more}, health, sign, limit=50, day=today)

    assert stage() == ClientStage.ONBOARDING
    assert stage(since=today - 90 * DAY) == ClientStage.ESTABLISHED
    assert stage(40.0, sign=True) == ClientStage.AT_RISK
    assert stage(40.0) == ClientStage.ONBOARDING
    assert stage(None, sign=True) == ClientStage.ONBOARDING
    assert stage(10.0, sign=True, status="trial") == ClientStage.TRIAL
    assert stage(10.0, sign=True, status="cancelled") == ClientStage.LEFT


@pytest.mark.parametrize("limit", [0, 101])
def test_a_limit_that_cannot_be_is_refused(limit):
    body = {**BODY.start(), "settings": {"at_risk": limit}}
    (problem,) = BODY.problems(body, catalog_of(Client))
    assert "below a health of more than 0 and at most 100" in problem.sentence


@pytest.mark.parametrize("number", [1, 3])
def test_the_list_asks_the_same_whatever_it_shows(ops, client, number, django_assert_max_num_queries):
    for name in "abc"[:number]:
        told(Company.objects.create(name=name, domain=f"{name}.example"), 5, seats=10, active_users=5)
    judge_clients()
    client.force_login(ops)
    client.get("/admin/leads/client/")
    with django_assert_max_num_queries(16):
        client.get("/admin/leads/client/")
