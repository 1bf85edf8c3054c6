"""Handoff: an MQL is offered to its owner, who takes it or gives it back with a reason, in time or not."""

import datetime as dt

import pytest
from django.db import DatabaseError, transaction

from apps.accounts.domain.territories import limit_role
from apps.accounts.enums import Role
from apps.accounts.models import Membership, Territory, User
from apps.core import access, clock
from apps.core.admin_kit.refusals import sentence_of
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.core.notifications.models import Notification
from apps.leads.domain.handoff import ANSWER_WITHIN, accept, expire_due, offer, reject
from apps.leads.domain.lifecycle import move_lead
from apps.leads.domain.scoring.keeping import score_due
from apps.leads.enums import HandoffKind, HandoffState, Stage
from apps.leads.models import Handoff, Lead, RoutingDecision, StageInterval
from tests.admin_pages import assert_same_queries, button_of, list_of, page_of
from tests.factories.accounts import TeamFactory, administrator, person_with
from tests.factories.leads import LeadFactory
from tests.factories.scoring import body, in_force, rule, scoring

pytestmark = pytest.mark.django_db


@pytest.fixture
def people():
    return person_with(Role.OPS), person_with(Role.SALES)


def mql(seller, **given):
    return LeadFactory(stage=Stage.MQL, owner_person=seller, **given)


def test_who_may_not_and_what_is_not_ready_is_refused(people):
    ops, seller = people
    known, nobodys = LeadFactory(name="Ann", owner_person=seller), LeadFactory(name="Bo", stage=Stage.MQL)
    for lead, by, kind, sentence in (
        (known, ops, WrongState, "Ann is at the stage “Known lead”; only an MQL is offered"),
        (nobodys, ops, WrongState, "Nobody would get Bo: give it an owner first"),
        (nobodys, seller, NotAllowed, "You may not change Bo"),
    ):
        with pytest.raises(kind, match=sentence):
            offer(lead, by=by)
    lead = mql(seller, name="Cy")
    made = offer(lead, by=ops, note="Wants a call")
    with pytest.raises(WrongState, match="Cy is offered to sales already"):
        offer(lead, by=ops)
    with pytest.raises(WrongState, match="Cy is offered to sales; let them take it or give it back"):
        move_lead(lead, to=Stage.SQL, by=ops, reason="x")
    with pytest.raises(WrongState, match="Who offered a lead does not answer for sales"):
        accept(made, by=ops, reason="x")
    with pytest.raises(NotAllowed, match="You may not change Cy"):
        accept(made, by=person_with(Role.SALES), reason="x")
    with pytest.raises(InvalidInput, match="Choose why the lead goes back"):
        reject(made, by=seller, rejection="mood", reason="x")


def test_sales_take_it_and_what_was_known_stays(people):
    ops, seller = people
    title = {"field": "job_title", "op": "contains", "value": "chief"}
    in_force(scoring(owner=ops), body(rule("Chief", 20, predicate=title)), by=ops)
    lead = mql(seller, job_title="Chief")
    score_due()
    offered = offer(lead, by=ops)
    assert offered.snapshot["standing"] == "Not ready: 20 of 60 points"
    assert offered.snapshot["criteria"] == {"Chief": "20 of 20"}
    assert Notification.objects.filter(recipient=seller, kind="lead.offered").count() == 1
    accept(offered, by=seller, reason="Good call")
    made = Handoff.objects.get()
    assert (made.state, made.decided_by, made.lead.stage) == (HandoffState.ACCEPTED, seller, Stage.SQL)
    assert StageInterval.objects.filter(lead=lead).first().reason == "Good call"
    with pytest.raises(WrongState, match="is accepted"):
        reject(made, by=seller, rejection="no_fit", reason="x")
    with pytest.raises(DatabaseError) as caught, transaction.atomic():
        Handoff.objects.update(state=HandoffState.REJECTED)
    assert "answered by the buttons on its page" in sentence_of(caught.value)


def test_given_back_it_is_recycled_and_can_be_offered_again(people):
    ops, seller = people
    lead = mql(seller)
    reject(offer(lead, by=ops), by=seller, rejection="too_early", reason="Budget in spring")
    lead.refresh_from_db()
    assert lead.stage == Stage.RECYCLED
    assert StageInterval.objects.filter(lead=lead).first().reason == "Too early: Budget in spring"
    move_lead(lead, to=Stage.MQL, by=ops, reason="Spring")
    again = offer(Lead.objects.get(), by=ops)
    assert again.number == 2
    assert expire_due() == 0
    assert expire_due(at=clock.now() + ANSWER_WITHIN + dt.timedelta(seconds=1)) == 1
    again.refresh_from_db()
    assert (again.state, Lead.objects.get().stage) == (HandoffState.EXPIRED, Stage.MQL)
    assert offer(Lead.objects.get(), by=ops).number == 3


