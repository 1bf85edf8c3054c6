"""Many leads at once: the list shows what will happen to each before it does."""

import pytest

from apps.accounts.enums import Role
from apps.core.admin_kit import bulk
from apps.leads.domain.scoring.keeping import score_due
from apps.leads.enums import Stage
from apps.leads.models import Handoff, Lead, RoutingDecision
from tests.admin_pages import list_of
from tests.factories.accounts import person_with, sign_in
from tests.factories.leads import LeadFactory
from tests.factories.scoring import body, in_force, rule, scoring

pytestmark = pytest.mark.django_db


def test_what_will_happen_is_shown_first_and_each_is_asked_for_by_itself(client, monkeypatch):
    ops, seller = person_with(Role.OPS), person_with(Role.SALES)
    leads = [LeadFactory(name=f"Lead {letter}", stage=Stage.MQL) for letter in "AB"]
    known = LeadFactory(name="Known")
    sign_in(client, ops)
    chosen = {"action": "many_to_recycled", "_selected_action": [each.pk for each in (*leads, known)]}
    page = client.post(list_of(Lead), chosen).content.decode()
    assert "2 of 3 can be done." in page
    assert "Known is at the stage “Known lead”; from there it goes to" in page
    assert set(Lead.objects.values_list("stage", flat=True)) == {Stage.MQL, Stage.KNOWN_LEAD}
    page = client.post(list_of(Lead), {**chosen, "bulk_apply": "1"}).content.decode()
    assert "This field is required" in page
    page = client.post(list_of(Lead), {**chosen, "bulk_apply": "1", "reason": "Autumn"}, follow=True).content.decode()
    assert "Recycle: 2 done." in page
    assert [Lead.objects.get(pk=each.pk).stage for each in (*leads, known)] == ["recycled", "recycled", "known_lead"]
    given = {"action": "many_reassign", "_selected_action": [known.pk], "person": seller.pk, "reason": "Knows them"}
    client.post(list_of(Lead), {**given, "bulk_apply": "1"})
    assert RoutingDecision.objects.get().to_person == seller
    monkeypatch.setattr(bulk, "MOST", 2)
    page = client.post(list_of(Lead), chosen, follow=True).content.decode()
    assert "3 rows are chosen; at most 2 are done at once. Narrow the list." in page


def test_who_is_ready_is_qualified_and_offered_together(client, django_assert_max_num_queries):
    ops, seller = person_with(Role.OPS), person_with(Role.SALES)
    title = {"field": "job_title", "op": "contains", "value": "chief"}
    in_force(scoring(owner=ops), body(rule("Chief", 30, predicate=title), threshold=25), by=ops)
    ready = [LeadFactory(name=f"Ready {letter}", job_title="Chief", owner_person=seller) for letter in "AB"]
    others = [LeadFactory(name=f"Other {number}") for number in range(20)]
    score_due()
    sign_in(client, ops)
    chosen = {"action": "many_to_mql", "_selected_action": [each.pk for each in (*ready, *others)]}
    with django_assert_max_num_queries(60):
        page = client.post(list_of(Lead), chosen).content.decode()
    assert "2 of 22 can be done." in page
    assert "Other 1 cannot become an MQL yet: it has 0 of 25 points." in page
    client.post(list_of(Lead), {**chosen, "bulk_apply": "1", "reason": "Reached the threshold"})
    assert Lead.objects.filter(stage=Stage.MQL).count() == 2
    offered = {**chosen, "action": "many_offer", "bulk_apply": "1"}
    page = client.post(list_of(Lead), offered, follow=True).content.decode()
    assert "Offer to sales: 2 done." in page
    assert Handoff.objects.filter(to_person=seller).count() == 2


def test_who_may_not_change_is_told_for_each(client):
    lead = LeadFactory(name="Ann")
    sign_in(client, person_with(Role.AUDITOR))
    chosen = {"action": "many_to_disqualified", "_selected_action": [lead.pk], "bulk_apply": "1", "reason": "x"}
    client.post(list_of(Lead), chosen)
    assert Lead.objects.get(pk=lead.pk).stage == Stage.KNOWN_LEAD


@pytest.mark.parametrize("key", ["abc", "9" * 40, "", "1.5", "-"])
def test_rows_that_are_none_are_refused_and_break_no_page(client, key):
    client.force_login(person_with(Role.OPS))
    for action in ("many_to_recycled", "many_reassign", "check_consistency", "export_chosen"):
        answer = client.post(list_of(Lead), {"action": action, "_selected_action": [key]})
        assert answer.status_code == 400
