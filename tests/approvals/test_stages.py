"""Stages, stand-ins, conditions, dates and emergencies."""

import datetime as dt

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from apps.accounts.domain.roles import synchronise_groups_of
from apps.accounts.enums import Role
from apps.accounts.models import Membership, User
from apps.approvals.domain import watching
from apps.approvals.domain.decisions import (
    abstain,
    approve,
    approve_with_conditions,
    refuse_decision,
    reject,
    request_approval,
    resubmit,
)
from apps.approvals.domain.definition import Definition, Named, Row
from apps.approvals.domain.delegations import delegate, end_delegation
from apps.approvals.domain.effects import carry_out, close_condition, expire, revoke
from apps.approvals.domain.eligibility import eligible
from apps.approvals.domain.emergencies import approve_in_emergency, review_emergency
from apps.approvals.domain.inbox import waiting_for
from apps.approvals.domain.policies import install_version
from apps.approvals.enums import Mode, Part, RequestState, StageState, Via
from apps.approvals.models import (
    ApprovalCondition,
    ApprovalPolicy,
    ApprovalRequest,
    BreakGlass,
    Decision,
    Delegation,
    StageInstance,
)
from apps.approvals.registry import subject_of
from apps.campaigns.enums import CampaignState
from apps.campaigns.models import Campaign
from apps.core import clock
from apps.core.admin_kit.refusals import sentence_of
from apps.core.alerts.enums import AlertState
from apps.core.alerts.models import Alert
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.core.transitions import transition
from tests.factories.accounts import TeamFactory, person_with
from tests.factories.approvals import ALWAYS, policy_with, stage
from tests.factories.campaigns import planned, sent

pytestmark = pytest.mark.django_db
KIND = "campaigns.campaign"
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def crew():
    """Two approvers and two executives."""
    return [person_with(role) for role in (Role.APPROVER, Role.APPROVER, Role.EXECUTIVE, Role.EXECUTIVE)]


def two_stages(**fields):
    first, second = stage(1, Role.APPROVER, name="Content"), stage(2, Role.EXECUTIVE, Role.APPROVER, name="Money")
    return policy_with(first, second, kind=KIND, **fields)


def send(**fields):
    _, request = sent(approver=True, **fields)
    return request


def state_of(request):
    return ApprovalRequest.objects.get(pk=request.pk).state


def campaign_of(request):
    return Campaign.objects.get(pk=request.object_id)


def test_the_second_stage_begins_when_the_first_is_approved(crew):
    two_stages()
    request = send()
    theirs = "You decide in stage 2, Money, which has not begun: people with the role approver decide first, in "
    assert refuse_decision(crew[2], request) == f"{theirs}Content."
    said = approve(request, by=crew[0])
    assert said == f"Your approval of {request} counts; stage 2, Money, decides next."
    assert campaign_of(request).state == CampaignState.IN_APPROVAL
    assert approve(request, by=crew[2]) == f"{request} is approved."
    assert campaign_of(request).state == CampaignState.APPROVED
    assert [each.state for each in request.stages.all()] == [StageState.APPROVED, StageState.APPROVED]


def test_nobody_decides_in_two_stages(crew):
    two_stages()
    request = send()
    approve(request, by=crew[0])
    assert refuse_decision(crew[0], request) == (
        "You have decided in another stage of this request; nobody decides in two."
    )
    assert approve(request, by=crew[1]) == f"{request} is approved."


def test_where_the_policy_lets_them_somebody_decides_twice(crew):
    two_stages(distinct_stages=False)
    request = send()
    approve(request, by=crew[0])
    assert approve(request, by=crew[0]) == f"{request} is approved."


def test_a_stage_that_has_not_begun_is_not_decided(crew):
    two_stages()
    request = send()
    later = request.stages.get(position=2)
    found = eligible(crew[2], later)
    assert found.refusal.message == "Stage 2, Money, has not begun: the one before is not approved yet."