def test_who_is_asked_sees_the_offer_and_takes_it_though_the_lead_is_not_theirs(client, people):
    ops, owner = people
    asked, team = person_with(Role.SALES), TeamFactory()
    bought = [LeadFactory(name=name, stage=Stage.CUSTOMER, owner_person=owner) for name in ("Ann", "Bo", "Cy")]
    kinds = (HandoffKind.SUCCESS, HandoffKind.REFERENCE, HandoffKind.EXPANSION)
    made = [offer(lead, by=ops, kind=kind, to=asked) for lead, kind in zip(bought, kinds, strict=True)]
    outside = person_with(Role.SALES)
    assert set(access.visible(asked, Handoff)) == set(made)
    assert not access.visible(outside, Handoff).exists()
    with pytest.raises(NotAllowed, match="You may not change Ann"):
        accept(made[0], by=outside, reason="x")
    client.force_login(asked)
    assert client.get(page_of(made[0])).status_code == 200
    said = [accept(each, by=asked, reason="Gladly") for each in made]
    assert said == [
        f"{asked} looks after Ann now.",
        "Bo is at the stage “Advocate” now.",
        f"{asked} looks after Cy now.",
    ]
    given = RoutingDecision.objects.get(lead=bought[0])
    assert (given.from_person, given.to_person, given.reason) == (owner, asked, "Customer success: Gladly")
    assert Lead.objects.get(name="Bo").owner_person == owner
    Membership.objects.create(person=asked, team=team, role=Role.SALES)
    mine = LeadFactory(name="Di", stage=Stage.MQL, owner_team=team)
    for_team = offer(mine, by=ops)
    Lead.objects.filter(pk=mine.pk).update(owner_team=None, owner_person=owner)
    assert for_team in access.visible(asked, Handoff)
    assert accept(for_team, by=asked, reason="Good call") == "Di is at the stage “Sales qualified (SQL)” now."


def test_a_customer_is_handed_to_who_can_take_it(people):
    ops, owner = people
    lead = LeadFactory(name="Ann", stage=Stage.CUSTOMER, owner_person=owner, territory="Spain")
    limited, gone = person_with(Role.SALES), person_with(Role.SALES, is_active=False)
    dach = Territory.objects.create(name="DACH")
    limit_role(limited.memberships.get(), territory=dach, by=administrator(), reason="x")
    for to, sentence in (
        (gone, "cannot look after leads; choose somebody who is active"),
        (person_with(Role.AUDITOR), "has no role that works with leads"),
        (limited, "works in DACH alone, and Ann is in Spain"),
    ):
        with pytest.raises(InvalidInput, match=sentence):
            offer(lead, by=ops, kind=HandoffKind.SUCCESS, to=User.objects.get(pk=to.pk))


def test_the_pages_work_for_sales_and_keep_to_the_territory(client, people):
    ops, seller = people
    mine = mql(seller, name="Mine", source="Referral", territory="Nordics")
    made, other = offer(mine, by=ops), offer(mql(person_with(Role.SALES), name="Theirs"), by=ops)
    client.force_login(ops)
    assert_same_queries(client, list_of(Handoff), lambda: [offer(mql(seller), by=ops) for _ in range(2)])
    client.force_login(seller)
    listed = client.get(list_of(Handoff)).content.decode()
    assert "Mine" in listed
    assert "Theirs" not in listed
    Lead.objects.filter(pk=mine.pk).update(source="Webinar", territory="DACH")  # what was known then stays
    page = client.get(page_of(made)).content.decode()
    assert "It had no score" in page
    assert ("<dd>Referral</dd>" in page, "<dd>Nordics</dd>" in page) == (True, True)
    assert client.post(button_of(other, "accept"), {"reason": "x"}).status_code == 404
    page = client.get(page_of(made.lead)).content.decode()
    assert f"Offered to {seller} (sales)" in page
    client.post(button_of(made, "reject"), {"rejection": "no_need", "reason": "They bought last week"})
    assert Handoff.objects.get(pk=made.pk).rejection == "no_need"
    auditor = person_with(Role.AUDITOR)
    client.force_login(auditor)
    assert client.get(page_of(made)).status_code == 200
    assert not access.can(auditor, "change", made)
