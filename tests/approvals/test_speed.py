"""The inbox with ten thousand open requests, the plans behind it, and how deep a decision lies."""

import traceback

import pytest
from django.db import connection
from django.urls import reverse

from apps.accounts.enums import Role
from apps.approvals.domain.decisions import approve
from apps.approvals.domain.reading import inbox_rows
from apps.approvals.models import ApprovalRequest, Decision, StageInstance
from apps.core.transitions import transition
from tests.admin_pages import assert_same_queries, queries_of
from tests.factories.accounts import person_with
from tests.factories.campaigns import sent
from tests.factories.processes import in_review

pytestmark = pytest.mark.django_db
INBOX = "admin:approvals_inbox"


def copies(request, number):
    """Many open requests like one, about records that are not there: what is measured reads none of them."""
    with connection.cursor() as cursor, transition(ApprovalRequest, StageInstance):
        columns = [each.column for each in ApprovalRequest._meta.concrete_fields if each.column not in OWN]
        named = ", ".join(f'"{name}"' for name in columns)
        cursor.execute(
            f"INSERT INTO approvals_approvalrequest ({named}, uuid, object_id) SELECT {named}, gen_random_uuid(), "
            "1000000 + n FROM approvals_approvalrequest, generate_series(1, %s) AS n WHERE id = %s",
            [number, request.pk],
        )
        columns = [each.column for each in StageInstance._meta.concrete_fields if each.column not in OWN]
        named = ", ".join(f'stage."{name}"' for name in columns)
        plain = ", ".join(f'"{name}"' for name in columns)
        cursor.execute(
            f"INSERT INTO approvals_stageinstance ({plain}, uuid, approval_id) SELECT {named}, gen_random_uuid(), "
            "copy.id FROM approvals_stageinstance AS stage, approvals_approvalrequest AS copy "
            "WHERE stage.approval_id = %s AND copy.object_id > 1000000",
            [request.pk],
        )
        cursor.execute("ANALYZE approvals_approvalrequest, approvals_stageinstance, approvals_decision")


OWN = ("id", "uuid", "object_id", "approval_id")


@pytest.fixture
def approver(client):
    person = person_with(Role.APPROVER)
    client.force_login(person)
    return person


def test_the_inbox_costs_the_same_at_one_and_three_rows(client, approver):
    in_review()
    asked = assert_same_queries(client, reverse(INBOX), lambda: [in_review(), in_review()])
    assert asked < 20


def test_ten_thousand_open_requests(client, approver, proof):
    _, request = sent(approver=True)
    other = person_with(Role.EXECUTIVE)
    copies(request, 10_000 if proof else 2_000)
    assert queries_of(client, reverse(INBOX)) < 20
    for person in (approver, other):
        plan = inbox_rows(person)[:20].explain()
        for table in ("approvalrequest", "stageinstance", "decision"):
            assert f"Seq Scan on approvals_{table}" not in plan, plan


def test_other_pages_stay_within_their_questions(client, approver):
    in_review()
    for name in ("approvals_analytics", "approvals_simulator"):
        assert queries_of(client, reverse(f"admin:{name}")) < 30


def test_a_decision_is_three_frames_deep(approver, monkeypatch):
    """From the operation that a button, a job or the shell calls, to the row."""
    _, request = sent(approver=True)
    seen = []
    create = type(Decision.objects).create

    def looked_at(manager, **fields):
        if manager.model is Decision:
            seen.extend(each.name for each in traceback.extract_stack() if "/apps/" in each.filename)
        return create(manager, **fields)

    monkeypatch.setattr(type(Decision.objects), "create", looked_at)
    approve(request, by=approver)
    assert seen == ["approve", "_record"]
