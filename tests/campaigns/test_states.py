"""Every move, every state, every role; what the database keeps of it; pauses and the way back."""

import datetime as dt

import pytest
from django.db import DatabaseError, transaction

from apps.accounts.enums import Role
from apps.campaigns.domain import closure, running, scheduling, working
from apps.campaigns.domain.approval import submit_campaign
from apps.campaigns.domain.intervals import cycle_times_by_template, intervals_of
from apps.campaigns.domain.launch import launch_campaign
from apps.campaigns.domain.moves import refuse_move
from apps.campaigns.enums import MOVES, CampaignState
from apps.campaigns.models import Campaign, StateChange
from apps.core.admin_kit.refusals import sentence_of
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.core.transitions import transition
from apps.processes.models import Process, Run
from tests.factories.accounts import person_with
from tests.factories.campaigns import approved, in_state, planned
from tests.factories.processes import ProcessFactory, effective, steps

pytestmark = pytest.mark.django_db
NOON = dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
# button → (its refusal, the states it works in)
WAYS = {
    "creative": (working.refuse_creative, {"planning"}),
    "return": (working.refuse_return, {"in_creative", "approved", "scheduled"}),
    "schedule": (scheduling.refuse_schedule, {"approved"}),
    "unschedule": (scheduling.refuse_unschedule, {"scheduled"}),
    "pause": (running.refuse_pause, {"live"}),
    "resume": (running.refuse_resume, {"paused"}),
    "complete": (closure.refuse_completion, {"live", "paused"}),
    "cancel": (closure.refuse_cancellation, {"planning", "in_creative", "approved", "scheduled", "live", "paused"}),
}


def test_every_way_in_every_state_for_every_role():
    people = {role: person_with(*([role] if role else [])) for role in (None, *Role)}
    for state in CampaignState:
        campaign = in_state(state)
        for role, person in people.items():
            works = {name for name, (refuse, _) in WAYS.items() if refuse(person, campaign) is None}
            expected = {name for name, (_, states) in WAYS.items() if state in states} if role == Role.OPS else set()
            assert works == expected, (state, role)
            moves = {to for to in CampaignState if refuse_move(person, campaign, to) is None}
            assert moves == (set(MOVES[state]) if role == Role.OPS else set()), (state, role)


def test_the_database_refuses_every_other_move_and_keeps_the_trail():
    for state in CampaignState:
        campaign = in_state(state)
        for to in set(CampaignState) - set(MOVES[state]) - {state}:
            with pytest.raises(DatabaseError) as caught, transaction.atomic(), transition(Campaign):
                Campaign.objects.filter(pk=campaign.pk).update(state=to)
            assert sentence_of(caught.value).startswith("A campaign does not go from the one state to the other")
    way = StateChange.objects.filter(campaign=in_state("paused")).values_list("was", "state")
    assert list(way) == [
        *(("", "planning"), ("planning", "in_approval"), ("in_approval", "approved")),
        *(("approved", "live"), ("live", "paused")),
    ]
    change = StateChange.objects.first()
    with pytest.raises(DatabaseError), transaction.atomic():
        StateChange.objects.filter(pk=change.pk).update(reason="Something else.")


def test_creative_work_begins_the_checklist_and_the_standard_process_once():
    version = effective(ProcessFactory(title="Campaign delivery"), flow=steps("Plan", "Close"))
    Process.objects.filter(pk=version.process_id).update(starts_with=working.BEGUN)
    ops = person_with(Role.OPS)
    person_with(Role.APPROVER)
    assert working.refuse_creative(ops, planned(audience="")) == (
        "Say first what it is to achieve and whom it addresses; creative work needs objective and audience."
    )
    campaign = planned(author=ops, name="Spring")
    said = working.begin_creative(campaign, by=ops)
    assert said == "Spring is in creative work. Campaign delivery: Spring was started: 2 steps."
    assert (campaign.checklist.count(), Run.objects.get().subject) == (5, campaign)
    assert submit_campaign(campaign, by=ops) == "Spring is in approval; 1 approval must come in."
    assert (Run.objects.count(), campaign.checklist.count()) == (1, 5)
    campaign.refresh_from_db()
    assert working.refuse_return(ops, campaign) == "Spring is in approval; withdraw the request first."


def test_an_approved_plan_goes_back_and_must_be_approved_again():
    ops = person_with(Role.OPS)
    campaign = approved(author=ops, name="Spring")
    with pytest.raises(InvalidInput, match="Say why it goes back to planning"):
        working.return_to_plan(campaign, by=ops, reason=" ")
    with pytest.raises(NotAllowed, match="You may not change Spring"):
        working.return_to_plan(campaign, by=person_with(Role.AUDITOR), reason="x")
    assert working.return_to_plan(campaign, by=ops, reason="New price.") == "Spring is being planned again."
    with pytest.raises(WrongState, match="Spring is planning; it cannot become live now"):
        launch_campaign(campaign, by=ops, at=NOON)


def test_pause_and_resume_keep_their_reasons():
    ops = person_with(Role.OPS)
    campaign = approved(author=ops, name="Spring", ends_on=dt.date(2026, 6, 30))
    launch_campaign(campaign, by=ops, at=NOON)
    with pytest.raises(InvalidInput, match="Say why it is paused"):
        running.pause_campaign(campaign, by=ops, reason="")
    said = running.pause_campaign(campaign, by=ops, reason="Server down.", at=NOON + dt.timedelta(hours=3))
    assert said == "Spring is paused. Stop it in its channels too: mops records the pause, the tools carry it out."
    campaign.refresh_from_db()
    july = dt.date(2026, 7, 1)
    assert running.refuse_resume(ops, campaign, today=july) == "The last day of Spring has passed; complete it."
    with pytest.raises(InvalidInput, match="Say what was done"):
        running.resume_campaign(campaign, by=ops, reason=" ", at=NOON)
    later = NOON + dt.timedelta(hours=5)
    assert running.resume_campaign(campaign, by=ops, reason="Repaired.", at=later) == "Spring is live again."
    with pytest.raises(WrongState, match="Spring is live; only what is paused goes on"):
        running.resume_campaign(campaign, by=ops, reason="Again.", at=later)
    campaign.refresh_from_db()
    assert campaign.launched_at == NOON
    trail = [(each.state, each.words, each.reason) for each in intervals_of(campaign, later)][-3:]
    assert trail == [("live", "3 h", ""), ("paused", "2 h", "Server down."), ("live", "0 min", "Repaired.")]
    (line,) = cycle_times_by_template(NOON - HOUR)
    assert (line.label, line.cycle.sent, line.cycle.launched) == ("Without a template", 1, 1)
    assert cycle_times_by_template(NOON + HOUR) == []


def test_a_change_of_the_plan_voids_a_scheduled_launch_too():
    campaign = in_state("scheduled")
    Campaign.objects.filter(pk=campaign.pk).update(budget=99)
    campaign.refresh_from_db()
    assert (campaign.state, campaign.launch_at, campaign.scheduled_by) == ("planning", None, None)
    newest = StateChange.objects.filter(campaign=campaign).last()
    assert (newest.was, newest.state) == ("scheduled", "planning")