def test_the_table_chooses_the_stages(crew):
    stages = stage(1, Role.APPROVER), stage(2, Role.EXECUTIVE)
    rows = (
        Row("Large budgets", {"all": [{"field": "budget", "op": "gte", "value": 10000}]}, (1, 2)),
        Row("Others", {"all": []}, (1,)),
    )
    policy_with(*stages, kind=KIND, rows=rows)
    assert send(budget=12000).stages.count() == 2
    small = send(budget=500)
    assert (small.stages.count(), small.rule) == (1, "Others")


def test_all_of_them_and_the_required_one(crew):
    needed = Named(Via.PERSON, str(crew[2].pk), Part.REQUIRED)
    policy_with(stage(1, Role.APPROVER, needed, mode=Mode.SOME, needed=2), kind=KIND)
    request = send()
    approve(request, by=crew[0])
    approve(request, by=crew[1])
    assert state_of(request) == RequestState.IN_REVIEW
    assert approve(request, by=crew[2]) == f"{request} is approved."


def test_without_veto_a_refusal_waits_for_the_others(crew):
    policy_with(stage(1, *crew[:3], mode=Mode.SOME, needed=2, veto=False), kind=KIND)
    request = send()
    assert reject(request, by=crew[0], reason="no") == f"Your refusal of {request} counts; the others are still asked."
    assert reject(request, by=crew[1], reason="no") == f"{request}: rejected."
    assert campaign_of(request).state == CampaignState.PLANNING


def test_a_right_lost_between_two_approvals_takes_the_first_one_with_it(crew):
    policy_with(stage(1, Role.APPROVER, mode=Mode.SOME, needed=2), kind=KIND)
    request = send()
    third = person_with(Role.APPROVER)
    approve(request, by=crew[0])
    Membership.objects.filter(person=crew[0]).update(archived_at=clock.now())
    synchronise_groups_of(crew[0])
    approve(request, by=crew[1])
    assert state_of(request) == RequestState.IN_REVIEW
    assert approve(request, by=third) == f"{request} is approved."


def test_owner_and_manager_are_found_for_each_request(crew):
    author = person_with(Role.OPS)
    User.objects.filter(pk=author.pk).update(manager=crew[3])
    policy_with(stage(1, Named(Via.MANAGER)), stage(2, Named(Via.OWNER, "owner_person")), kind=KIND)
    _, request = sent(author=User.objects.get(pk=author.pk), approver=True, owner_person=crew[1])
    assert refuse_decision(crew[0], request) == f"You are none of the approvers: {crew[3]} decide here."
    approve(request, by=crew[3])
    assert approve(request, by=crew[1]) == f"{request} is approved."


def test_an_empty_field_names_nobody_and_nothing_is_sent(crew):
    policy_with(stage(1, Named(Via.OWNER, "owner_person")), kind=KIND)
    with pytest.raises(WrongState, match="1 must approve, but nobody could: whoever is owner person"):
        send()


def test_too_few_different_people_for_all_stages():
    person_with(Role.APPROVER)
    policy_with(stage(1, Role.APPROVER), stage(2, Role.APPROVER), kind=KIND)
    with pytest.raises(WrongState, match="there are too few different people for all stages"):
        sent(approver=True)


# --- what must be true first


def test_a_precondition_is_told_and_kept(crew, monkeypatch):
    unmet = ["The creative has not passed QA."]
    subject = subject_of(Campaign)
    monkeypatch.setattr(
        "apps.approvals.registry._subjects",
        {
            **__import__("apps.approvals.registry", fromlist=["_subjects"])._subjects,
            Campaign: type(subject)(**{**subject.__dict__, "checks": {"qa_passed": lambda campaign: list(unmet)}}),
        },
    )
    policy_with(stage(1, Role.APPROVER, checks=("qa_passed",)), kind=KIND)
    with pytest.raises(WrongState, match=r"The creative has not passed QA\."):
        send()
    unmet.clear()
    request = send()
    assert request.checks == [{"stage": "Stage 1", "check": "qa_passed", "unmet": []}]
    unmet.append("QA was reopened.")
    with pytest.raises(WrongState, match=r"It cannot be approved yet: QA was reopened\."):
        approve(request, by=crew[0])


# --- stand-ins


