"""The box of the home page for who answers leads."""

import datetime as dt

import pytest
from django.urls import reverse

from apps.accounts.enums import Role
from apps.core import clock
from apps.core.admin_kit.archive import archive
from apps.leads.domain import answer_clocks
from apps.leads.domain.handoff import offer
from apps.leads.domain.sla import record_contact
from apps.leads.domain.waiting import leads_to_answer, offers_to
from apps.leads.enums import Stage
from tests.admin_pages import queries_of
from tests.factories.accounts import person_with, sign_in
from tests.factories.leads import LeadFactory
from tests.leads.test_sla import signed

pytestmark = pytest.mark.django_db
HOME = reverse("admin:index")


@pytest.fixture
def ops():
    return person_with(Role.OPS)


@pytest.fixture
def seller():
    return person_with(Role.SALES)


def given(seller, name, *, since, **more):
    lead = LeadFactory(name=name, owner_person=seller, **more)
    answer_clocks.begin([lead.pk], at=since)
    return lead


def test_leads_wait_in_the_order_of_their_due_times_until_there_was_a_contact(ops, seller):
    signed(ops, (person_with(Role.APPROVER), person_with(Role.SALES)), touch_minutes=60)
    now = clock.now()
    late = given(seller, "Late", since=now - dt.timedelta(hours=3))
    soon = given(seller, "Soon", since=now, company="Acme")
    given(person_with(Role.SALES), "Somebody else's", since=now)
    gone = given(seller, "Gone", since=now)
    archive(gone, by=ops)
    assert list(leads_to_answer(seller)) == [late, soon]
    assert [each.due - now for each in leads_to_answer(seller)] == [dt.timedelta(hours=-2), dt.timedelta(hours=1)]
    record_contact(late, kind="call", by=seller)
    assert list(leads_to_answer(seller)) == [soon]


def test_offers_ask_by_name_or_the_whole_team(ops, seller):
    lead = LeadFactory(name="Offered", stage=Stage.MQL, owner_person=seller)
    offer(lead, to=seller, by=ops, note="Ready")
    assert [each.lead for each in offers_to(seller)] == [lead]
    assert list(offers_to(person_with(Role.SALES))) == []


def test_the_home_page_shows_sales_what_waits_and_asks_the_same_for_more(client, ops, seller):
    signed(ops, (person_with(Role.APPROVER), person_with(Role.SALES)), touch_minutes=60)
    sign_in(client, seller)
    assert "No lead waits for you." in client.get(HOME).content.decode()
    given(seller, "First of them", since=clock.now() - dt.timedelta(hours=3))
    page = client.get(HOME).content.decode()
    assert ("First of them" in page, "Late" in page) == (True, True)
    asked = queries_of(client, HOME)
    for number in range(8):
        given(seller, f"Another {number}", since=clock.now())
    assert queries_of(client, HOME) == asked
    assert "All leads that wait" in client.get(HOME).content.decode()


def test_who_oversees_all_leads_has_the_box_for_leads_of_their_own_alone(client, ops):
    sign_in(client, ops)
    assert "My leads" not in client.get(HOME).content.decode()
