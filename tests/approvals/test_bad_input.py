"""What people do wrong with requests and stand-ins, through the pages: refused in words, nothing half applied."""

import datetime as dt

import pytest
from django.urls import reverse

from apps.accounts.enums import Role
from apps.accounts.models import Membership
from apps.approvals.domain.decisions import approve, refuse_decision, resubmit
from apps.approvals.domain.delegations import delegate
from apps.approvals.enums import Mode, RequestState
from apps.approvals.models import ApprovalRequest, Decision, Delegation
from apps.campaigns.enums import CampaignState
from apps.campaigns.models import Campaign
from apps.core import clock
from apps.core.actors import acting_as
from apps.core.transitions import transition
from tests.admin_pages import button_of
from tests.factories.accounts import person_with
from tests.factories.approvals import policy_with, stage
from tests.factories.campaigns import sent
from tests.factories.processes import in_review

pytestmark = pytest.mark.django_db
KIND = "campaigns.campaign"


def press(client, request):
    return client.post(button_of(request, "approve"), {"note": ""}, follow=True).content.decode()


def edit(campaign, author, **fields):
    """A change past the page, as somebody with the owner's rights in the database could make it."""
    rows = Campaign.objects.filter(pk=campaign.pk)
    with acting_as(author), transition(Campaign):
        rows.update(state=CampaignState.PLANNING)
        rows.update(**fields)
        rows.update(state=CampaignState.IN_APPROVAL)


def test_every_wrong_press_of_approve_is_refused_in_words(client):
    """A stale tab, an edit meanwhile, twice, after losing the right, in a stage that has not begun."""
    first, second, boss = person_with(Role.APPROVER), person_with(Role.APPROVER), person_with(Role.EXECUTIVE)
    plan = stage(1, Role.APPROVER, mode=Mode.SOME, needed=2, name="Plan")
    policy_with(plan, stage(2, Role.EXECUTIVE, name="Money"), kind=KIND)
    author = person_with(Role.OPS)
    campaign, stale = sent(author=author, approver=True)
    request = resubmit(stale, by=author)
    client.force_login(first)
    assert "is superseded; nothing is left to decide." in press(client, stale)
    edit(campaign, author, budget=1)
    assert "was changed since it was sent for approval" in press(client, request)
    edit(campaign, author, budget=campaign.budget)
    client.force_login(boss)
    theirs = "You decide in stage 2, Money, which has not begun: people with the role approver decide first, in Plan."
    assert theirs in press(client, request)
    assert not Decision.objects.exists()
    client.force_login(first)
    assert "1 more must follow" in press(client, request)
    assert "You have decided about this already; it waits for others." in press(client, request)
    client.force_login(second)
    Membership.objects.filter(person=second).update(archived_at=clock.now())
    assert client.post(button_of(request, "approve"), {"note": ""}).status_code in (302, 403, 404)
    assert Decision.objects.count() == 1
    assert ApprovalRequest.objects.get(pk=request.pk).state == RequestState.IN_REVIEW


# --- stand-ins


def away(person, stand_in, **fields):
    given = {"starts_at": clock.now() - dt.timedelta(hours=1), "ends_at": clock.now() + dt.timedelta(days=2)}
    return delegate(person, to_person=stand_in, by=person, **given, **fields)


def test_who_sent_it_does_not_decide_for_an_approver_either():
    approver, author = person_with(Role.APPROVER), person_with(Role.OPS)
    away(approver, author)
    _, request = sent(author=author, approver=True)
    said = "You sent this for approval yourself; somebody else has to decide."
    assert refuse_decision(author, request) == said
    assert refuse_decision(approver, request) is None


def test_two_stand_ins_decide_each_about_their_kind():
    approver, one, other = person_with(Role.APPROVER), person_with(Role.OPS), person_with(Role.OPS)
    away(approver, one, subject_kind=KIND)
    away(approver, other, subject_kind="processes.sopversion")
    _, campaign = sent(approver=True)
    version = in_review()
    none = "You are none of the approvers: people with the role approver decide here."
    assert [refuse_decision(one, campaign), refuse_decision(one, version)] == [None, none]
    assert [refuse_decision(other, campaign), refuse_decision(other, version)] == [none, None]


def test_who_stands_in_for_two_has_one_voice():
    first, second, stand_in = person_with(Role.APPROVER), person_with(Role.APPROVER), person_with(Role.OPS)
    policy_with(stage(1, Role.APPROVER, mode=Mode.SOME, needed=2), kind=KIND)
    _, request = sent(approver=True)
    away(first, stand_in)
    away(second, stand_in)
    approve(request, by=stand_in)
    assert refuse_decision(stand_in, request) == "You have decided about this already; it waits for others."
    assert Decision.objects.get().principal == first
    assert approve(request, by=second) == f"{request} is approved."


def test_a_delegation_is_given_in_the_time_zone_of_who_gives_it(client):
    """Nine in the morning in Tokyo is midnight in UTC: nobody stands in a minute earlier."""
    approver = person_with(Role.APPROVER, time_zone="Asia/Tokyo")
    stand_in = person_with(Role.OPS)
    client.force_login(approver)
    day = (clock.now() + dt.timedelta(days=30)).date()
    sent_form = {
        "from_person": approver.pk,
        "to_person": stand_in.pk,
        "subject_kind": "",
        "starts_at_0": f"{day}",
        "starts_at_1": "09:00:00",
        "ends_at_0": f"{day + dt.timedelta(days=1)}",
        "ends_at_1": "09:00:00",
        "reason": "Leave",
    }
    client.post(reverse("admin:approvals_delegation_add"), sent_form)
    given = Delegation.objects.get()
    midnight = dt.datetime.combine(day, dt.time(), dt.UTC)
    assert (given.starts_at, given.ends_at) == (midnight, midnight + dt.timedelta(days=1))
    holds = Delegation.objects.valid_at
    assert not holds(midnight - dt.timedelta(minutes=1)).exists()
    assert holds(midnight).exists()
    assert not holds(midnight + dt.timedelta(days=1)).exists()
