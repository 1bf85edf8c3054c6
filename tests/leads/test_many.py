"""Many leads at once: the list shows what will happen to each before it does."""

import pytest

from apps.accounts.enums import Role
from apps.core.admin_kit import bulk
from apps.leads.enums import Stage
from apps.leads.models import Lead, RoutingDecision
from tests.admin_pages import list_of
from tests.factories.accounts import person_with, sign_in
from tests.factories.leads import LeadFactory

pytestmark = pytest.mark.django_db


def test_what_will_happen_is_shown_first_and_each_is_asked_for_by_itself(client, monkeypatch):
    ops, seller = person_with(Role.OPS), person_with(Role.SALES)
    leads = [LeadFactory(name=f"Lead {letter}", stage=Stage.MQL) for letter in "AB"]
    known = LeadFactory(name="Known")
    sign_in(client, ops)
    chosen = {"action": "many_to_recycled", "_selected_action": [each.pk for each in (*leads, known)]}
    page = client.post(list_of(Lead), chosen).content.decode()
    assert "2 of 3 can be done." in page
    assert "Known is at Known lead; from there it goes to" in page
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


def test_who_may_not_change_is_told_for_each(client):
    lead = LeadFactory(name="Ann")
    sign_in(client, person_with(Role.AUDITOR))
    chosen = {"action": "many_to_disqualified", "_selected_action": [lead.pk], "bulk_apply": "1", "reason": "x"}
    client.post(list_of(Lead), chosen)
    assert Lead.objects.get(pk=lead.pk).stage == Stage.KNOWN_LEAD
