"""The inbox with ten thousand open requests, the plans behind it, and how deep a decision lies."""

import traceback
from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.accounts.backends import AuthenticationBackend
from apps.accounts.enums import Role
from apps.approvals.domain.deadlines import STAGE
from apps.approvals.domain.decisions import approve
from apps.approvals.domain.policies import draft_version, ensure_default_policies, submit_version
from apps.approvals.domain.reading import inbox_rows
from apps.approvals.enums import RequestState, StageState
from apps.approvals.models import ApprovalPolicy, ApprovalRequest, Decision, StageInstance
from apps.core import clock
from apps.core.actors import acting_as
from apps.core.clocks.domain.firing import due_clocks
from apps.core.clocks.models import Clock
from apps.core.transitions import transition
from apps.processes.models import Run
from apps.technology.domain.cases import submit_request
from apps.technology.models import TCO_FIELDS
from tests.admin_pages import assert_same_queries, list_of, queries_of
from tests.factories.accounts import administrator, person_with
from tests.factories.approvals import policy_with, stage
from tests.factories.campaigns import sent
from tests.factories.processes import ProcessFactory, effective, in_review, steps
from tests.factories.technology import ToolRequestFactory

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


def clocks_for_all(request):
    """A running clock for every stage that is being decided, like the one of `request`."""
    running = Clock.objects.of(request.stages.get()).get()
    columns = [each.column for each in Clock._meta.concrete_fields if each.column not in ("id", "uuid", "object_id")]
    named = ", ".join(f'"{name}"' for name in columns)
    with connection.cursor() as cursor, transition(Clock):
        cursor.execute(
            f"INSERT INTO clocks_clock ({named}, object_id) SELECT {named}, stage.id FROM clocks_clock, "
            "(SELECT id FROM approvals_stageinstance WHERE id <> %s) AS stage WHERE clocks_clock.id = %s",
            [running.object_id, running.pk],
        )
        cursor.execute("ANALYZE clocks_clock")


def plan_of(rows, *, freely):
    """The plan of a list; where the planner is not free to choose, whether indexes can answer at all."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL enable_seqscan = {'on' if freely else 'off'}")
        plan = rows.explain()
        cursor.execute("SET LOCAL enable_seqscan = on")
    return plan


def test_ten_thousand_open_requests_and_running_clocks(client, approver, proof):
    """The figures in full under --proof, where the planner chooses freely; else whether the indexes can answer."""
    policy_with(stage(1, Role.APPROVER, due_hours=40), kind="campaigns.campaign")
    _, request = sent(approver=True)
    other = person_with(Role.EXECUTIVE)
    number = 10_000 if proof else 500
    copies(request, number)
    clocks_for_all(request)
    assert Clock.objects.open().count() == number + 1
    assert queries_of(client, reverse(INBOX)) < 20
    client.force_login(person_with(Role.OPS))
    assert queries_of(client, list_of(Run)) < 20
    for person in (approver, other):
        plan = plan_of(inbox_rows(person)[:20], freely=proof)
        for table in ("approvalrequest", "stageinstance"):
            assert f"Seq Scan on approvals_{table}" not in plan, plan
    with transaction.atomic():
        plan = plan_of(due_clocks(clock.now(), 100), freely=proof)
    assert "clock_next_fire" in plan
    late = Clock.objects.filter(metric=STAGE, closed_at=None, due_at__lt=clock.now()).order_by("due_at")[:20]
    assert "clock_due" in plan_of(late, freely=proof)


def test_other_pages_stay_within_their_questions(client, approver):
    in_review()
    for name in ("approvals_analytics", "approvals_simulator"):
        assert queries_of(client, reverse(f"admin:{name}")) < 30


def of_sop(approver):
    return in_review(ProcessFactory(), flow=steps("One", "Two")), approver


def of_sop_in_place_of_another(approver):
    sop = ProcessFactory()
    effective(sop)
    return in_review(sop, change_log="Shorter."), approver


def of_campaign(approver):
    return sent(approver=True)[1], approver


def of_campaign_with_a_deadline(approver):
    policy_with(stage(1, Role.APPROVER, due_hours=40), kind="campaigns.campaign")
    return sent(approver=True)[1], approver


def of_policy(approver):
    policy = ApprovalPolicy.objects.get(subject_kind="campaigns.campaign")
    author = administrator()
    with acting_as(author):
        version = draft_version(policy, by=author)
        version.change_log = "Clearer."
        version.save()
    submit_version(version, by=author)
    return ApprovalRequest.objects.get(content_type__model="policyversion"), approver


def of_tool_purchase(approver):
    it = administrator()
    texts = {"business_case": "Why", "integration_assessment": "How"}
    wanted = ToolRequestFactory(**texts, **dict.fromkeys(TCO_FIELDS, Decimal(100)))
    submit_request(wanted, by=person_with(Role.OPS))
    request = ApprovalRequest.objects.get(content_type__model="toolrequest")
    approve(request, by=approver)
    return request, it


@pytest.mark.parametrize(
    "asked", [of_sop, of_sop_in_place_of_another, of_campaign, of_campaign_with_a_deadline, of_policy, of_tool_purchase]
)
def test_deciding_takes_at_most_twenty_questions(asked, approver):
    """The last decision, with its effect, its clock and everybody who is told."""
    ensure_default_policies()
    request, decider = asked(approver)
    with CaptureQueriesContext(connection) as captured:
        approve(request, by=decider)
    said = [each["sql"][:150] for each in captured]
    assert len(said) <= 20, "\n".join(said)
    assert ApprovalRequest.objects.get(pk=request.pk).state == RequestState.APPROVED


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


def test_a_decision_that_begins_the_next_stage_takes_at_most_twenty(approver):
    """Both stages with a time: one clock ends, the next begins."""
    policy_with(stage(1, Role.APPROVER, due_hours=40), stage(2, Role.EXECUTIVE, due_hours=8), kind="campaigns.campaign")
    person_with(Role.EXECUTIVE)
    _, request = sent(approver=True)
    decider = AuthenticationBackend().get_user(approver.pk)  # as a page has who is signed in
    decider.has_perm("approvals.view_approvalrequest")
    with CaptureQueriesContext(connection) as captured:
        approve(request, by=decider)
    said = [each["sql"][:150] for each in captured]
    assert sum("SAVEPOINT" in each for each in said) == 2  # the transaction itself, within that of the test
    assert len(said) <= 22, "\n".join(said)
    assert [each.state for each in request.stages.order_by("position")] == [StageState.APPROVED, StageState.ACTIVE]
    assert Clock.objects.open().filter(metric=STAGE).count() == 1
