"""Campaigns for tests."""

import datetime as dt
from decimal import Decimal

import factory

from apps.accounts.enums import Role
from apps.approvals.domain.decisions import approve
from apps.approvals.models import ApprovalRequest
from apps.campaigns.domain.approval import submit_campaign
from apps.campaigns.models import Audience, Campaign, ChecklistItem, Threshold, UtmLink
from apps.campaigns.registry import AudienceProvider, Members, register_provider
from apps.core import clock
from apps.core.actors import acting_as
from apps.core.transitions import transition
from tests.factories.accounts import TeamFactory, person_with

EVERYBODY = AudienceProvider(
    "tests",
    "Everybody",
    {},
    lambda selection: None,
    lambda selection, channel: Members([1, 2, 3]),
    lambda user, keys: [],
)
register_provider(EVERYBODY)


class CampaignFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Campaign

    name = factory.Sequence(lambda n: f"Campaign {n}")
    objective = "More qualified leads from the webinar series."
    audience = "Marketing managers in DACH, without customers."
    starts_on = dt.date(2026, 1, 1)
    ends_on = dt.date(2099, 12, 31)
    budget = Decimal("12000.00")
    success_metrics = "300 MQL at most 40 EUR each."
    owner_team = factory.SubFactory(TeamFactory)


def planned(*, author=None, **fields):
    """A complete plan, written by `author` alone."""
    author = author or person_with(Role.OPS)
    with acting_as(author):
        return CampaignFactory(**fields)


def sent(*, author=None, approver=None, watched=True, **fields):
    """The campaign and the request that waits for a decision about it."""
    author = author or person_with(Role.OPS)
    if approver is None:
        person_with(Role.APPROVER)
    campaign = planned(author=author, **fields)
    if watched:
        agree(campaign, by=author)
    submit_campaign(campaign, by=author)
    campaign.refresh_from_db()
    return campaign, ApprovalRequest.objects.get(object_id=campaign.pk, content_type__model="campaign")


def agree(campaign, *, by):
    """Agree on a threshold, as long as the campaign is planned."""
    with acting_as(by):
        Threshold.objects.create(campaign=campaign, metric="clicks", low=10, runbook="Look at the landing page.")


def approved(*, author=None, ready=True, **fields):
    """A campaign that somebody else approved, and (when `ready`) whose checklist somebody has settled."""
    author = author or person_with(Role.OPS)
    campaign, request = sent(author=author, **fields)
    approve(request, by=person_with(Role.APPROVER))
    freeze(campaign, by=author)
    link(campaign, by=author)
    if ready:
        settle_all(campaign, by=author)
    campaign.refresh_from_db()
    return campaign


def link(campaign, *, by, **values):
    """Plan a link of its own."""
    tag = f"campaign-{campaign.pk}"
    given = {"landing_url": "https://www.example.com/", "source": "newsletter", "medium": "email", "campaign_tag": tag}
    with acting_as(by):
        return UtmLink.objects.create(campaign=campaign, **{**given, **values})


def freeze(campaign, *, by):
    """Give it a frozen audience of three."""
    with acting_as(by), transition(Audience):
        Audience.objects.create(
            campaign=campaign,
            name="Everybody",
            provider=EVERYBODY.key,
            frozen_at=clock.now(),
            frozen_by=by,
            frozen_count=3,
            frozen_digest="of three",
        )


def settle_all(campaign, *, by):
    """Settle its checklist."""
    with acting_as(by), transition(ChecklistItem):
        campaign.checklist.update(state="done", evidence="Looked at.", settled_by=by, settled_at=clock.now())


WAY_TO = {
    "planning": (),
    "in_creative": ("in_creative",),
    "in_approval": ("in_approval",),
    "approved": ("in_approval", "approved"),
    "scheduled": ("in_approval", "approved", "scheduled"),
    "live": ("in_approval", "approved", "live"),
    "paused": ("in_approval", "approved", "live", "paused"),
    "completed": ("in_approval", "approved", "live", "completed"),
    "closed": ("in_approval", "approved", "live", "completed", "closed"),
    "cancelled": ("cancelled",),
}


def in_state(state, **fields):
    """A campaign that was brought to `state` the way the database allows, without anybody's operation."""
    return bring(CampaignFactory(**fields), state)


def bring(campaign, state):
    """Bring a planned campaign to `state` the way the database allows, without anybody's operation."""
    with transition(Campaign):
        rows = Campaign.objects.filter(pk=campaign.pk)
        rows.update(launched_at=clock.now(), results="x", scheduled_by=person_with())
        for each in WAY_TO[state]:
            rows.update(state=each, launch_at=clock.now() if each == "scheduled" else None)
    campaign.refresh_from_db()
    return campaign
