"""How much the pages of campaigns ask the database: the same with one and with three of everything, and not much."""

import datetime as dt

import pytest
from django.urls import reverse

from apps.accounts.enums import Role
from apps.campaigns.models import Campaign, CampaignTask
from apps.content.domain.linking import link_content
from apps.core.actors import acting_as
from tests.admin_pages import asked_by, list_of, page_of
from tests.factories.accounts import person_with
from tests.factories.campaigns import CampaignFactory, approved, in_state, link, planned
from tests.factories.content import asset

pytestmark = pytest.mark.django_db
GOAL, PAGE = 25, 60  # the page of a campaign is not at the goal yet


def test_page_of_a_campaign_asks_the_same_with_more_on_it(client):
    ops = person_with(Role.OPS)
    client.force_login(ops)
    campaign = approved(author=ops)

    def more(number):
        brief = asset(by=ops, title=f"Text {number}")
        link_content(brief, campaign, by=ops)
        link(campaign, by=ops, content=f"more-{number}")
        with acting_as(ops):
            CampaignTask.objects.create(campaign=campaign, title=f"Task {number}")
            campaign.checklist.create(title=f"Line {number}", kind="other")

    more(0)
    once = asked_by(client, page_of(campaign))
    more(1)
    more(2)
    thrice = asked_by(client, page_of(campaign))
    assert len(thrice) == len(once), "\n".join(sorted(set(thrice) - set(once)))
    assert len(once) <= PAGE, "\n".join(each[:230] for each in once)


@pytest.mark.parametrize("state", ["planning", "live", "closed"])
def test_page_asks_little_in_every_state(client, state):
    client.force_login(person_with(Role.OPS))
    asked = asked_by(client, page_of(in_state(state)))
    assert len(asked) <= PAGE, "\n".join(each[:230] for each in asked)


def test_lists_and_calendar_ask_little_for_everybody(client):
    day = dt.date(2099, 5, 4)
    for role in (Role.OPS, Role.SALES, Role.AUDITOR):
        client.force_login(person_with(role))
        for address in (list_of(Campaign), f"{reverse('campaign-calendar')}?from=2099-05&span=quarter"):
            planned(starts_on=day, ends_on=day)
            once = asked_by(client, address)
            CampaignFactory.create_batch(2, starts_on=day, ends_on=day)
            thrice = asked_by(client, address)
            assert len(once) == len(thrice) <= GOAL, (role, address, len(once), len(thrice))
