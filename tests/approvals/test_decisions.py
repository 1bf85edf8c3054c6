"""Deciding: the exact version, once, by somebody else who may."""

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from apps.accounts.domain.roles import synchronise_groups_of
from apps.accounts.enums import Role
from apps.accounts.models import Membership
from apps.approvals.domain.decisions import (
    approve,
    refuse_decision,
    refuse_withdrawal,
    reject,
    request_approval,
    request_changes,
    withdraw,
)
from apps.approvals.enums import RequestState, Verdict
from apps.approvals.models import ApprovalPolicy, ApprovalRequest, Decision
from apps.audit.models import AuditEvent
from apps.core.actors import acting_as
from apps.core.admin_kit.refusals import sentence_of
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.core.transitions import transition
from apps.processes.enums import VersionState
from apps.processes.models import Process, SOPVersion
from tests.factories.accounts import TeamFactory, person_with
from tests.factories.approvals import policy_for
from tests.factories.campaigns import sent
from tests.factories.processes import ProcessFactory, draft, effective, in_review

pytestmark = pytest.mark.django_db


def version_of(request):
    return SOPVersion.objects.get(pk=request.object_id)


def test_an_approval_takes_effect_at_once_and_is_evidence():
    request, approver = in_review(), person_with(Role.APPROVER)
    assert approve(request, by=approver, note="reads well") == f"{request} is approved."
    version, decision = version_of(request), Decision.objects.get()
    assert (version.state, version.process.effective_version) == (VersionState.EFFECTIVE, version)
    assert (decision.approver, decision.verdict, decision.reason) == (approver, Verdict.APPROVE, "reads well")
    assert decision.digest == request.digest == version.digest
    event = AuditEvent.objects.of_object(decision).get()
    assert (event.actor, event.reason) == (approver, "reads well")


def test_author_cannot_approve():
    author = person_with(Role.OPS, Role.APPROVER)
    person_with(Role.APPROVER)
    request = in_review(author=author)
    with pytest.raises(NotAllowed, match="You sent this for approval yourself; somebody else has to decide"):
        approve(request, by=author)
    assert version_of(request).state == VersionState.IN_REVIEW


def test_an_editor_cannot_approve_superusers_included():
    author, editor = person_with(Role.OPS), person_with(Role.APPROVER, is_superuser=True)
    person_with(Role.APPROVER)
    version = draft(author=author)
    with acting_as(editor):
        version.body += "\n2. Check the audience."
        version.save()
    request = request_from(version, author)
    with pytest.raises(NotAllowed, match="You changed this yourself since it was last approved"):
        approve(request, by=editor)


def request_from(version, author):
    from apps.processes.domain.publishing import submit_for_approval

    submit_for_approval(version, by=author)
    return ApprovalRequest.objects.get(object_id=version.pk, state="in_review")


def test_who_holds_no_role_is_told_who_decides():
    request = in_review()
    sentence = "You are none of the approvers: people with the role approver decide here."
    assert refuse_decision(person_with(Role.OPS), request) == sentence
    assert refuse_decision(person_with(Role.AUDITOR, is_superuser=True), request) == sentence


def test_a_role_taken_away_no_longer_counts():
    request, approver = in_review(), person_with(Role.APPROVER)
    assert refuse_decision(approver, request) is None
    Membership.objects.filter(person=approver).update(archived_at="2026-01-01T00:00Z")
    synchronise_groups_of(approver)
    with pytest.raises(NotAllowed, match="You are none of the approvers"):
        approve(request, by=approver)


def test_a_deactivated_person_decides_nothing():
    request, approver = in_review(), person_with(Role.APPROVER)
    approver.is_active = False
    approver.save()
    with pytest.raises(NotAllowed, match="Your account is not active"):
        approve(request, by=approver)


def test_teams_and_named_people_decide_too():
    team, named, outsider = TeamFactory(name="Legal"), person_with(Role.OPS), person_with(Role.APPROVER)
    member = person_with(Role.OPS)
    Membership.objects.create(team=team, person=member, role=Role.OPS)
    policy_for(approver_role="", approver_team=team, people=[named])
    request = in_review()
    assert refuse_decision(member, request) is None
    assert refuse_decision(named, request) is None
    assert refuse_decision(outsider, request) == (
        f"You are none of the approvers: members of Legal or {named} decide here."
    )


