"""Reviews with an outcome, feedback with an answer, reminders that go up."""

import datetime as dt

import pytest

from apps.accounts.enums import Role
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.core.notifications.models import Notification
from apps.processes.domain.feedback import answer_feedback, give_feedback
from apps.processes.domain.reviews import close_review, confirm_unchanged, start_review
from apps.processes.domain.telling import remind_of_review
from apps.processes.models import Feedback
from tests.factories.accounts import person_with
from tests.factories.processes import ProcessFactory, draft, effective, steps

pytestmark = pytest.mark.django_db


@pytest.fixture
def ops():
    return person_with(Role.OPS)


@pytest.fixture
def process(ops):
    return effective(ProcessFactory(title="Launch"), flow=steps("Check", "Send")).process


@pytest.mark.parametrize(("outcome", "is_material"), [("minor", False), ("revise", True)])
def test_a_change_starts_a_draft(process, ops, outcome, is_material):
    said = close_review(start_review(process, by=ops), by=ops, outcome=outcome, notes="Step 2 is old.")
    version = process.versions.get(state="draft")
    assert f"Launch is reviewed; version {version.number} is a draft now" in said
    assert version.is_material is is_material


def test_a_draft_under_way_is_enough(process, ops):
    draft(process)
    said = close_review(start_review(process, by=ops), by=ops, outcome="revise", notes="x")
    assert "a new version is under way already" in said


def test_retiring_takes_it_out_of_force(process, ops):
    said = close_review(start_review(process, by=ops), by=ops, outcome="retire", notes="The channel is gone.")
    assert said == "Launch is retired: nothing is in force any more, and it left the lists."
    process.refresh_from_db()
    assert (process.effective_version, process.next_review_on, process.is_archived) == (None, None, True)
    assert process.versions.get().state == "retired"


def test_one_review_at_a_time(process, ops):
    start_review(process, by=ops)
    with pytest.raises(WrongState, match=r"is reviewing Launch since .*; close that review"):
        start_review(process, by=ops)


def test_feedback_is_answered_before_the_review_closes(process, ops):
    give_feedback(process, by=ops, text="Nobody checks the footer.", step="check")
    review = start_review(process, by=ops)
    with pytest.raises(WrongState, match="1 piece of feedback waits for an answer"):
        close_review(review, by=ops, outcome="no_change", notes="fine")
    said = answer_feedback(Feedback.objects.get(), by=ops, disposition="declined", answer="The tool does.")
    assert said == f"Declined; {ops} is told."
    close_review(review, by=ops, outcome="no_change", notes="fine")
    with pytest.raises(WrongState, match="is closed already"):
        close_review(review, by=ops, outcome="no_change", notes="fine")


def test_no_change_at_once_asks_for_answers_too(process, ops):
    give_feedback(process, by=ops, text="x")
    with pytest.raises(WrongState, match="waits for an answer"):
        confirm_unchanged(process, by=ops, reason="fine")
    assert not process.reviews.exists()


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"outcome": "", "notes": "x"}, "Say what the review comes to"),
        ({"outcome": "no_change", "notes": " "}, "Say what was looked at and found"),
    ],
)
def test_a_review_says_what_and_why(process, ops, given, sentence):
    with pytest.raises(InvalidInput, match=sentence):
        close_review(start_review(process, by=ops), by=ops, **given)


def test_who_may_not_change_reviews_nothing(process, ops):
    with pytest.raises(NotAllowed, match="You may not change Launch"):
        start_review(process, by=person_with(Role.APPROVER))
    with pytest.raises(NotAllowed, match="You may not change Launch"):
        close_review(start_review(process, by=ops), by=person_with(Role.AUDITOR), outcome="no_change", notes="x")


def test_feedback_comes_from_people_who_work_by_it(process, ops):
    with pytest.raises(NotAllowed, match="Feedback comes from people who work by this process"):
        give_feedback(process, by=person_with(Role.AUDITOR), text="x")
    player = person_with(Role.APPROVER)
    process.effective_version.steps.first().role.people.add(player)
    assert give_feedback(process, by=player, text="Good.").startswith("Thank you")


def test_feedback_says_something_about_a_step_there_is(process, ops):
    with pytest.raises(InvalidInput, match="Say what does not work"):
        give_feedback(process, by=ops, text=" ")
    with pytest.raises(InvalidInput, match="There is no such step in the version in force"):
        give_feedback(process, by=ops, text="x", step="nowhere")


def test_an_answer_says_why_once(process, ops):
    give_feedback(process, by=ops, text="x")
    one = Feedback.objects.get()
    with pytest.raises(InvalidInput, match="Say why, for the person who wrote it"):
        answer_feedback(one, by=ops, disposition="accepted", answer="")
    with pytest.raises(InvalidInput, match="Say what becomes of it"):
        answer_feedback(one, by=ops, disposition="open", answer="y")
    with pytest.raises(NotAllowed, match="You may not change Launch"):
        answer_feedback(one, by=person_with(Role.APPROVER), disposition="accepted", answer="y")
    answer_feedback(one, by=ops, disposition="accepted", answer="Comes with version 2.")
    with pytest.raises(WrongState, match="It is answered already: accepted"):
        answer_feedback(one, by=ops, disposition="declined", answer="y")


def test_a_late_review_reminds_once_and_goes_up_once(process, ops):
    manager, owner, backup = person_with(), person_with(Role.OPS), person_with(Role.OPS)
    owner.manager = manager
    owner.save()
    process.owner_person, process.backup_person = owner, backup
    due = process.next_review_on
    assert remind_of_review(process, due - dt.timedelta(days=1)) == 0
    assert remind_of_review(process, due) == 1
    assert remind_of_review(process, due + dt.timedelta(days=3)) == 0
    assert remind_of_review(process, due + dt.timedelta(days=14)) == 2
    assert remind_of_review(process, due + dt.timedelta(days=15)) == 0
    told = Notification.objects.filter(kind="process.review_late").values_list("recipient", flat=True)
    assert set(told) == {manager.pk, backup.pk}
