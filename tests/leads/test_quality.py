"""Data quality: versioned checks, counted by night, with who answers; what bars an MQL says so."""

import datetime as dt

import pytest

from apps.accounts.enums import Role
from apps.core import clock
from apps.core.errors import WrongState
from apps.core.rules.models import RuleDocument
from apps.leads.domain.lifecycle import move_lead
from apps.leads.domain.quality import count_quality, standings
from apps.leads.enums import Stage
from apps.leads.models import Lead, QualityCount
from apps.leads.quality_rules import BODY, DOCUMENT, KIND, bars_of
from tests.admin_pages import list_of
from tests.factories.accounts import person_with
from tests.factories.leads import LeadFactory
from tests.factories.rules import active

pytestmark = pytest.mark.django_db
PAGE = "/admin/leads/quality/"


def checks(by):
    document = RuleDocument.objects.create(key=DOCUMENT, kind=KIND, title="Quality", owner=by)
    said = {"owner": by.pk, "goal": 10, "bars": True, "how": "Ask for it."}
    rule = {
        "name": "No country",
        "predicate": {"field": "country", "op": "empty"},
        "outcome": said,
        "enabled": True,
        "reason": "",
    }
    return active(document, by=by, body={"rules": [rule]})


def test_checks_are_counted_by_night_and_shown_with_their_trend(client):
    person = person_with(Role.OPS)
    client.force_login(person)
    assert "No checks are in force." in client.get(PAGE).content.decode()
    assert count_quality() == {"checks": 0, "wrong": 0}
    checks(person)
    LeadFactory(country="Spain", name="Ann Whole"), LeadFactory(country="", name="Bea Bare")
    assert (count_quality(), count_quality()) == ({"checks": 1, "wrong": 1},) * 2
    row = QualityCount.objects.get()
    assert (row.wrong, row.asked, row.day) == (1, 2, clock.today())
    QualityCount.objects.create(
        version=row.version, check_key=row.check_key, day=row.day - dt.timedelta(days=1), asked=2, wrong=2
    )
    (told,) = standings(person)[1]
    assert (told.wrong, told.share, told.is_met, told.owner) == (1, 0.5, False, str(person))
    assert told.change_words.startswith("1 fewer than on")
    page = client.get(PAGE).content.decode()
    assert "1 of 2" in page
    found = client.get(f"{list_of(Lead)}?check={told.rule.key}").content.decode()
    assert ("Bea Bare" in found, "Ann Whole" in found) == (True, False)
    sales = person_with(Role.SALES)
    assert standings(sales)[1][0].asked == 0


def test_a_check_that_finds_every_lead_is_refused():
    said = {"owner": person_with(Role.OPS).pk, "goal": 10}
    rule = {"key": "rule-1", "name": "All", "predicate": {"all": []}, "outcome": said, "enabled": True, "reason": ""}
    (problem,) = BODY.problems({"rules": [rule]})
    assert problem.sentence.startswith("Every record fits this rule")


def test_shares_that_are_none_and_two_checks_of_one_name_are_refused_in_new_versions():
    said = {"owner": person_with(Role.OPS).pk, "goal": 101}
    bare = {"predicate": {"field": "country", "op": "empty"}, "outcome": said, "enabled": True, "reason": ""}
    body = BODY.tidy({"rules": [{"name": "Bare", **bare}, {"name": "bare", **bare, "outcome": {**said, "goal": 5}}]})
    assert BODY.problems(body) == []
    assert [each.sentence for each in BODY.objections(body)] == [
        "Rules 1 and 2 are both called “bare”; rename one.",
        "“Bare”: a share goes from 0 to 100 %.",
    ]


def test_what_bars_an_mql_says_so():
    person = person_with(Role.OPS)
    checks(person)
    lead = LeadFactory(country="")
    assert bars_of(lead) == ["No country (Ask for it.)"]
    with pytest.raises(WrongState, match=r"cannot become an MQL: No country \(Ask for it.\)"):
        move_lead(lead, to=Stage.MQL, by=person, reason="Fits.")
    Lead.objects.filter(pk=lead.pk).update(country="Spain")
    lead.refresh_from_db()
    move_lead(lead, to=Stage.MQL, by=person, reason="Fits.")