def test_a_later_policy_alters_no_request():
    approver, request = person_with(Role.APPROVER), in_review()
    policy_for(approver_role=Role.EXECUTIVE, required=2)
    assert approve(request, by=approver) == f"{request} is approved."


def test_several_approvals_must_come_from_different_people():
    policy_for(required=2)
    first, second = person_with(Role.APPROVER), person_with(Role.APPROVER)
    request = in_review()
    assert approve(request, by=first) == f"Your approval of {request} counts; 1 more must follow."
    assert version_of(request).state == VersionState.IN_REVIEW
    with pytest.raises(WrongState, match="You have decided about this already; it waits for others"):
        approve(request, by=first)
    assert approve(request, by=second) == f"{request} is approved."
    assert version_of(request).state == VersionState.EFFECTIVE


@pytest.mark.parametrize(
    ("operation", "state", "said"),
    [
        (request_changes, RequestState.CHANGES_REQUESTED, "changes requested."),
        (reject, RequestState.REJECTED, "rejected."),
    ],
)
def test_one_refusal_sends_it_back_with_its_reason(operation, state, said):
    request, approver = in_review(), person_with(Role.APPROVER)
    assert operation(request, by=approver, reason="The steps are missing.") == f"{request}: {said}"
    assert ApprovalRequest.objects.get().state == state
    assert version_of(request).state == VersionState.DRAFT
    assert Decision.objects.get().reason == "The steps are missing."


@pytest.mark.parametrize("operation", [request_changes, reject])
def test_a_refusal_without_reason_is_refused(operation):
    with pytest.raises(InvalidInput, match="Say why, so that the author knows what to change"):
        operation(in_review(), by=person_with(Role.APPROVER), reason="  ")


def test_a_second_round_is_a_new_request():
    request, approver = in_review(), person_with(Role.APPROVER)
    request_changes(request, by=approver, reason="More detail.")
    second = request_from(version_of(request), request.requester)
    assert (second.round, ApprovalRequest.objects.count()) == (2, 2)
    assert approve(second, by=approver) == f"{second} is approved."


def test_what_changed_since_it_was_sent_is_not_approved():
    request, approver = in_review(), person_with(Role.APPROVER)
    rows = SOPVersion.objects.filter(pk=request.object_id)
    with transition(SOPVersion):
        rows.update(state=VersionState.DRAFT)
    rows.update(body="Something else")
    with transition(SOPVersion):
        rows.update(state=VersionState.IN_REVIEW)
    sentence = (
        f"{request} was changed since it was sent for approval: what you see is not what would take effect. "
        "Withdraw it and send it again."
    )
    assert refuse_decision(approver, request) == sentence
    with pytest.raises(WrongState, match="was changed since it was sent"):
        approve(request, by=approver)
    assert version_of(request).state == VersionState.IN_REVIEW


def test_a_decided_request_is_decided():
    request = in_review()
    approve(request, by=person_with(Role.APPROVER))
    with pytest.raises(WrongState, match="is approved; nothing is left to decide"):
        reject(request, by=person_with(Role.APPROVER), reason="too late")


def test_requester_withdraws_and_goes_on():
    request = in_review()
    assert withdraw(request, by=request.requester) == f"{request} is withdrawn."
    assert version_of(request).state == VersionState.DRAFT
    assert refuse_withdrawal(request.requester, ApprovalRequest.objects.get()) == (
        f"{request} is withdrawn; nothing is left to decide."
    )


def test_an_approver_does_not_withdraw_what_others_sent():
    with pytest.raises(NotAllowed, match="Only who sent it, or who may change it, can withdraw it"):
        withdraw(in_review(), by=person_with(Role.APPROVER))


def test_one_request_at_a_time():
    request = in_review()
    with pytest.raises(WrongState, match="is being decided about already"):
        request_approval(version_of(request), by=request.requester)


