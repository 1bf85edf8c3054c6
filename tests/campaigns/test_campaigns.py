"""Campaigns from plan to closure, and what the database keeps."""

import datetime as dt

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from apps.accounts.enums import Role
from apps.approvals.domain.decisions import approve, reject, withdraw
from apps.audit.models import AuditEvent
from apps.campaigns.domain.approval import refuse_submission, submit_campaign
from apps.campaigns.domain.closure import cancel_campaign, close_campaign, complete_campaign, refuse_cancellation
from apps.campaigns.domain.launch import launch_campaign, launch_conditions, refuse_launch
from apps.campaigns.domain.moves import refuse_move
from apps.campaigns.domain.queries import overdue_campaigns
from apps.campaigns.enums import MOVES, CampaignState
from apps.campaigns.models import Campaign
from apps.core.actors import acting_as
from apps.core.admin_kit.refusals import sentence_of
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.core.transitions import transition
from tests.factories.accounts import person_with
from tests.factories.campaigns import CampaignFactory, approved, in_state, planned, sent

pytestmark = pytest.mark.django_db
NOON = dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC)


def live(**fields):
    campaign = approved(**fields)
    launch_campaign(campaign, by=person_with(Role.OPS), at=NOON)
    campaign.refresh_from_db()
    return campaign


def test_only_the_moves_of_the_table_work():
    person = person_with(Role.OPS)
    for state in CampaignState:
        campaign = in_state(state)
        assert {to for to in CampaignState if refuse_move(person, campaign, to) is None} == set(MOVES[state])


def test_the_whole_way():
    ops = person_with(Role.OPS)
    campaign = live(author=ops, name="Spring")
    assert (campaign.state, campaign.launched_at) == (CampaignState.LIVE, NOON)
    assert complete_campaign(campaign, by=ops) == "Spring is completed; close it with its results."
    assert close_campaign(campaign, by=ops, results="280 MQL at 43 EUR", lessons="Start earlier.") == (
        "Spring is closed; its figures are frozen."
    )
    states = [event.changes["state"] for event in AuditEvent.objects.of_object(campaign) if "state" in event.changes]
    assert [state[1] for state in reversed(states)] == [
        *("planning", "in_approval", "approved", "live", "completed", "closed")
    ]


def test_an_incomplete_plan_is_not_sent():
    campaign = CampaignFactory(name="Spring", audience="", budget=None, owner_team=None)
    sentence = "The plan is not complete; still missing: audience, budget, owner."
    assert refuse_submission(person_with(Role.OPS), campaign) == sentence
    with pytest.raises(WrongState, match="still missing: audience, budget, owner"):
        submit_campaign(campaign, by=person_with(Role.OPS))


def test_who_wrote_the_plan_does_not_approve_it():
    author = person_with(Role.OPS, Role.APPROVER)
    _, request = sent(author=author)
    with pytest.raises(NotAllowed, match="You sent this for approval yourself"):
        approve(request, by=author)


@pytest.mark.parametrize(
    "decide",
    [lambda r: reject(r, by=person_with(Role.APPROVER), reason="Too dear."), lambda r: withdraw(r, by=r.requester)],
)
def test_refused_or_withdrawn_it_is_planned_again(decide):
    campaign, request = sent()
    decide(request)
    campaign.refresh_from_db()
    assert campaign.state == CampaignState.PLANNING


FIXED = "The plan is fixed from the moment it is sent for approval; withdraw it to change it."
BUTTONS = "A campaign moves by the buttons on its page, not by an edit."


@pytest.mark.parametrize(
    ("change", "sentence"),
    [({"budget": 99}, FIXED), ({"audience": "everybody"}, FIXED), ({"state": "approved"}, BUTTONS)],
)
def test_database_fixes_the_plan_while_it_is_decided(change, sentence):
    campaign, _ = sent()
    with pytest.raises(DatabaseError) as caught, transaction.atomic():
        Campaign.objects.filter(pk=campaign.pk).update(**change)
    assert sentence_of(caught.value) == sentence


def by_save(campaign):
    campaign.budget = 99
    campaign.save()


def by_update(campaign):
    Campaign.objects.filter(pk=campaign.pk).update(budget=99)


@pytest.mark.parametrize("way", [by_save, by_update])
def test_a_material_change_voids_the_approval_on_every_way(way):
    campaign, editor = approved(), person_with(Role.OPS)
    with acting_as(editor):
        way(campaign)
    campaign.refresh_from_db()
    assert campaign.state == CampaignState.PLANNING
    newest = campaign.history.order_by("-history_id").first()
    assert (newest.state, newest.actor_label) == (CampaignState.PLANNING, editor.email)
    assert AuditEvent.objects.of_object(campaign).first().changes["state"] == ["approved", "planning"]


def test_a_change_that_is_not_material_keeps_the_approval():
    campaign = approved()
    campaign.owner_person = person_with(Role.OPS)
    campaign.save()
    assert Campaign.objects.get(pk=campaign.pk).state == CampaignState.APPROVED
    assert refuse_launch(person_with(Role.OPS), campaign, today=NOON.date()) is None


