"""Who hears of a request, and of its end."""

import datetime as dt

import pytest

from apps.accounts.enums import Role
from apps.approvals.domain.decisions import approve, request_changes, withdraw
from apps.approvals.domain.telling import tell_about_decision, tell_approvers
from apps.approvals.models import ApprovalRequest
from apps.core import clock
from apps.core.jobs.models import JobRun
from apps.core.notifications.models import Notification
from tests.factories.accounts import person_with
from tests.factories.processes import in_review

pytestmark = pytest.mark.django_db


def told(person):
    return list(Notification.objects.filter(recipient=person).values_list("title", "body"))


def test_approvers_hear_of_it_once_and_nobody_else():
    first, second, author = person_with(Role.APPROVER), person_with(Role.APPROVER), person_with(Role.OPS, Role.APPROVER)
    request = in_review(author=author)
    assert tell_approvers(request) == 2
    assert tell_approvers(request) == 0
    assert told(first) == told(second) == [(f"{author} asks for your approval: {request}", "")]
    assert told(author) == []


def test_what_is_decided_asks_nobody_any_more():
    request = in_review()
    withdraw(request, by=request.requester)
    assert tell_approvers(ApprovalRequest.objects.get()) == 0


def test_the_requester_hears_what_was_decided_and_why():
    request, approver = in_review(), person_with(Role.APPROVER)
    request_changes(request, by=approver, reason="Name the source.")
    assert tell_about_decision(ApprovalRequest.objects.get()) == 1
    assert told(request.requester) == [(f"{request}: changes requested by {approver}", "Name the source.")]


def test_old_news_is_no_news():
    long_ago = clock.now() - dt.timedelta(days=8)
    request = in_review(at=long_ago)
    assert tell_about_decision(request) == 0
    approve(request, by=person_with(Role.APPROVER), at=long_ago)
    assert tell_about_decision(ApprovalRequest.objects.get()) == 0


def test_sending_and_deciding_queue_the_jobs_in_the_same_transaction():
    request = in_review()
    approve(request, by=person_with(Role.APPROVER))
    queued = list(JobRun.objects.filter(key__startswith="approvals.").order_by("pk").values_list("key", "args"))
    assert queued == [
        ("approvals.tell_approvers", {"request_id": request.pk}),
        ("approvals.tell_about_decision", {"request_id": request.pk}),
    ]
