"""Where touches came from: their campaign by its tag, the version of content that stood at their address then."""

import datetime as dt
import json
import uuid

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from apps.accounts.enums import Role
from apps.content.domain.publishing import mark_published, plan_distribution, take_down
from apps.content.models import Distribution
from apps.core import clock
from apps.leads.domain.intake import receive
from apps.leads.domain.origins import campaigns_of, plain
from apps.leads.domain.timeline.story import story_of
from apps.leads.domain.touches import Touch, take_touches
from apps.leads.models import IntakeSource, Touchpoint
from tests.admin_pages import page_of
from tests.factories.accounts import person_with, sign_in
from tests.factories.campaigns import CampaignFactory, link
from tests.factories.content import approved_version, author
from tests.factories.exchange import import_text
from tests.factories.leads import LeadFactory
from tests.factories.technology import ToolFactory

pytestmark = pytest.mark.django_db
PAGE, DAY = "https://www.example.com/pricing", dt.timedelta(days=1)


@pytest.fixture
def ops():
    return person_with(Role.OPS)


@pytest.fixture
def shown():
    """Return what publishes a version at an address, as of some days ago."""
    writer, tool = author(), ToolFactory(lifecycle="active")

    def publish(days, address=PAGE, of=None):
        version = approved_version(by=writer, of=of)
        plan_distribution(version, by=writer, tool=tool, place=f"Page {version.pk}", address=address)
        place = Distribution.objects.get(version=version)
        mark_published(place, by=writer, at=clock.now() - days * DAY)
        return version

    return publish


def did(lead, number, **more):
    """A visit of some days ago."""
    return Touch(lead.pk, "visit", clock.now() - more.pop("days", 1) * DAY, "hub", str(number), **more)


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("https://WWW.Example.com/pricing/?utm_source=x#top", PAGE),
        ("http://www.example.com/pricing", PAGE),
        ("/pricing", ""),
        ("ftp://www.example.com/pricing", ""),
        ("https://[broken", ""),
        ("", ""),
    ],
)
def test_addresses_are_compared_without_what_does_not_tell_them_apart(address, found):
    assert plain(address) == found


def test_a_touch_names_its_campaign_and_what_stood_there_then(ops, shown, client):
    campaign, lead = CampaignFactory(name="Autumn"), LeadFactory(name="Ann")
    link(campaign, by=ops, campaign_tag="autumn-26")
    old = shown(20)
    new = shown(5, address=f"{PAGE}/", of=old.asset)
    tags = {"source": "newsletter", "campaign": "autumn-26"}
    touches = [
        did(lead, 1, days=30, address=PAGE, utm=tags),
        did(lead, 2, days=10, address=f"{PAGE}/?gclid=1"),
        did(lead, 3, days=2, address="http://www.example.com/pricing", utm={"utm_campaign": "autumn-26"}),
        did(lead, 4, address="https://www.example.com/other", utm={"campaign": "nobody-planned-it"}),
        did(lead, 5),
    ]
    take_touches(touches, by=ops)
    rows = Touchpoint.objects.order_by("source_event_id")
    assert list(rows.values_list("campaign", "content_version")) == [
        (campaign.pk, None),
        (None, old.pk),
        (campaign.pk, new.pk),
        (None, None),
        (None, None),
    ]
    told = [each.told.why for each in story_of(lead, by=ops, kind="did").events]
    assert told == ["", "", f"Campaign: Autumn · Content: {new}", f"Content: {old}", "Campaign: Autumn"]
    sign_in(client, ops)
    assert str(new) in client.get(page_of(rows[2])).content.decode()
    with pytest.raises(DatabaseError, match="A touch is evidence"), transaction.atomic():
        Touchpoint.objects.update(content_version=old)


def test_a_place_that_was_taken_down_shows_nothing_and_plain_touches_ask_nothing(ops, shown):
    lead, version = LeadFactory(), shown(9)
    take_down(Distribution.objects.get(), by=author(), reason="Over.", at=clock.now() - 3 * DAY)
    take_touches([did(lead, 1, days=4, address=PAGE), did(lead, 2, days=1, address=PAGE)], by=ops)
    assert list(Touchpoint.objects.order_by("source_event_id").values_list("content_version", flat=True)) == [
        version.pk,
        None,
    ]
    with CaptureQueriesContext(connection) as found:
        take_touches([did(lead, 3)], by=ops)
    assert not [each for each in found if "utmlink" in each["sql"] or "content_distribution" in each["sql"]]


def test_a_tag_that_changed_hands_names_who_has_it_now(ops):
    before, now = CampaignFactory(), CampaignFactory()
    link(before, by=ops, campaign_tag="spring", archived_at=clock.now())
    assert campaigns_of(["spring"]) == {"spring": before.pk}
    link(now, by=ops, campaign_tag="spring")
    assert campaigns_of(["spring", "none"]) == {"spring": now.pk}


def test_forms_and_visits_say_by_which_link_they_came(ops, shown, client):
    campaign, version = CampaignFactory(), shown(3)
    link(campaign, by=ops, campaign_tag="autumn-26")
    form = IntakeSource.objects.create(
        key="demo", title="Demo", touch_type="demo", is_web_form=True, takes_visits=True, per_minute=1000
    )
    given = {"email": "ada@engines.example", "utm_campaign": "autumn-26", "utm_medium": "email", "_page": PAGE}
    receive(form, given, key="1", by=ops)
    touch = Touchpoint.objects.get()
    assert (touch.campaign, touch.content_version, touch.type) == (campaign, version, "demo")
    assert touch.utm == {"campaign": "autumn-26", "medium": "email"}
    event = {"id": "1", "page": "/pricing", "address": PAGE, "utm": {"campaign": "autumn-26"}}
    told = {"visitor": str(uuid.uuid4()), "consent": {"given": True, "wording": "Banner"}, "events": [event]}
    client.post("/visits/demo/", json.dumps(told), content_type="application/json")
    visit = Touchpoint.objects.get(type="visit")
    assert (visit.campaign, visit.content_version, visit.value) == (campaign, version, "/pricing")


def test_files_name_campaigns_content_and_tags(ops, shown):
    LeadFactory(email="ada@ada.example")
    campaign, version = CampaignFactory(name="Fair"), shown(40, address="")
    link(CampaignFactory(name="Autumn"), by=ops, campaign_tag="autumn-26")
    text = (
        "System,Event number,E-mail of the lead,Touch,When,Campaign,Content version,UTM campaign,UTM source\n"
        f"hub,1,ada@ada.example,Webinar attended,2026-03-01 10:00,Fair,{version.pk},,\n"
        "hub,2,ada@ada.example,Website visit,2026-03-01 10:00,,,autumn-26,newsletter\n"
        "hub,3,ada@ada.example,Website visit,2026-03-01 10:00,Nothing,,,\n"
        "hub,4,ada@ada.example,Website visit,2026-03-01 10:00,,987654,,\n"
    )
    batch = import_text("leads.touches", text, by=ops)
    assert (batch.counts["created"], batch.counts["refused"]) == (2, 2)
    first, second = Touchpoint.objects.order_by("source_event_id")
    assert (first.campaign, first.content_version, first.utm) == (campaign, version, {})
    assert (second.campaign.name, second.utm) == ("Autumn", {"source": "newsletter", "campaign": "autumn-26"})
    said = set(batch.outcomes.filter(kind="refused").values_list("reason", flat=True))
    assert said == {
        "There is no campaign “Nothing” that you may see.",
        "There is no content version 987654 that you may see.",
    }