def test_after_a_change_the_editor_does_not_approve_the_next_round():
    campaign, editor = approved(), person_with(Role.OPS, Role.APPROVER)
    with acting_as(editor):
        by_save(campaign)
    campaign.refresh_from_db()
    submit_campaign(campaign, by=person_with(Role.OPS))
    request = campaign_request(campaign)
    with pytest.raises(NotAllowed, match="You changed this yourself since it was last approved"):
        approve(request, by=editor)
    assert request.before["budget"] == "12000"


def campaign_request(campaign):
    from apps.approvals.models import ApprovalRequest

    return ApprovalRequest.objects.get(object_id=campaign.pk, content_type__model="campaign", state="in_review")


def test_who_edited_before_the_last_approval_may_approve_the_next():
    author = person_with(Role.OPS, Role.APPROVER)
    campaign = approved(author=author)
    with acting_as(person_with(Role.OPS)):
        by_save(campaign)
    campaign.refresh_from_db()
    submit_campaign(campaign, by=person_with(Role.OPS))
    assert approve(campaign_request(campaign), by=author) == f"{campaign} is approved."


@pytest.mark.parametrize(
    ("fields", "today", "way_out"),
    [
        ({"starts_on": dt.date(2026, 7, 1)}, NOON.date(), "the start is 1 July 2026"),
        ({"ends_on": dt.date(2026, 5, 31)}, NOON.date(), "its last day has passed; plan new dates"),
    ],
)
def test_each_condition_alone_stops_the_launch(fields, today, way_out):
    campaign = approved(**fields)
    assert [each.way_out for each in launch_conditions(campaign, today) if not each.is_met] == [way_out]
    with pytest.raises(WrongState, match="It cannot go live yet"):
        launch_campaign(campaign, by=person_with(Role.OPS), at=NOON)


def test_what_is_approved_must_be_what_goes_live():
    campaign = approved()
    with transition(Campaign):
        Campaign.objects.filter(pk=campaign.pk).update(budget=99)
        for state in (CampaignState.IN_APPROVAL, CampaignState.APPROVED):
            Campaign.objects.filter(pk=campaign.pk).update(state=state)
    campaign.refresh_from_db()
    assert "The plan is approved as it is now: no" in refuse_launch(person_with(Role.OPS), campaign, today=NOON.date())


def test_a_planned_campaign_does_not_go_live():
    with pytest.raises(WrongState, match="Spring is planning; it cannot become live now"):
        launch_campaign(planned(name="Spring"), by=person_with(Role.OPS))


def test_it_is_not_closed_without_results():
    campaign, ops = live(), person_with(Role.OPS)
    complete_campaign(campaign, by=ops)
    with pytest.raises(InvalidInput, match="Write what was learned before you close it"):
        close_campaign(campaign, by=ops, results="x", lessons=" ")
    with pytest.raises(InvalidInput, match="Write what came out before you close it"):
        close_campaign(campaign, by=ops, results="  ", lessons="x")


def test_cancelling_takes_a_reason_and_no_open_request():
    ops = person_with(Role.OPS)
    with pytest.raises(InvalidInput, match="Say why it is cancelled"):
        cancel_campaign(planned(), by=ops, reason=" ")
    campaign, _ = sent(name="Spring")
    assert refuse_cancellation(ops, campaign) == "Spring is in approval; withdraw the request first."
    other = planned(name="Autumn")
    assert cancel_campaign(other, by=ops, reason="No budget left.") == "Autumn is cancelled."
    assert AuditEvent.objects.of_object(other).first().reason == "No budget left."


@pytest.mark.parametrize("operation", [submit_campaign, launch_campaign, complete_campaign])
def test_an_auditor_moves_nothing(operation):
    with pytest.raises(NotAllowed, match="You may not change"):
        operation(planned(), by=person_with(Role.AUDITOR))


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        (
            {"starts_on": dt.date(2026, 2, 1), "ends_on": dt.date(2026, 1, 1)},
            "A campaign cannot end before it starts; look at the two dates.",
        ),
        ({"budget": -1}, "A budget cannot be less than nothing."),
        ({"currency": "eu"}, "A currency is three capital letters, for instance EUR."),
    ],
)
def test_database_refuses_what_cannot_be(fields, sentence):
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        CampaignFactory(**fields)
    assert sentence_of(caught.value) == sentence


def test_overdue_are_those_not_launched_and_those_not_ended():
    ops = person_with(Role.OPS)
    late = planned(author=ops, name="Late", owner_person=ops)
    running = live(name="Running", owner_person=ops, ends_on=dt.date(2026, 6, 30))
    planned(name="Other", owner_person=person_with(Role.OPS))
    found = overdue_campaigns(ops, dt.date(2026, 7, 2))
    assert {(each.thing, each.to_do) for each in found} == {
        (late, "should have been launched"),
        (running, "is past its last day: complete it"),
    }
