"""The engine under arbitrary people: whatever they try, in whatever order, from whatever door.

Nothing is ever in effect without the required, distinct, authorised decisions of people who neither sent nor wrote it,
on exactly what is in effect. The oracle keeps its own book of who held which right when, and asks no rule of mops.
"""

import datetime as dt
import threading

import pytest
from django.db import connections
from django.test import Client
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from apps.accounts.domain.roles import synchronise_groups_of
from apps.accounts.enums import Role
from apps.accounts.models import Membership
from apps.approvals.domain.decisions import approve, reject, resubmit, withdraw
from apps.approvals.domain.delegations import delegate, end_delegation
from apps.approvals.domain.policies import ensure_default_policies
from apps.approvals.enums import Mode, RequestState
from apps.approvals.models import ApprovalRequest, Decision, Delegation
from apps.campaigns.domain.approval import submit_campaign
from apps.campaigns.enums import CampaignState
from apps.campaigns.models import Campaign
from apps.core import clock
from apps.core.actors import Channel, acting_as
from apps.core.errors import DomainError
from tests.admin_pages import button_of
from tests.factories.accounts import TeamFactory, person_with
from tests.factories.approvals import policy_with, stage
from tests.factories.campaigns import planned

pytestmark = pytest.mark.django_db(transaction=True)
ROLES = (Role.OPS, Role.APPROVER, Role.APPROVER, Role.EXECUTIVE, Role.ADMINISTRATOR, Role.AUDITOR)
WHO = st.integers(0, len(ROLES) - 1)
NEEDED = {"Plan": ({Role.APPROVER, Role.ADMINISTRATOR}, 2), "Money": ({Role.EXECUTIVE}, 1)}
reached = set()  # requests that came into effect: a proof that never gets there proves nothing
DOORS = st.sampled_from(["shell", "job", "admin"])