def away(person, stand_in, **fields):
    given = {"starts_at": clock.now() - HOUR, "ends_at": clock.now() + 48 * HOUR, "by": person, **fields}
    return delegate(person, to_person=stand_in, **given)


def test_b_decides_for_a(crew):
    two_stages()
    request, stand_in = send(), person_with(Role.OPS)
    away(crew[0], stand_in)
    assert waiting_for(stand_in) == [request]
    approve(request, by=stand_in)
    decision = Decision.objects.get()
    assert (decision.signature, str(decision)) == (f"{stand_in} for {crew[0]}", f"Approved by {stand_in} for {crew[0]}")
    assert refuse_decision(crew[0], request) is not None


def test_what_was_decided_for_a_is_not_decided_by_a_again(crew):
    policy_with(stage(1, *crew[:3], mode=Mode.SOME, needed=3), kind=KIND)
    request, stand_in = send(), person_with(Role.OPS)
    away(crew[0], stand_in)
    approve(request, by=stand_in)
    assert refuse_decision(crew[0], request) == f"{stand_in} has decided for you already."
    assert refuse_decision(stand_in, request) == "You have decided about this already; it waits for others."


def test_a_delegation_ends_and_has_a_scope(crew):
    request, stand_in = send(), person_with(Role.OPS)
    given = away(crew[0], stand_in, subject_kind="processes.sopversion")
    none = "You are none of the approvers: people with the role approver decide here."
    assert refuse_decision(stand_in, request) == none
    end_delegation(given, by=crew[0])
    second = away(crew[0], stand_in, subject_kind=KIND)
    assert refuse_decision(stand_in, request) is None
    assert end_delegation(second, by=stand_in) == f"{stand_in} no longer stands in for {crew[0]}."
    assert refuse_decision(stand_in, request) == none
    with pytest.raises(WrongState, match="This delegation was ended already"):
        end_delegation(second, by=stand_in)


def test_who_stands_in_for_the_author_does_not_count(crew):
    author = person_with(Role.OPS)
    away(author, crew[0])
    request = send(author=author)
    assert refuse_decision(crew[0], request) == (
        "You stand in for somebody who sent or changed this; somebody else has to decide."
    )
    assert waiting_for(crew[0]) == []


def test_who_stands_in_for_somebody_excluded_does_not_count(crew):
    author, stand_in = person_with(Role.OPS, Role.APPROVER), person_with(Role.OPS)
    request = send(author=author)
    away(author, stand_in)
    assert refuse_decision(stand_in, request) == (
        "You stand in for somebody who sent or changed this; somebody else has to decide."
    )


def test_a_stage_can_be_decided_in_person_only(crew):
    policy_with(stage(1, Role.APPROVER, allow_delegates=False), kind=KIND)
    request, stand_in = send(), person_with(Role.OPS)
    away(crew[0], stand_in)
    assert refuse_decision(stand_in, request) == f"You stand in for {crew[0]}, but this stage is decided in person."
    assert waiting_for(stand_in) == []


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"to_person": "self"}, "Nobody stands in for themselves"),
        ({"ends_at": clock.now() - 9 * HOUR}, "A delegation ends after it starts"),
        ({"ends_at": clock.now() + 400 * 24 * HOUR}, "A delegation lasts 180 days at most"),
        ({"subject_kind": "no.such"}, "Nothing of that kind can be approved"),
        ({"to_person": "gone"}, "has no active account and cannot stand in"),
    ],
)
def test_a_delegation_that_makes_no_sense(crew, change, sentence):
    people = {"self": crew[0], "gone": person_with(Role.OPS, is_active=False)}
    fields = {name: people.get(value, value) for name, value in change.items()}
    with pytest.raises(InvalidInput, match=sentence):
        away(crew[0], fields.pop("to_person", crew[1]), **fields)