def test_without_a_policy_nothing_is_sent():
    ApprovalPolicy.objects.update(archived_at="2026-01-01T00:00Z")
    with pytest.raises(WrongState, match="No approval policy is in force for SOP versions"):
        in_review()


def test_without_anybody_who_could_decide_nothing_is_sent():
    author = person_with(Role.OPS, Role.APPROVER)
    version = draft(author=author)
    with pytest.raises(WrongState, match="1 must approve, but nobody could: people with the role approver"):
        request_from(version, author)
    assert version_of_pk(version).state == VersionState.DRAFT


def version_of_pk(version):
    return SOPVersion.objects.get(pk=version.pk)


SELF = "Nobody decides about what they sent for approval themselves."
DOOR = "A decision is made by the buttons on the page of its request."
FIXED = "What was sent for approval and who may decide stay as they were; withdraw it and send it again."
STATE = "A request is decided by the buttons on its page, not by an edit."
EVIDENCE = "Decisions are evidence: they are never changed or deleted."


def decision_by(person, request, **fields):
    given = {"verdict": "approve", "digest": request.digest, "at": "2026-01-01T00:00Z", "principal": person, **fields}
    seat = {"request": request, "stage": request.stages.first(), "approver": person}
    return Decision.objects.create(**seat, approver_label=person.email, **given)


def test_database_refuses_a_decision_outside_the_operation():
    request = in_review()
    with pytest.raises(DatabaseError) as caught, transaction.atomic():
        decision_by(person_with(Role.APPROVER), request)
    assert sentence_of(caught.value) == DOOR


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [({}, SELF), ({"digest": "f" * 64}, "What is decided about is not what was sent for approval.")],
)
def test_database_refuses_self_approval_and_a_foreign_digest(fields, sentence):
    request = in_review()
    person = request.requester if not fields else person_with(Role.APPROVER)
    with pytest.raises(DatabaseError) as caught, transaction.atomic(), transition(Decision):
        decision_by(person, request, **fields)
    assert sentence_of(caught.value) == sentence


def test_database_refuses_two_decisions_of_one_person():
    policy_for(required=2)
    approver, _ = person_with(Role.APPROVER), person_with(Role.APPROVER)
    request = in_review()
    approve(request, by=approver)
    with pytest.raises(IntegrityError), transaction.atomic(), transition(Decision):
        decision_by(approver, request)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"state": "approved", "decided_at": "2026-01-01T00:00Z"}, STATE),
        ({"facts": {"body": "other"}}, FIXED),
        ({"digest": "0" * 64}, FIXED),
        ({"required": 0}, STATE),
        ({"rule": "Another"}, FIXED),
    ],
)
def test_database_refuses_to_change_what_was_sent(change, sentence):
    request = in_review()
    with pytest.raises(DatabaseError) as caught, transaction.atomic():
        ApprovalRequest.objects.filter(pk=request.pk).update(**change)
    assert sentence_of(caught.value) == sentence


@pytest.mark.parametrize("sql", ["UPDATE approvals_decision SET verdict = 'reject'", "DELETE FROM approvals_decision"])
def test_decisions_stay(sql):
    approve(in_review(), by=person_with(Role.APPROVER))
    with pytest.raises(DatabaseError) as caught, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
    assert sentence_of(caught.value) in (EVIDENCE, "The database does not let anybody change this.")


def test_a_decision_takes_few_questions(django_assert_max_num_queries):
    """Counted on a campaign, whose effect is one update: what an effect does beyond that is its own app's matter."""
    _, request = sent()
    approver = person_with(Role.APPROVER)
    with django_assert_max_num_queries(20):
        approve(request, by=approver)


def test_the_version_before_is_superseded():
    sop = ProcessFactory()
    first = effective(sop)
    second = effective(sop, change_log="Shorter.")
    first.refresh_from_db()
    assert (first.state, second.state) == (VersionState.SUPERSEDED, VersionState.EFFECTIVE)
    assert Process.objects.get(pk=sop.pk).effective_version == second
    assert (
        ApprovalRequest.objects.get(object_id=second.pk, content_type__model="sopversion").before["body"] == first.body
    )
