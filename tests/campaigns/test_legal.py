"""Compliance rules about campaigns, narrowed by region and channel, and what a launch says about them."""

import datetime as dt

import pytest

from apps.accounts.enums import Role
from apps.campaigns import legal
from apps.campaigns.domain.audiences import freeze_audience
from apps.campaigns.domain.checklist import settle
from apps.campaigns.domain.launch import refuse_launch
from apps.campaigns.models import Audience, Campaign, ChecklistItem
from apps.content.domain.linking import link_content
from apps.core import clock
from apps.core.actors import acting_as
from apps.leads.domain.consent import record_consent
from tests.factories.accounts import person_with
from tests.factories.campaigns import approved, freeze, planned
from tests.factories.content import GOOD, approved_version
from tests.factories.leads import LeadFactory
from tests.factories.processes import ComplianceRuleFactory

pytestmark = pytest.mark.django_db
NOON = dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC)


def asked(check, campaign):
    return check(Campaign.objects.filter(pk=campaign.pk), clock.now()).get(campaign.pk)


def test_consent_is_asked_of_whoever_keeps_it():
    ops = person_with(Role.OPS)
    yes, no = LeadFactory(email="a@example.com", territory="DACH"), LeadFactory(email="b@example.com", territory="DACH")
    record_consent(yes, purpose="marketing_email", is_given=True, evidence="Form of May", by=ops)
    campaign = planned(author=ops)
    freeze(campaign, by=ops)
    assert asked(legal.consent_given, campaign) == "Nobody can tell who of “Everybody” said yes."
    Audience.objects.filter(campaign=campaign).update(archived_at=clock.now())
    with acting_as(ops):
        row = Audience.objects.create(
            campaign=campaign, name="DACH", provider="leads", selection={"territory": ["DACH"]}
        )
    assert asked(legal.consent_given, campaign) is None  # not frozen: the gate says so itself
    freeze_audience(row, by=ops)
    assert asked(legal.consent_given, campaign) == "1 of 2 people of “DACH” have not said yes to it."
    record_consent(no, purpose="marketing_email", is_given=True, evidence="Call", by=ops)
    assert asked(legal.consent_given, campaign) is None


def test_a_rule_for_a_region_and_channel_stops_the_launch_until_there_is_evidence():
    ops, lawyer = person_with(Role.OPS), person_with(Role.OPS)
    dach = approved(author=ops, name="Spring", region="DACH", owner_person=ops)
    nordic = approved(author=ops, name="Fjord", region="Nordics")
    where = {"all": [{"field": "region", "op": "contains", "value": "DACH"}]}
    ComplianceRuleFactory(title="Retention", check_key="campaigns.retention", scope={"predicate": where})
    assert refuse_launch(ops, nordic, today=NOON.date()) is None
    refused = refuse_launch(ops, dach, today=NOON.date())
    assert "Compliance rules are met: no" in refused
    assert "No settled line “Retention: …” says how long" in refused
    with acting_as(ops):
        line = ChecklistItem.objects.create(campaign=dach, kind="legal", title="Retention: twelve months")
    settle(line, by=lawyer, evidence="Agreed with the data protection officer, folder 9.")
    assert refuse_launch(ops, dach, today=NOON.date()) is None
    assert asked(legal.looked_at_by_another, dach) == "“Legal compliance” was settled by who answers for the campaign."
    assert asked(legal.basis_settled, dach).startswith("No settled line “Consent basis: …”")


def test_an_imprint_is_looked_for_in_what_a_campaign_shows():
    ops = person_with(Role.OPS)
    campaign = planned(author=ops)
    text = approved_version(by=ops)
    link_content(text.asset, campaign, by=ops)
    assert asked(legal.has_imprint, campaign) == "“Autumn mail” has neither an imprint nor a link to one."
    other = planned(author=ops)
    good = approved_version(by=ops, body=GOOD.replace("Read more.", "{{ imprint }}"))
    link_content(good.asset, other, by=ops)
    assert asked(legal.has_imprint, other) is None