def test_delegations_neither_overlap_nor_chain(crew):
    a, b, c, d = crew
    away(a, b, subject_kind=KIND)
    with pytest.raises(InvalidInput, match=f"{b} stands in for {a} in that time already"):
        away(a, c)
    with pytest.raises(InvalidInput, match="a delegation is not passed on"):
        away(b, c)
    away(c, d)
    with pytest.raises(InvalidInput, match=f"{c} is away in that time too: {d} stands in for them"):
        away(a, c, subject_kind="processes.sopversion")
    with pytest.raises(NotAllowed, match="You can name who stands in for you"):
        away(d, a, by=b)


def test_database_refuses_overlapping_delegations(crew):
    a, b, c, _ = crew
    away(a, b, subject_kind=KIND)
    fields = {"from_person": a, "to_person": c, "starts_at": clock.now(), "ends_at": clock.now() + HOUR}
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        Delegation.objects.create(**fields)
    assert sentence_of(caught.value) == "Somebody else stands in for this person in that time already."
    Delegation.objects.create(**fields, subject_kind="processes.sopversion")


# --- conditions, dates, ends


def test_it_takes_effect_when_the_conditions_are_closed(crew):
    request = send()
    said = approve_with_conditions(request, by=crew[0], conditions="Legal has read it\nBudget is booked")
    assert said == f"{request} is approved; it takes effect when 2 conditions are closed."
    assert campaign_of(request).state == CampaignState.IN_APPROVAL
    first, second = ApprovalCondition.objects.all()
    with pytest.raises(NotAllowed, match="Who sent or wrote it does not close its conditions"):
        close_condition(first, by=request.requester, note="done")
    with pytest.raises(InvalidInput, match="Say how the condition was met"):
        close_condition(first, by=crew[0], note=" ")
    assert close_condition(first, by=crew[0], note="Read on Monday.") == "The condition is closed."
    assert close_condition(second, by=crew[0], note="Booked.") == f"The condition is closed; {request} is in effect."
    assert (state_of(request), campaign_of(request).state) == (RequestState.APPROVED, CampaignState.APPROVED)
    with pytest.raises(WrongState, match="This condition is closed already"):
        close_condition(first, by=crew[0], note="again")


def test_a_condition_is_written(crew):
    with pytest.raises(InvalidInput, match="Write at least one condition, or approve without"):
        approve_with_conditions(send(), by=crew[0], conditions=" \n")


def test_an_approval_is_revoked_before_it_takes_effect(crew):
    request = send()
    approve_with_conditions(request, by=crew[0], conditions="Legal")
    row = ApprovalRequest.objects.get(pk=request.pk)
    with pytest.raises(NotAllowed, match="Only those who approved it can revoke their approval"):
        revoke(row, by=crew[1], reason="no")
    assert revoke(row, by=crew[0], reason="Seen something.") == (
        f"The approval of {request} is revoked; nothing takes effect."
    )
    assert campaign_of(request).state == CampaignState.PLANNING
    other = send()
    approve(other, by=crew[0])
    with pytest.raises(WrongState, match="is in effect; an approval is revoked before that"):
        revoke(ApprovalRequest.objects.get(pk=other.pk), by=crew[0], reason="late")


def test_it_takes_effect_on_its_day_and_once(crew):
    campaign = planned()
    author = person_with(Role.OPS)
    with transition(Campaign):
        Campaign.objects.filter(pk=campaign.pk).update(state=CampaignState.IN_APPROVAL)
    campaign.refresh_from_db()
    request = request_approval(campaign, by=author, effective_at=clock.now() + 24 * HOUR)
    assert "it takes effect on" in approve(request, by=crew[0])
    with pytest.raises(WrongState, match="takes effect on"):
        carry_out(request)
    assert watching.carry_out_due() == 0
    assert watching.carry_out_due(now=clock.now() + 25 * HOUR) == 1
    assert campaign_of(request).state == CampaignState.APPROVED
    with pytest.raises(WrongState, match="nothing is left to decide"):
        carry_out(request, at=clock.now() + 26 * HOUR)


