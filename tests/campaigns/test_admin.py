"""The pages of campaigns."""

import html

import pytest
from django.urls import reverse

from apps.accounts.enums import Role
from apps.campaigns.models import Campaign
from tests.admin_pages import assert_same_queries, button_of, list_of, page_of, whole_page_of
from tests.factories.accounts import person_with
from tests.factories.campaigns import (
    CampaignFactory,
    agree,
    approved,
    freeze,
    in_state,
    link,
    planned,
    sent,
    settle_all,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def ops(client):
    person = person_with(Role.OPS)
    client.force_login(person)
    return person


def form_of(campaign, **changed):
    form = {
        **{
            name: getattr(campaign, name)
            for name in ("name", "objective", "audience", "main_channel", "success_metrics")
        },
        **{name: getattr(campaign, name) for name in ("starts_on", "ends_on", "budget", "currency")},
        "owner_team": campaign.owner_team_id,
        "opened_version": campaign.row_version,
    }
    return {**form, **changed}


def test_list_costs_the_same_at_one_and_three_rows(client, ops):
    CampaignFactory()
    assert assert_same_queries(client, list_of(Campaign), lambda: CampaignFactory.create_batch(2)) <= 20


def test_page_lists_what_is_open_before_the_launch(client, ops):
    page = client.get(whole_page_of(planned(audience=""))).content.decode()
    assert "still missing: audience" in page
    assert "send it for approval" in page


def test_plan_is_sent_approved_and_launched(client, ops):
    approver = person_with(Role.APPROVER)
    campaign = planned(author=ops, name="Spring")
    agree(campaign, by=ops)
    done = client.post(button_of(campaign, "submit"), {"note": ""}, follow=True).content.decode()
    assert "Spring is in approval; 1 approval must come in." in done
    assert client.post(page_of(campaign), form_of(campaign, budget=1)).status_code == 403
    request = campaign_request(campaign)
    client.force_login(approver)
    assert (
        "Spring is approved." in client.post(button_of(request, "approve"), {"note": ""}, follow=True).content.decode()
    )
    client.force_login(ops)
    said = client.post(button_of(campaign, "launch"), {"note": ""}, follow=True).content.decode()
    assert "It cannot go live yet. The launch checklist is done: no, still open: Creative review" in said
    freeze(campaign, by=ops)
    link(campaign, by=ops)
    settle_all(campaign, by=ops)
    assert "Spring is live." in client.post(button_of(campaign, "launch"), {"note": ""}, follow=True).content.decode()


def campaign_request(campaign):
    from apps.approvals.models import ApprovalRequest

    return ApprovalRequest.objects.get(object_id=campaign.pk, content_type__model="campaign")


def test_a_material_edit_in_the_form_voids_the_approval(client, ops):
    campaign = approved()
    assert "voids the approval" in client.get(page_of(campaign)).content.decode()
    saved = client.post(page_of(campaign), form_of(campaign, budget="99.00"), follow=True).content.decode()
    assert "the approval is void and the plan is back in planning" in saved
    campaign.refresh_from_db()
    assert campaign.state == "planning"


def test_saving_without_a_change_keeps_the_approval(client, ops):
    campaign = approved()
    saved = client.post(page_of(campaign), form_of(campaign), follow=True).content.decode()
    assert "back in planning" not in saved
    campaign.refresh_from_db()
    assert campaign.state == "approved"


def test_crossed_dates_are_refused_at_the_form(client, ops):
    campaign = planned(author=ops)
    page = client.post(page_of(campaign), form_of(campaign, ends_on="2020-01-01")).content.decode()
    assert "A campaign cannot end before it starts; look at the two dates." in page


def test_approver_reads_and_auditor_changes_nothing(client):
    campaign, request = sent()
    for role in (Role.APPROVER, Role.AUDITOR):
        client.force_login(person_with(role))
        assert client.get(page_of(campaign)).status_code == 200
        assert client.post(page_of(campaign), form_of(campaign, name="Mine")).status_code == 403
        client.post(button_of(campaign, "cancel"), {"reason": "x"})
    assert Campaign.objects.get().state == "in_approval"
    assert request.state == "in_review"


def test_a_box_of_a_campaign_that_went_on_says_so(client, ops):
    """The clock launches a campaign while its page stands open: the box that is gone is no error."""
    scheduled, live = in_state("scheduled"), in_state("live")
    kit = "admin:campaigns_campaign_kit"
    before, after = (client.get(reverse(kit, args=(each.pk, "boxes", "dates"))) for each in (scheduled, live))
    assert (before.status_code, after.status_code) == (200, 200)
    gone = "“What speaks against its dates” is no part of it any more"
    assert gone not in before.content.decode()
    assert gone in after.content.decode()
    assert page_of(live) in after.content.decode()


def test_sending_says_what_the_plan_still_lacks(client):
    ops = person_with(Role.OPS)
    client.force_login(ops)
    campaign = CampaignFactory(budget=None, success_metrics="", owner_person=ops)
    page = html.unescape(client.get(page_of(campaign)).content.decode())
    assert "Send for approval" in page
    assert "The plan is not complete; still missing: budget, success metrics." in page
    client.force_login(person_with(Role.AUDITOR))
    assert "Send for approval" not in client.get(page_of(campaign)).content.decode()
