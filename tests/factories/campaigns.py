"""Campaigns for tests."""

import datetime as dt
from decimal import Decimal

import factory

from apps.accounts.enums import Role
from apps.approvals.domain.decisions import approve
from apps.approvals.models import ApprovalRequest
from apps.campaigns.domain.approval import submit_campaign
from apps.campaigns.models import Campaign
from apps.core.actors import acting_as
from tests.factories.accounts import TeamFactory, person_with


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


def sent(*, author=None, approver=None, **fields):
    """The campaign and the request that waits for a decision about it."""
    author = author or person_with(Role.OPS)
    if approver is None:
        person_with(Role.APPROVER)
    campaign = planned(author=author, **fields)
    submit_campaign(campaign, by=author)
    campaign.refresh_from_db()
    return campaign, ApprovalRequest.objects.get(object_id=campaign.pk, content_type__model="campaign")


def approved(*, author=None, **fields):
    """A campaign that somebody else approved."""
    campaign, request = sent(author=author, **fields)
    approve(request, by=person_with(Role.APPROVER))
    campaign.refresh_from_db()
    return campaign