def test_a_change_before_the_effect_makes_the_approval_void(crew):
    request = send()
    approve_with_conditions(request, by=crew[0], conditions="Legal")
    with transition(Campaign):
        Campaign.objects.filter(pk=request.object_id).update(state=CampaignState.PLANNING)
    Campaign.objects.filter(pk=request.object_id).update(budget=99)
    with transition(Campaign):
        Campaign.objects.filter(pk=request.object_id).update(state=CampaignState.IN_APPROVAL)
    said = close_condition(ApprovalCondition.objects.get(), by=crew[0], note="ok")
    assert said == f"{request} was changed since it was sent for approval; the approval is void. Send it again."
    assert state_of(request) == RequestState.VOID


def test_a_request_expires_and_is_not_approved_by_it(crew):
    policy_with(stage(1, Role.APPROVER), kind=KIND, expires_after_days=10)
    request = send()
    with pytest.raises(WrongState, match="has not expired"):
        expire(request)
    assert watching.expire_due(now=clock.now() + 241 * HOUR) == 1
    assert (state_of(request), campaign_of(request).state) == (RequestState.EXPIRED, CampaignState.PLANNING)


def test_the_next_round_replaces_an_open_one(crew):
    request = send()
    second = resubmit(request, by=request.requester, note="With the same text.")
    assert (state_of(request), second.round, second.revision_id) == (RequestState.SUPERSEDED, 2, request.revision_id)
    with pytest.raises(WrongState, match="is superseded; nothing is left to decide"):
        approve(request, by=crew[0])
    assert approve(second, by=crew[0]) == f"{second} is approved."


def test_abstaining_leaves_it_to_the_others(crew):
    request = send()
    with pytest.raises(InvalidInput, match="Say why"):
        abstain(request, by=crew[0], reason="")
    assert abstain(request, by=crew[0], reason="My brother's agency.") == f"You leave {request} to the others."
    assert approve(request, by=crew[1]) == f"{request} is approved."


# --- emergencies


def test_an_emergency_takes_effect_and_is_reviewed_by_somebody_else(crew):
    request, hero = send(), person_with(Role.ADMINISTRATOR)
    reason = "The site is down and the notice must go out now."
    with pytest.raises(InvalidInput, match="Say what the emergency is"):
        approve_in_emergency(request, by=hero, reason="now")
    assert "is in effect" in approve_in_emergency(request, by=hero, reason=reason)
    emergency = BreakGlass.objects.get()
    assert (state_of(request), campaign_of(request).state) == (RequestState.APPROVED, CampaignState.APPROVED)
    watching.alert_emergency(request)
    assert Alert.objects.get().severity == "critical"
    with pytest.raises(NotAllowed, match="You declared this emergency yourself"):
        review_emergency(emergency, by=hero, finding="justified", note="fine")
    with pytest.raises(NotAllowed, match="It was about your own work"):
        review_emergency(emergency, by=request.requester, finding="justified", note="fine")
    with pytest.raises(InvalidInput, match="Say whether it was justified"):
        review_emergency(emergency, by=crew[0], finding="", note="fine")
    assert review_emergency(emergency, by=crew[0], finding="justified", note="Logs agree.") == (
        "The review is written down: justified."
    )
    watching.close_emergency_alert(BreakGlass.objects.get())
    assert Alert.objects.get().state == "resolved"


def test_an_emergency_is_a_right_of_its_own_and_never_for_own_work(crew):
    author = person_with(Role.OPS, Role.ADMINISTRATOR)
    request = send(author=author)
    reason = "The site is down and the notice must go out now."
    with pytest.raises(NotAllowed, match="is a right of its own, which you do not have"):
        approve_in_emergency(request, by=crew[0], reason=reason)
    with pytest.raises(NotAllowed, match=r"You sent this for approval yourself.*That holds in an emergency too"):
        approve_in_emergency(request, by=author, reason=reason)


# --- vacancies


def test_a_stage_that_nobody_can_decide_any_more_raises_an_alert(crew):
    only = person_with(Role.OPS)
    policy_with(stage(1, only), kind=KIND)
    request = send()
    assert watching.watch_stages() == {"stuck": 0, "freed": 0}
    User.objects.filter(pk=only.pk).update(is_active=False)
    assert watching.watch_stages()["stuck"] == 1
    assert Alert.objects.get().title == f"Nobody could decide about {request} any more."
    User.objects.filter(pk=only.pk).update(is_active=True)
    assert watching.watch_stages() == {"stuck": 0, "freed": 1}
    assert Alert.objects.get().state == "resolved"


