"""Opportunities: they back SQLs and customers; customers are handed on by the same handoff."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import DatabaseError, transaction

from apps.accounts.enums import Role
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.leads.domain.handoff import accept, hand_on, offer, reject
from apps.leads.domain.lifecycle import move_lead
from apps.leads.domain.opportunities import lose, open_opportunity, pipeline, step_on, win
from apps.leads.enums import HandoffKind, HandoffState, Stage
from apps.leads.models import Handoff, Opportunity
from tests.admin_pages import assert_same_queries, button_of, list_of, page_of
from tests.factories.accounts import person_with, sign_in
from tests.factories.leads import LeadFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def seller():
    return person_with(Role.SALES)


def sql(seller, **given):
    return LeadFactory(**{"stage": Stage.SQL, "owner_person": seller, **given})


def opened(lead, by, amount=100, **given):
    return open_opportunity(lead, **{"name": "Platform", "amount": Decimal(amount), "by": by, **given})


def test_what_cannot_be_opened_is_refused(seller):
    known, lead = LeadFactory(name="Ann", owner_person=seller), sql(seller, name="Bo")
    for about, by, given, kind, sentence in (
        (
            known,
            seller,
            {},
            WrongState,
            "Ann is at the stage “Known lead”; opportunities are opened on SQLs and customers",
        ),
        (lead, person_with(Role.SALES), {}, NotAllowed, "You may not change Bo"),
        (lead, seller, {"name": " "}, InvalidInput, "Say what it is about"),
        (lead, seller, {"amount": -1}, InvalidInput, "worth nothing or more"),
    ):
        with pytest.raises(kind, match=sentence):
            opened(about, by, **given)


def test_a_won_one_makes_a_customer_and_nothing_else_does(seller):
    lead = sql(seller, name="Ann")
    with pytest.raises(WrongState, match="Ann becomes a customer by an opportunity that is won"):
        move_lead(lead, to=Stage.CUSTOMER, by=seller, reason="x")
    deal = opened(lead, seller, amount="1200.50")
    assert (deal.owner_person, deal.stage) == (seller, "discovery")
    assert step_on(deal, by=seller) == "Platform is at the stage “Proposal” now."
    assert step_on(deal, by=seller) == "Platform is at the stage “Negotiation” now."
    with pytest.raises(WrongState, match="Platform is being negotiated; it is won or lost next"):
        step_on(deal, by=seller)
    with pytest.raises(InvalidInput, match="Say what decided it"):
        win(deal, by=seller, reason=" ")
    with pytest.raises(DatabaseError, match="by the buttons on its page"), transaction.atomic():
        Opportunity.objects.filter(pk=deal.pk).update(stage="won")
    assert win(deal, by=seller, reason="The pilot") == (
        "Platform is won; Ann is a customer now. Offer it to customer success."
    )
    lead.refresh_from_db()
    assert lead.stage == Stage.CUSTOMER
    with pytest.raises(WrongState, match="Platform is won; open another one"):
        lose(deal, loss="price", by=seller, reason="x")
    assert win(opened(lead, seller, name="More"), by=seller, reason="Grows") == "More is won."
    assert pipeline(seller) == [("Won", "EUR", 2, Decimal("1300.50"))]


def test_the_last_lost_one_recycles_the_lead(seller):
    lead = sql(seller, name="Ann")
    first, second = opened(lead, seller), opened(lead, seller)
    with pytest.raises(InvalidInput, match="Choose why it was lost"):
        lose(first, loss="mood", by=seller, reason="x")
    assert lose(first, loss="price", by=seller, reason="Too dear") == "Platform is lost."
    assert "Ann is recycled" in lose(second, loss="timing", by=seller, reason="Next year")
    lead.refresh_from_db()
    assert lead.stage == Stage.RECYCLED
    with pytest.raises(NotAllowed, match="You may not change"):
        win(opened(sql(seller), seller), by=person_with(Role.AUDITOR), reason="x")


def test_customers_are_handed_to_success_for_expansion_and_for_a_reference(seller):
    success, ops = person_with(Role.SALES), person_with(Role.OPS)
    lead = LeadFactory(name="Ann", stage=Stage.CUSTOMER, owner_person=seller)
    known = LeadFactory(name="Bo", owner_person=seller)
    for kind, sentence in (
        (HandoffKind.SALES, "only an MQL is offered to sales"),
        (HandoffKind.SUCCESS, "only customers are handed to customer success"),
        (HandoffKind.EXPANSION, "only customers are offered for expansion"),
        (HandoffKind.REFERENCE, "only customers are asked for a reference"),
    ):
        with pytest.raises(WrongState, match=sentence):
            offer(known, by=ops, kind=kind)
    for kind in (HandoffKind.SUCCESS, HandoffKind.EXPANSION, HandoffKind.REFERENCE):
        assert f"Handed to {success}" in hand_on(lead, to=success, by=ops, kind=kind)
    with pytest.raises(WrongState, match="Ann is offered to expansion already"):
        offer(lead, by=ops, kind=HandoffKind.EXPANSION, to=success)
    offers = {each.kind: each for each in Handoff.objects.filter(lead=lead)}
    assert accept(offers["success"], by=success, reason="I know them") == f"{success} looks after Ann now."
    assert "open an opportunity" in accept(offers["expansion"], by=success, reason="Yes")
    stays = reject(offers["reference"], by=success, rejection="too_early", reason="Ask in spring")
    lead.refresh_from_db()
    assert (stays, lead.stage, lead.owner_person) == (f"Ann stays with {success}.", Stage.CUSTOMER, success)
    hand_on(lead, to=success, by=ops, kind=HandoffKind.REFERENCE)
    accept(Handoff.objects.get(state=HandoffState.OFFERED), by=success, reason="Gladly")
    lead.refresh_from_db()
    assert lead.stage == Stage.ADVOCATE


def test_pages_of_opportunities(client, seller):
    lead = sql(seller, name="Ann")
    sign_in(client, seller)
    given = {"name": "Platform", "amount": "12.50", "currency": "EUR", "expected_on": dt.date(2030, 1, 2)}
    answer = client.post(button_of(lead, "opportunity"), given, follow=True)
    assert "Platform is open: 12.50 EUR." in answer.content.decode()
    deal = Opportunity.objects.get()
    assert_same_queries(client, list_of(Opportunity), lambda: [opened(lead, seller) for _ in range(2)])
    assert client.get(page_of(deal)).status_code == 200
    answer = client.post(button_of(deal, "lose"), {"loss": "price", "reason": "Dear"}, follow=True)
    assert "Platform is lost." in answer.content.decode()
    other = person_with(Role.SALES)
    client.logout()
    sign_in(client, other)
    assert client.get(page_of(deal)).status_code != 200
