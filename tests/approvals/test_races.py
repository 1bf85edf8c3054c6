"""Two people at the same moment, on real connections: exactly one effect, and the loser is told why."""

import threading

import pytest
from django.db import connections

from apps.accounts.enums import Role
from apps.approvals.domain.decisions import approve, reject, withdraw
from apps.approvals.domain.policies import ensure_default_policies
from apps.approvals.enums import RequestState, Verdict
from apps.approvals.models import ApprovalRequest, Decision
from apps.core.errors import DomainError
from apps.processes.enums import VersionState
from apps.processes.models import SOPVersion
from tests.factories.accounts import person_with
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
def test_two_decisions_at_once_have_one_effect(crew, proof):
    author, first, second = crew
    contests = [
        lambda r: (lambda: approve(r, by=first), lambda: approve(r, by=second)),
        lambda r: (lambda: approve(r, by=first), lambda: reject(r, by=second, reason="no")),
        lambda r: (lambda: approve(r, by=first), lambda: withdraw(r, by=author)),
    ]
    for number in range(300 if proof else 10):
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