# --- the database


def test_database_refuses_a_stage_out_of_turn(crew):
    two_stages()
    request = send()
    later = StageInstance.objects.get(approval=request, position=2)
    outside = "A stage is decided by the buttons on the page of its request."
    with pytest.raises(DatabaseError) as caught, transaction.atomic():
        StageInstance.objects.filter(pk=later.pk).update(state="approved")
    assert sentence_of(caught.value) == outside
    with pytest.raises(DatabaseError) as caught, transaction.atomic(), transition(StageInstance):
        StageInstance.objects.filter(approval=request, position=1).update(state="approved")
    assert sentence_of(caught.value) == "This stage has fewer approvals than its policy asks for."
    with pytest.raises(DatabaseError) as caught, transaction.atomic(), transition(Decision):
        decision(request, later, crew[2])
    assert sentence_of(caught.value) == "This stage is not being decided."


def decision(request, stage_of, person, principal=None, **fields):
    return Decision.objects.create(
        request=request,
        stage=stage_of,
        approver=person,
        approver_label=person.email,
        principal=principal or person,
        verdict="approve",
        digest=request.digest,
        at=clock.now(),
        **fields,
    )


def test_database_refuses_deciding_for_others_without_their_delegation(crew):
    request = send()
    first = request.stages.get()
    with pytest.raises(DatabaseError) as caught, transaction.atomic(), transition(Decision):
        decision(request, first, person_with(Role.OPS), principal=crew[0])
    assert sentence_of(caught.value) == "Deciding for somebody else needs their delegation, valid at that moment."


def test_database_refuses_approval_without_the_stages(crew):
    request = send()
    with pytest.raises(DatabaseError) as caught, transaction.atomic(), transition(ApprovalRequest):
        ApprovalRequest.objects.filter(pk=request.pk).update(
            state="approved", decided_at=clock.now(), applied_at=clock.now()
        )
    assert sentence_of(caught.value) == "A request is approved when all its stages are; one of them is not."


def test_teams_are_a_token_too(crew):
    team = TeamFactory(name="Brand")
    member = person_with(Role.OPS)
    Membership.objects.create(team=team, person=member, role=Role.OPS)
    policy_with(stage(1, team), kind=KIND)
    assert approve(send(), by=member).endswith("is approved.")


def policy_alerts():
    open_ones = Alert.objects.exclude(state=AlertState.RESOLVED).filter(fingerprint__startswith="approvals.polic")
    return list(open_ones.order_by("fingerprint").values_list("title", "subject_label"))


def test_policies_that_cannot_work_are_told_one_by_one_and_many_of_them_together():
    ApprovalPolicy.objects.all().update(archived_at=clock.now())
    kinds = ("campaigns.campaign", "processes.sopversion", "technology.toolrequest", "content.contentversion")
    policies = [ApprovalPolicy.objects.create(subject_kind=kind, name=f"On {kind}") for kind in kinds]
    for policy, role in zip(policies, (Role.APPROVER, Role.APPROVER, Role.APPROVER, Role.EXECUTIVE), strict=True):
        install_version(policy, Definition((stage(1, role, name="One"),), (Row("All", ALWAYS, (1,)),)), at=clock.now())
    assert watching.watch_policies() == 4
    assert policy_alerts() == [("4 of 4 approval policies cannot work.", "")]
    told = Alert.objects.get(fingerprint="approvals.policies").detail.splitlines()
    assert len(told) == 4
    assert "nobody active is behind whom it names" in told[0]
    person_with(Role.APPROVER)
    assert watching.watch_policies() == 1
    [(title, subject)] = policy_alerts()
    assert title == f"The approval policy {policies[3]} cannot work."
    assert subject
    Membership.objects.filter(role=Role.APPROVER).delete()
    assert watching.watch_policies() == 4
    assert policy_alerts() == [("4 of 4 approval policies cannot work.", "")]
