"""Two people at the same moment, on real connections: exactly one effect, and the loser is told why."""

import threading

import pytest
from django.db import connections, transaction

from apps.accounts.enums import Role
from apps.approvals.domain.decisions import approve, reject, withdraw
from apps.approvals.domain.policies import ensure_default_policies
from apps.approvals.enums import RequestState, Verdict
from apps.approvals.models import ApprovalRequest, Decision
from apps.campaigns.enums import CampaignState
from apps.campaigns.models import Campaign
from apps.core import clock
from apps.core.actors import acting_as
from apps.core.errors import DomainError
from apps.core.transitions import transition
from apps.processes.enums import VersionState
from apps.processes.models import SOPVersion
from tests.factories.accounts import person_with
from tests.factories.campaigns import sent
from tests.factories.processes import in_review

pytestmark = pytest.mark.django_db(transaction=True)


def race(*deeds):
    """Run the deeds at once; return what each said, a refusal being its exception."""
    start, said = threading.Barrier(len(deeds)), [None] * len(deeds)

    def run(place, deed):
        try:
            start.wait(timeout=10)
            said[place] = deed()
        except DomainError as refusal:
            said[place] = refusal
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(place, deed)) for place, deed in enumerate(deeds)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    return said


@pytest.fixture
def crew():
    ensure_default_policies()
    return person_with(Role.OPS), person_with(Role.APPROVER), person_with(Role.APPROVER)


def settled(request):
    return ApprovalRequest.objects.get(pk=request.pk), SOPVersion.objects.get(pk=request.object_id)


@pytest.mark.proof
def test_an_approval_and_an_edit_at_once(crew, proof):
    """Either the edit comes first and nothing is approved, or the approval does and the plan goes back to planning."""
    author, first, _ = crew
    for _ in range(100 if proof else 4):
        campaign, request = sent(author=author, approver=True)

        def edit(campaign=campaign):
            with acting_as(author), transaction.atomic():
                row = Campaign.objects.select_for_update().get(pk=campaign.pk)
                if row.state == CampaignState.IN_APPROVAL:
                    with transition(Campaign):
                        Campaign.objects.filter(pk=row.pk).update(state=CampaignState.PLANNING)
                Campaign.objects.filter(pk=row.pk).update(budget=1)
                if row.state == CampaignState.IN_APPROVAL:
                    with transition(Campaign):
                        Campaign.objects.filter(pk=row.pk).update(state=CampaignState.IN_APPROVAL)
            return "edited"

        said = race(lambda request=request: approve(request, by=first), edit)
        row, after = ApprovalRequest.objects.get(pk=request.pk), Campaign.objects.get(pk=campaign.pk)
        assert said[1] == "edited"
        if isinstance(said[0], DomainError):
            assert "was changed since it was sent for approval" in said[0].message
            assert (row.state, after.state) == (RequestState.IN_REVIEW, CampaignState.IN_APPROVAL)
        else:
            assert (row.state, after.state) == (RequestState.APPROVED, CampaignState.PLANNING)


@pytest.mark.proof
def test_an_approval_and_the_loss_of_the_right_at_once(crew, proof):
    """A role taken away at that moment comes after the decision, or the decision is refused: never in between."""
    author, _, _ = crew
    for _ in range(100 if proof else 4):
        approver = person_with(Role.APPROVER)
        held = approver.memberships.get()
        _, request = sent(author=author, approver=True)

        def lose(held=held):
            with transaction.atomic():
                row = type(held).objects.select_for_update().get(pk=held.pk)
                row.archived_at = clock.now()
                row.save()
            return "lost"

        said = race(lambda request=request, approver=approver: approve(request, by=approver), lose)
        state = ApprovalRequest.objects.get(pk=request.pk).state
        if isinstance(said[0], DomainError):
            assert "You are none of the approvers" in said[0].message
            assert state == RequestState.IN_REVIEW
        else:
            assert state == RequestState.APPROVED


@pytest.mark.proof
def test_two_decisions_at_once_have_one_effect(crew, proof):
    author, first, second = crew
    contests = [
        lambda r: (lambda: approve(r, by=first), lambda: approve(r, by=second)),
        lambda r: (lambda: approve(r, by=first), lambda: reject(r, by=second, reason="no")),
        lambda r: (lambda: approve(r, by=first), lambda: withdraw(r, by=author)),
    ]
    for number in range(100 if proof else 10):
        request = in_review(author=author)
        said = race(*contests[number % len(contests)](request))
        refused = [each for each in said if isinstance(each, DomainError)]
        assert [type(each) for each in said if each is None] == []
        assert len(refused) == 1, said
        assert "nothing is left to decide" in refused[0].message
        row, version = settled(request)
        approved = row.state == RequestState.APPROVED
        assert (version.state == VersionState.EFFECTIVE) == approved
        verdicts = list(Decision.objects.filter(request=request).values_list("verdict", flat=True))
        assert len(verdicts) == (0 if row.state == RequestState.WITHDRAWN else 1)
        assert (Verdict.APPROVE in verdicts) == approved
