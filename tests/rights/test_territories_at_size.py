"""Twelve thousand campaigns, requests and pieces of content in forty markets: who has one of them reads that one."""

import re

import pytest
from django.db import connection
from django.urls import reverse

from apps.accounts.domain.memberships import grant_role
from apps.accounts.enums import Role
from apps.accounts.models import Territory, User
from apps.campaigns.domain.intake import ask_for_campaign
from apps.campaigns.models import Campaign, CampaignRequest
from apps.content.models import ContentAsset, ContentVersion
from apps.core import access
from apps.core.actors import acting_as
from apps.core.transitions import transition
from apps.rights.domain.granting import grant_access
from tests.admin_pages import asked_by, list_of
from tests.campaigns.test_intake import WISH
from tests.content.test_size import copies
from tests.factories.accounts import TeamFactory, UserFactory, administrator
from tests.factories.campaigns import CampaignFactory
from tests.factories.content import author, version

pytestmark = pytest.mark.django_db
MANY, MARKETS = 12_000, 40
LARGE = re.compile(r"Seq Scan on (campaigns_campaign|campaigns_campaignrequest|content_contentasset)\b")


@pytest.fixture
def reader():
    """A person with one market of forty, among very many rows."""
    boss, writer = administrator(), author()
    made, campaign = version(by=writer), CampaignFactory()
    asked = ask_for_campaign(by=boss, values=WISH)
    there = f"'m' || n %% {MARKETS}"
    with acting_as(boss, reason="Very many"), transition(ContentAsset, ContentVersion, Campaign, CampaignRequest):
        copies(
            Campaign,
            campaign,
            MANY,
            name="'C' || n",
            region=there,
            starts_on="date '2024-01-01' + n::int %% 900",
        )
        copies(CampaignRequest, asked, MANY, region=there, asked_at="now() - n * interval '1 hour'")
        copies(ContentAsset, made.asset, MANY, title="'Piece ' || n", stage="'draft'", region=there)
        first = ContentAsset.objects.exclude(pk=made.asset_id).order_by("pk").values_list("pk", flat=True)[0]
        copies(ContentVersion, made, MANY, asset_id=f"{first} + n - 1", number="1", variant="'v' || n")
    person = UserFactory()
    grant_role(person, TeamFactory(), Role.OPS, by=boss, reason="Market", territory=Territory.objects.create(name="M7"))
    return User.objects.get(pk=person.pk)


def test_what_is_shared_from_elsewhere_is_there_beside_the_own_market(reader):
    elsewhere = Campaign.objects.filter(region="m8").order_by("pk")[0]
    assert not access.can(reader, "view", elsewhere)
    grant_access(elsewhere, to=reader, verb="view", reason="Joint fair", by=administrator())
    assert access.can(User.objects.get(pk=reader.pk), "view", elsewhere)
    regions = set(access.visible(reader, Campaign).values_list("region", flat=True))
    assert regions == {"m7", "m8"}


def test_more_of_them_than_can_be_named_one_by_one_are_there_all_the_same(reader, monkeypatch):
    monkeypatch.setattr(access, "FEW", 1)
    for market in ("m8", "m9"):
        elsewhere = Campaign.objects.filter(region=market).order_by("pk")[0]
        grant_access(elsewhere, to=reader, verb="view", reason="Joint fair", by=administrator())
    seen = access.visible(User.objects.get(pk=reader.pk), Campaign).values_list("region", flat=True)
    assert (set(seen), len(seen)) == ({"m7", "m8", "m9"}, MANY // MARKETS + 2)


def plan_of(statement):
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {statement}")
        return "\n".join(line for (line,) in cursor.fetchall())


@pytest.mark.parametrize("shared", [False, True])
def test_who_has_one_market_reads_no_list_of_campaigns_or_content_from_end_to_end(client, reader, shared):
    if shared:
        elsewhere = Campaign.objects.filter(region="m8").order_by("pk")[0]
        grant_access(elsewhere, to=reader, verb="view", reason="Joint fair", by=administrator())
        reader = User.objects.get(pk=reader.pk)
    client.force_login(reader)
    lists = {
        list_of(Campaign): "campaign_by_territory",
        list_of(CampaignRequest): "campaign_request_by_territory",
        list_of(ContentAsset): "content_by_territory",
        list_of(ContentVersion): "content_by_territory",
        f"{list_of(ContentAsset)}?q=Piece+47": "content_by_territory",
        reverse("campaign-calendar"): "campaign_by_territory",
    }
    for address, index in lists.items():
        asked = [each for each in asked_by(client, address) if "'m7'" in each]
        assert asked, address
        plans = [plan_of(each) for each in asked]
        assert not [plan for plan in plans if LARGE.search(plan)], "\n\n".join((address, *plans))
        assert any(index in plan for plan in plans), (address, plans)
        assert client.get(address).status_code == 200


@pytest.mark.parametrize(
    ("model", "order"),
    [(Campaign, ("-starts_on", "name")), (CampaignRequest, ("-asked_at", "-pk")), (ContentAsset, ("-pk",))],
)
def test_a_market_of_one_name_comes_in_the_order_of_its_list(reader, model, order):
    plan = access.visible(reader, model).order_by(*order)[:30].explain()
    assert "Sort" not in plan, plan
    # newest first is also the order of keys: with one row in forty of the market, that index finds a page as cheaply
    assert "by_territory" in plan or "Backward using content_contentasset_pkey" in plan, plan
