"""How much the pages of campaigns ask the database: the same with one and with three of everything, and not much."""

import datetime as dt
from decimal import Decimal

import pytest
from django.urls import reverse

from apps.accounts.enums import Role
from apps.campaigns.admin.campaign_panels import BOXES
from apps.campaigns.domain import budget
from apps.campaigns.domain.looking import look_now
from apps.campaigns.domain.performance import Figure, write_figures
from apps.campaigns.models import Audience, Campaign, CampaignTask
from apps.content.domain.linking import link_content
from apps.core import clock
from apps.core.actors import acting_as
from apps.core.transitions import transition
from apps.processes.domain.running import start_about
from tests.admin_pages import asked_by, list_of, page_of
from tests.factories.accounts import TeamFactory, person_with
from tests.factories.campaigns import CampaignFactory, approved, in_state, link, planned
from tests.factories.content import asset
from tests.factories.processes import ComplianceRuleFactory, ProcessFactory, effective, steps

pytestmark = pytest.mark.django_db
GOAL = 25


def parts_of(campaign):
    """The page of a campaign and the boxes that are fetched when somebody opens them."""
    kit, there = "admin:campaigns_campaign_kit", [name for name, box in BOXES.items() if box.suits(campaign)]
    return [page_of(campaign), *(reverse(kit, args=(campaign.pk, "boxes", name)) for name in there)]


def fill(campaign, ops, number):
    """One more of everything that hangs on a campaign."""
    brief = asset(by=ops, title=f"Text {number}")
    link_content(brief, campaign, by=ops)
    link(campaign, by=ops, content=f"more-{number}")
    with acting_as(ops):
        CampaignTask.objects.create(campaign=campaign, title=f"Task {number}", assignee=person_with(Role.OPS))
        campaign.checklist.create(title=f"Line {number}", kind="other")
    given = {"channel": "email", "month": dt.date(2026, 3, 1), "amount": Decimal(10), "reference": f"PO-{number}"}
    budget.enter(campaign, by=ops, kind="committed", **given)
    write_figures([Figure(campaign.pk, f"metric {number}", dt.date(2026, 5, 1), Decimal(number))])
    version = effective(ProcessFactory(title=f"Check {number}"), flow=steps("Look"))
    start_about(campaign, by=ops, process=version.process)
    with acting_as(ops), transition(Audience):
        frozen = {"frozen_at": clock.now(), "frozen_by": ops, "frozen_count": 3, "frozen_digest": "of three"}
        selects = {"provider": "leads", "selection": {"territory": [f"T{number}"]}}
        Audience.objects.create(campaign=campaign, name=f"People {number}", **selects, **frozen)
    ComplianceRuleFactory(title=f"Rule {number}", check_key=("campaigns.retention", "campaigns.consent")[number % 2])


def test_page_of_a_full_campaign_asks_little_and_the_same_with_more_on_it(client):
    ops = person_with(Role.OPS)
    client.force_login(ops)
    owners = {"owner_person": ops, "backup_person": person_with(Role.OPS), "backup_team": TeamFactory()}
    campaign = approved(author=ops, main_channel="email", **owners)
    fill(campaign, ops, 0)
    look_now(campaign, by=ops)
    once = [asked_by(client, address) for address in parts_of(campaign)]
    fill(campaign, ops, 1)
    fill(campaign, ops, 2)
    for address, before in zip(parts_of(campaign), once, strict=True):
        after = asked_by(client, address)
        assert len(after) == len(before), "\n".join(sorted(set(after) - set(before)))
        assert len(after) < GOAL, f"{address}: {len(after)}\n" + "\n".join(each[:230] for each in after)


@pytest.mark.parametrize("state", ["planning", "live", "closed"])
def test_page_asks_little_in_every_state(client, state):
    campaign = in_state(state)
    for role in (Role.OPS, Role.AUDITOR, Role.APPROVER, Role.EXECUTIVE):
        client.force_login(person_with(role))
        for address in parts_of(campaign):
            asked = asked_by(client, address)
            assert len(asked) < GOAL, f"{address}: {len(asked)}\n" + "\n".join(each[:230] for each in asked)


def test_lists_and_calendar_ask_little_for_everybody(client):
    day = dt.date(2099, 5, 4)
    for role in (Role.OPS, Role.SALES, Role.AUDITOR):
        client.force_login(person_with(role))
        for address in (list_of(Campaign), f"{reverse('campaign-calendar')}?from=2099-05&span=quarter"):
            planned(starts_on=day, ends_on=day)
            once = asked_by(client, address)
            CampaignFactory.create_batch(2, starts_on=day, ends_on=day)
            thrice = asked_by(client, address)
            assert len(once) == len(thrice) < GOAL, (role, address, len(once), len(thrice))
