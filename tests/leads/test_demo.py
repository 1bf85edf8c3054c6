"""The demo: a company in every state, made by the people who would have done it."""

import datetime as dt
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from apps.accounts.models import User
from apps.approvals.models import ApprovalRequest, Decision
from apps.audit.models import AuditEvent
from apps.campaigns.enums import CampaignState
from apps.campaigns.models import Campaign
from apps.core.alerts.models import Alert
from apps.core.calendars.domain.queries import default_calendar
from apps.core.overdue import overdue_of
from apps.leads.demo.story import load_demo
from apps.leads.domain.predicting.fitting import LEAST_OF_EACH
from apps.leads.models import Lead, Prediction, PredictiveFit, Touchpoint
from apps.processes.enums import VersionState
from apps.processes.models import Process, SOPVersion
from apps.technology.enums import Lifecycle
from apps.technology.models import Tool
from tests.factories.leads import LeadFactory

pytestmark = pytest.mark.django_db


def states(model, name):
    return set(model.objects.values_list(name, flat=True))


def test_the_demo_is_alive_signed_and_the_same_every_time():
    said = []
    made = load_demo(dt.date(2026, 6, 15), say=said.append)
    assert said[:5] == ["  tools …", "  processes …", "  leads …", "  campaigns …", "  approvals …"]
    assert (made["tools"], made["processes"], made["leads"]) == (43, 28, 946)
    assert states(Campaign, "state") == set(CampaignState.values)
    assert states(SOPVersion, "state") == set(VersionState.values)
    assert set(Lifecycle.values) - states(Tool, "lifecycle") == {"approved"}
    assert states(ApprovalRequest, "state") == {*("in_review", "waiting", "approved", "changes_requested", "rejected")}
    for table in ("technology_tool", "processes_sop", "campaigns_campaign", "leads_lead", "approvals_decision"):
        assert not AuditEvent.objects.filter(table_name=table).unattributed().exists(), table
    assert not Decision.objects.filter(approver__email__contains="system").exists()
    assert default_calendar().versions.get().public_holidays["2026-03-08"] == "Women's Day"
    [stuck] = Alert.objects.filter(fingerprint__startswith="approvals.stuck:")
    assert "Trade fair Madrid" in stuck.subject_label
    late = overdue_of(User.objects.get(email="nadia.ferhat@example.com"), dt.date(2026, 6, 15))
    assert [str(each.thing) for each in late] == ["Nordic partner road show", "Eventbrite"]

    # enough is known of earlier leads that the predictive score is fitted, and told
    fit = PredictiveFit.objects.get()
    assert fit.is_used
    assert 0.7 < fit.auc < 0.9
    assert min(fit.positives, fit.rows - fit.positives) >= LEAST_OF_EACH
    assert Prediction.objects.count() > 400

    # what leads did names the campaigns they came by, and the newsletter they read
    by_campaign = Touchpoint.objects.exclude(campaign=None)
    assert by_campaign.values("campaign").distinct().count() > 3
    assert not by_campaign.filter(campaign__launched_at__isnull=True).exists()
    assert Touchpoint.objects.exclude(content_version=None).exists()

    # the same people every time
    lead = Lead.objects.get(external_id="100001")
    assert (lead.name, lead.company, lead.territory) == ("Julia Ahlgren", "Alpenblick Software", "DACH")
    assert Process.objects.get(title="Lead handoff").effective_version.effective_at.date() == dt.date(2026, 5, 28)


def test_it_fills_an_empty_installation_only():
    LeadFactory()
    with pytest.raises(CommandError, match="There are leads already; the demo fills an empty installation only"):
        call_command("load_demo", stdout=StringIO())