class Company(RuleBasedStateMachine):
    """Six people, one campaign after the other, two stages."""

    @initialize(author=WHO)
    def found(self, author):
        """Start with a plan that one of them wrote."""
        policy_with(
            stage(1, Role.APPROVER, Role.ADMINISTRATOR, name="Plan", mode=Mode.SOME, needed=2),
            stage(2, Role.EXECUTIVE, name="Money"),
            kind="campaigns.campaign",
        )
        Delegation.objects.filter(revoked_at=None).update(revoked_at=clock.now())
        self.people = [person_with(role) for role in ROLES]
        for person in self.people:  # everybody may write plans, so that everybody may be an author
            Membership.objects.create(team=TeamFactory(), person=person, role=Role.OPS)
            synchronise_groups_of(person)
        self.held = [{role} for role in ROLES]
        self.stands_in = {}
        self.campaign = planned(author=self.people[author])
        self.writers = {author}
        self.lawful = set()
        self.tried(lambda: submit_campaign(self.campaign, by=self.people[author]))
        self.sender, self.at_sending = author, {author}

    def request(self):
        """The open request, or the last one."""
        return (
            ApprovalRequest.objects.filter(object_id=self.campaign.pk, content_type__model="campaign")
            .order_by("-pk")
            .first()
        )

    def tried(self, deed):
        """Do something; a refusal is an answer too, anything else is a bug."""
        try:
            return deed()
        except DomainError:
            return None

    @rule(who=WHO)
    def send(self, who):
        """Somebody sends the plan."""
        if self.tried(lambda: submit_campaign(self.campaign, by=self.people[who])):
            self.sender, self.at_sending = who, set(self.writers)

    @rule(who=WHO, door=DOORS)
    def say_yes(self, who, door):
        """Somebody approves, from any door."""
        request = self.request()
        if request is None:
            return
        before = self.rights()
        if door == "admin":
            client = Client()
            client.force_login(self.people[who])
            client.post(button_of(request, "approve"), {"note": ""})
        else:
            channel = Channel.JOB if door == "job" else Channel.SHELL
            with acting_as(self.people[who], channel=channel):
                self.tried(lambda: approve(request, by=self.people[who]))
        self.book(before)

    @rule(order=st.permutations(range(len(ROLES))))
    def everybody_says_yes(self, order):
        """All of them try, one after the other."""
        for who in order:
            self.try_yes(who)

    def try_yes(self, who):
        """One of them tries."""
        if (request := self.request()) is not None:
            before = self.rights()
            self.tried(lambda: approve(request, by=self.people[who]))
            self.book(before)

    @rule(one=WHO, two=WHO)
    def say_yes_at_once(self, one, two):
        """Two people at the same moment, on connections of their own."""
        request = self.request()
        if request is None or one == two:
            return
        before = self.rights()
        start = threading.Barrier(2)

        def run(who):
            try:
                start.wait(timeout=10)
                self.tried(lambda: approve(request, by=self.people[who]))
            finally:
                connections.close_all()

        threads = [threading.Thread(target=run, args=(who,)) for who in (one, two)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=30)
        self.book(before)

    @rule(who=WHO)
    def say_no(self, who):
        """Somebody rejects."""
        if (request := self.request()) is not None:
            self.tried(lambda: reject(request, by=self.people[who], reason="no"))
            self.book(self.rights())

    @rule(who=WHO)
    def take_back(self, who):
        """Somebody withdraws, or sends it anew."""
        if (request := self.request()) is not None:
            self.tried(lambda: withdraw(request, by=self.people[who]))

    @rule(who=WHO)
    def send_again(self, who):
        """Somebody replaces the open request."""
        request = self.request()
        if request is not None and self.tried(lambda: resubmit(request, by=self.people[who])):
            self.sender, self.at_sending = who, set(self.writers)

    @rule(who=WHO, budget=st.integers(1, 3))
    def write(self, who, budget):
        """Somebody changes the plan where that is open; a save that changes nothing makes nobody an author."""
        row = Campaign.objects.get(pk=self.campaign.pk)
        if row.state != CampaignState.PLANNING:
            return
        changed = row.budget != budget
        row.budget = budget
        with acting_as(self.people[who]):
            row.save()
        if changed:
            self.writers.add(who)

    @rule(who=WHO)
    def lose(self, who):
        """Somebody loses the role."""
        rows = Membership.objects.filter(person=self.people[who], role=ROLES[who], archived_at=None)
        if ROLES[who] != Role.OPS and rows.update(archived_at=clock.now()):
            self.held[who].discard(ROLES[who])

    @rule(who=WHO)
    def regain(self, who):
        """Somebody gets it back."""
        if ROLES[who] not in self.held[who]:
            Membership.objects.create(team=TeamFactory(), person=self.people[who], role=ROLES[who])
            self.held[who].add(ROLES[who])

    @rule(one=WHO, two=WHO)
    def go_away(self, one, two):
        """Somebody lets somebody stand in, or comes back."""
        if one in self.stands_in:
            given, _ = self.stands_in.pop(one)
            self.tried(lambda: end_delegation(given, by=self.people[one]))
            return
        now = clock.now()
        given = self.tried(
            lambda: delegate(
                self.people[one],
                to_person=self.people[two],
                starts_at=now,
                ends_at=now + dt.timedelta(hours=4),
                by=self.people[one],
            )
        )
        if given is not None:
            self.stands_in[one] = (given, two)

    def rights(self):
        """Who holds what now: by person, and for whom they stand in."""
        return [set(held) for held in self.held], {one: two for one, (_, two) in self.stands_in.items()}

    def book(self, rights):
        """Write down which of the new decisions were lawful at the moment they were made."""
        held, stand_ins = rights
        place = {person.pk: at for at, person in enumerate(self.people)}
        for each in Decision.objects.filter(request__object_id=self.campaign.pk).exclude(pk__in=self.lawful):
            actor, principal = place[each.approver_id], place[each.principal_id]
            own_work = {self.sender, *self.at_sending}
            assert not {actor, principal} & own_work, "somebody decided about their own work"
            assert not any(stand_ins.get(one) == actor for one in own_work), "a stand-in of an author decided"
            assert held[principal] & NEEDED[each.stage.name][0], "somebody decided without the right"
            assert actor == principal or stand_ins.get(principal) == actor, "somebody decided for another"
            self.lawful.add(each.pk)

    @invariant()
    def nothing_in_effect_without_its_decisions(self):
        """What is approved was approved by enough different people, on what it says."""
        request = self.request() if hasattr(self, "campaign") else None
        if request is None:
            return
        state = Campaign.objects.get(pk=self.campaign.pk).state
        assert (state == CampaignState.IN_APPROVAL) == (request.state == RequestState.IN_REVIEW)
        if request.state != RequestState.APPROVED:
            assert state != CampaignState.APPROVED
            return
        seen = set()
        for each in request.stages.all():
            yes = [one for one in each.decisions.all() if one.verdict == "approve"]
            assert len({one.approver_id for one in yes}) >= NEEDED[each.name][1]
            assert all(one.digest == request.digest for one in yes)
            people = {key for one in yes for key in (one.approver_id, one.principal_id)}
            assert not people & seen, "somebody decided two stages"
            seen |= people
        reached.add(request.pk)
        if state == CampaignState.APPROVED:
            self.writers = set()


def test_nothing_takes_effect_without_what_its_policy_asks(proof):
    ensure_default_policies()
    run_state_machine_as_test(
        Company,
        settings=settings(
            max_examples=60 if proof else 6,
            stateful_step_count=25 if proof else 14,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert reached
