"""An SOP from draft to force."""

import datetime as dt

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from apps.accounts.enums import Role
from apps.approvals.domain.decisions import approve, request_changes
from apps.approvals.models import ApprovalRequest
from apps.core.admin_kit.archive import archive
from apps.core.admin_kit.refusals import sentence_of
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.core.transitions import transition
from apps.processes.domain.publishing import SKELETON, refuse_draft, start_draft, submit_for_approval, write_draft
from apps.processes.enums import VersionState
from apps.processes.models import Process, SOPVersion
from tests.factories.accounts import person_with
from tests.factories.processes import ProcessFactory, draft, effective, in_review

pytestmark = pytest.mark.django_db


@pytest.fixture
def author():
    person_with(Role.APPROVER)
    return person_with(Role.OPS)


def test_the_first_draft_starts_from_a_skeleton_the_next_from_the_text_in_force(author):
    sop = ProcessFactory()
    assert write_draft(sop, by=author).body == SKELETON
    other = ProcessFactory()
    effective(other, body="The text in force")
    second = write_draft(other, by=author)
    assert (second.number, second.body, second.state) == (2, "The text in force", VersionState.DRAFT)


def test_one_version_is_under_way_at_a_time(author):
    sop = ProcessFactory(title="Intake")
    write_draft(sop, by=author)
    with pytest.raises(WrongState, match="Version 1 of Intake is a draft already; finish that one"):
        write_draft(sop, by=author)


def test_in_review_counts_as_under_way(author):
    request = in_review(ProcessFactory(title="Intake"), author=author)
    sop = Process.objects.get(versions=request.object_id)
    assert refuse_draft(author, sop) == "Version 1 of Intake is in review already; finish that one."


def test_an_archived_sop_gets_no_draft(author):
    sop = ProcessFactory(title="Old")
    archive(sop, by=author)
    with pytest.raises(WrongState, match="Old is archived; restore it first"):
        start_draft(sop, by=author)


def test_who_may_not_change_writes_nothing():
    with pytest.raises(NotAllowed, match="You may not change Intake"):
        write_draft(ProcessFactory(title="Intake"), by=person_with(Role.APPROVER))


@pytest.mark.parametrize("body", ["", "  \n", SKELETON])
def test_an_empty_text_is_not_sent(author, body):
    with pytest.raises(InvalidInput, match="There is nothing to approve yet: write the text first"):
        submit_for_approval(draft(author=author, body=body), by=author)


def test_the_second_version_says_what_is_new(author):
    sop = ProcessFactory()
    effective(sop)
    with pytest.raises(InvalidInput, match="Say what is new in this version"):
        submit_for_approval(draft(sop, author=author, change_log=""), by=author)


def test_only_drafts_are_sent(author):
    version = effective()
    with pytest.raises(WrongState, match="is in force; only drafts are sent for approval"):
        submit_for_approval(version, by=author)


def test_an_auditor_sends_nothing(author):
    with pytest.raises(NotAllowed, match="You may not change"):
        submit_for_approval(draft(author=author), by=person_with(Role.AUDITOR))


def test_in_force_sets_the_next_review():
    version = effective(at=dt.datetime(2026, 11, 30, 12, tzinfo=dt.UTC))
    assert version.process.next_review_on == dt.date(2027, 2, 28)
    assert version.effective_at == dt.datetime(2026, 11, 30, 12, tzinfo=dt.UTC)


def test_changes_requested_make_it_a_draft_again(author):
    request = in_review(author=author)
    request_changes(request, by=person_with(Role.APPROVER), reason="Name the owner.")
    version = SOPVersion.objects.get(pk=request.object_id)
    version.body += "\nOwner: Ops."
    version.save()
    submit_for_approval(version, by=author)
    approve(ApprovalRequest.objects.get(state="in_review"), by=person_with(Role.APPROVER))
    version.refresh_from_db()
    assert version.state == VersionState.EFFECTIVE


EDITED = "Only drafts are edited: withdraw what is in review, or write a new draft."
MOVED = "A version moves by sending it for approval and by the decision, not by an edit."


@pytest.mark.parametrize(
    ("change", "sentence"),
    [({"body": "sneaked in"}, EDITED), ({"change_log": "x"}, EDITED), ({"state": "draft"}, MOVED)],
)
def test_database_keeps_what_is_in_force(change, sentence):
    version = effective()
    with pytest.raises(DatabaseError) as caught, transaction.atomic():
        SOPVersion.objects.filter(pk=version.pk).update(**change)
    assert sentence_of(caught.value) == sentence


def test_database_keeps_one_version_in_force():
    version = effective()
    other = draft(version.process)
    with pytest.raises(IntegrityError), transaction.atomic(), transition(SOPVersion):
        SOPVersion.objects.filter(pk=other.pk).update(state="effective", effective_at="2026-01-01T00:00Z")


def test_database_lets_nobody_name_the_version_in_force():
    version = draft()
    with pytest.raises(DatabaseError) as caught, transaction.atomic():
        Process.objects.filter(pk=version.process_id).update(effective_version=version)
    assert (
        sentence_of(caught.value) == "A version comes into force by approval, and a review is recorded by its button."
    )
