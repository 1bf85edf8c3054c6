"""The page of a lead: one story that a salesperson understands, filtered and paged, at a price that stays."""

import datetime as dt

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.accounts.enums import Role
from apps.accounts.models import User
from apps.core import clock
from apps.core.admin_kit.kits import record_url
from apps.leads.domain.consent import record_consent
from apps.leads.domain.handoff import offer
from apps.leads.domain.lifecycle import move_lead
from apps.leads.domain.routing.routing import route_leads
from apps.leads.domain.timeline.story import PAGE, kinds_for, story_of
from apps.leads.domain.touches import Touch, take_touches
from apps.leads.enums import Stage
from apps.leads.models import DuplicatePair, Lead, Opportunity, SalesContact
from tests.factories.accounts import UserFactory, person_with
from tests.factories.leads import LeadFactory
from tests.factories.routing import pool, routing_in_force, rules, to
from tests.factories.scoring import body, in_force, rule, scoring

pytestmark = pytest.mark.django_db


@pytest.fixture
def ops():
    return person_with(Role.OPS)


@pytest.fixture
def lead(ops):
    """A lead with something of most kinds."""
    lead, other = LeadFactory(name="Ann Able", email="ann@able.example"), LeadFactory(name="Anne Able")
    now = clock.now()
    touches = [
        Touch(lead.pk, "visit", now - dt.timedelta(days=number + 1), "test", str(number), value=f"Page {number}")
        for number in range(PAGE + 3)
    ]
    take_touches([*touches, Touch(lead.pk, "demo", now, "test", "d", value="Pricing demo")], by=ops)
    record_consent(lead, purpose="phone", is_given=True, evidence="Said so on the call", by=ops)
    move_lead(lead, to=Stage.MQL, by=ops, reason="Asked for a demo")
    one, two = sorted((lead.pk, other.pk))
    DuplicatePair.objects.create(one_id=one, two_id=two, weight=12, evidence=[], found_at=now)
    return lead


def test_a_story_tells_everything_in_order_and_by_kind(lead, ops):
    story = story_of(lead, by=ops)
    said = [each.told.said for each in story.events]
    assert story.more
    assert len(said) == PAGE
    assert [each.at for each in story.events] == sorted((each.at for each in story.events), reverse=True)
    assert {"Demo requested: Pricing demo", "Calls: agreed", "Stage: Marketing qualified (MQL)"} <= set(said)
    (same,) = story_of(lead, by=ops, kind="same").events
    assert (same.told.said, same.told.tone, same.label) == ("Ann Able and Anne Able look alike", "warn", "Duplicates")
    stages = [(each.told.said, each.told.why, each.told.who) for each in story_of(lead, by=ops, kind="stage").events]
    assert stages[0] == ("Stage: Marketing qualified (MQL)", "Asked for a demo", ops.full_name)
    older = story_of(lead, by=ops, kind="did", page=2)
    assert [each.told.said for each in older.events] == [f"Website visit: Page {n}" for n in (14, 15, 16, 17)]
    assert not older.more


def test_a_story_is_told_as_far_as_one_may_read_it(lead):
    assert kinds_for(UserFactory()) == ["clock"]
    assert story_of(lead, by=UserFactory()).events == []
    assert story_of(lead, by=UserFactory(), kind="did").events == []


def test_each_part_of_a_story_needs_the_right_to_its_records_and_pairs_to_both_leads(lead):
    other = LeadFactory(name="Ann's deal", territory="DACH")
    Opportunity.objects.create(lead=lead, name="Platform", amount=10, opened_at=clock.now())
    reader = UserFactory()
    SalesContact.objects.create(lead=lead, person=reader, kind="call", note="Wants a price", at=clock.now())
    given = ("view_lead", "oversee_lead", "view_handoff")
    reader.user_permissions.set(Permission.objects.filter(content_type__app_label="leads", codename__in=given))
    assert kinds_for(reader) == ["sales", "clock"]
    assert story_of(lead, by=User.objects.get(pk=reader.pk)).events == []
    seller = person_with(Role.SALES)
    for each in (lead, other):
        Lead.objects.filter(pk=each.pk).update(owner_person=seller)
    sales = {each.told.said for each in story_of(lead, by=seller, kind="sales").events}
    assert "Opportunity opened: Platform" in sales
    assert story_of(lead, by=seller, kind="same").events == []  # the other of the pair is not theirs


def test_the_page_of_a_lead_costs_the_same_whatever_it_has_been_through(lead, ops):
    demo = rule("Demo", 30, touch="demo", decay="window", days=20)
    in_force(scoring(owner=ops), body(demo, rule("Visits", 1, 10, touch="visit")), by=ops)
    team, people = pool(1, name="Everyday sales")
    routing_in_force(rules(to("pool", pool=team)), by=ops)
    route_leads([lead.pk])
    lead.refresh_from_db()
    offer(lead, by=ops, note="Asked for prices")
    client = Client()
    client.force_login(ops)
    address = f"/admin/leads/lead/{lead.pk}/change/"
    client.get(address)
    with CaptureQueriesContext(connection) as asked:
        page = client.get(address).content.decode()
    assert len(asked) < 25
    for name in ("Its score over the last months", f"it was the turn of {people[0]}"):
        assert name in page
    assert "leads-curve" not in page  # fetched when somebody opens it
    box = record_url(admin.site._registry[Lead], lead, "lead-boxes", "curve")
    for address_of_box in (f"{address}?boxes=curve", box):
        assert "leads-curve" in client.get(address_of_box).content.decode()
    for name in ("What happened", "Demo requested: Pricing demo", 'href="?show=stage&amp;part=1#story"', "Older"):
        assert name in page
    shown = client.get(f"{address}?show=consent&part=1").content.decode()
    assert "Said so on the call" in shown
    assert "Pricing demo" not in shown
