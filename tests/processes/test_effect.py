"""Coming into force: at its date, after its readers, exactly once."""

import datetime as dt

import pytest

from apps.accounts.enums import Role
from apps.approvals.domain.decisions import approve
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.processes.domain.acknowledging import acknowledge
from apps.processes.domain.effect import bring_into_force, call_off, holding_back, waiting_versions
from apps.processes.domain.quiz import problem_of, read_questions
from apps.processes.domain.reading import qualified_people, reading_progress, refuse_unqualified
from apps.processes.models import Acknowledgement, SOPVersion, TrainingRequirement
from tests.factories.accounts import person_with
from tests.factories.processes import ProcessFactory, ProcessRoleFactory, effective, in_review

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
LATER = NOW + dt.timedelta(days=3)


def approved(process=None, **fields):
    request = in_review(process, at=NOW, **fields)
    approve(request, by=person_with(Role.APPROVER), at=NOW)
    return SOPVersion.objects.get(pk=request.object_id)


def required(process, *people, quota=100):
    return TrainingRequirement.objects.create(process=process, role=ProcessRoleFactory(people=people), quota=quota)


def test_a_later_date_holds_it_back_and_then_it_comes_once():
    process = ProcessFactory()
    first = effective(process, at=NOW - dt.timedelta(days=9))
    version = approved(process, effective_from=LATER)
    assert version.state == "approved"
    assert holding_back(version, NOW) == "It takes effect on 25 November 2026 at 12:00 UTC."
    assert waiting_versions(NOW) == []
    assert not bring_into_force(version.pk, at=NOW)
    assert waiting_versions(LATER) == [version.pk]
    assert bring_into_force(version.pk, at=LATER)
    assert not bring_into_force(version.pk, at=LATER)
    version.refresh_from_db(), first.refresh_from_db()
    assert (version.state, version.effective_at, first.state, first.superseded_at) == (
        "effective",
        LATER,
        "superseded",
        LATER,
    )


def test_a_material_version_waits_for_its_quota():
    process, people = ProcessFactory(), [person_with(Role.OPS) for _ in range(3)]
    required(process, *people, quota=50)
    version = approved(process)
    assert version.state == "approved"
    assert holding_back(version, NOW).endswith("0 of 3 have read it, 2 must.")
    assert acknowledge(version, by=people[0], at=NOW) == f"Recorded: you have read {version}."
    assert acknowledge(version, by=people[1], at=NOW) == f"Recorded: you have read {version}. It is in force now."
    version.refresh_from_db()
    assert version.state == "effective"
    assert acknowledge(version, by=people[2], at=NOW) == f"Recorded: you have read {version}."


def test_a_minor_version_waits_for_nobody_and_disqualifies_nobody():
    process, person = ProcessFactory(), person_with(Role.OPS)
    required(process, person)
    first = approved(process)
    acknowledge(first, by=person, at=NOW)
    second = approved(process, is_material=False)
    assert second.state == "effective"
    process.refresh_from_db()
    assert refuse_unqualified(person, process) is None
    third = approved(process)
    assert third.state == "approved"
    acknowledge(third, by=person, at=NOW)
    process.refresh_from_db()
    assert set(qualified_people(process)) == {person}


def test_a_role_nobody_plays_holds_back_with_the_way_out():
    process = ProcessFactory()
    role = required(process).role
    assert holding_back(approved(process), NOW) == (
        f"Nobody plays the role {role}; name its people, or take it out of the required reading."
    )


def test_the_quota_is_rounded_up():
    process = ProcessFactory()
    required(process, *(person_with() for _ in range(3)), quota=34)
    assert [each.needed for each in reading_progress(approved(process))] == [2]


def test_without_having_read_it_nobody_is_qualified():
    process, person = ProcessFactory(title="Launch"), person_with(Role.OPS)
    assert refuse_unqualified(person, process) is None
    required(process, person)
    assert refuse_unqualified(person, process) == (
        "Launch has no version in force; nobody can be qualified for it yet."
    )
    acknowledge(approved(process), by=person, at=NOW)
    process.refresh_from_db()
    assert refuse_unqualified(person, process) is None
    other = person_with(Role.OPS)
    assert "has not read the version of Launch that counts" in refuse_unqualified(other, process)


QUESTIONS = """What is checked before launch?
- The weather
* Every link

Who says go?
* The manager
* The director
- Nobody"""


def test_questions_are_answered_rightly_first():
    version, person = effective(questions=QUESTIONS), person_with(Role.OPS)
    with pytest.raises(InvalidInput, match="1 of 2 questions are not answered rightly: “Who says go"):
        acknowledge(version, by=person, answers={0: frozenset({1}), 1: frozenset({0})})
    acknowledge(version, by=person, answers={0: frozenset({1}), 1: frozenset({0, 1})})
    assert Acknowledgement.objects.get().questions == 2


def test_questions_are_read_from_lines():
    one, two = read_questions(QUESTIONS)
    assert (one.text, one.answers, one.right, one.has_several) == (
        "What is checked before launch?",
        ("The weather", "Every link"),
        frozenset({1}),
        False,
    )
    assert two.has_several


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("- yes", "“- yes” is an answer without a question; write the question on the line before it."),
        ("Why?\n- a\nb", "“b” is neither a question nor an answer"),
        ("Why?\n* a", "“Why?” has 1 answers; offer between two and 8."),
        ("Why?\n- a\n- b", "“Why?” has no right answer; mark it with “* ”."),
        ("\n\n".join(["Why?\n- a\n* b"] * 21), "21 questions are too many"),
    ],
)
def test_questions_that_cannot_be_asked(text, problem):
    assert problem_of(text).startswith(problem)


def test_who_plays_no_part_confirms_nothing():
    with pytest.raises(NotAllowed, match="Only people who work by this process confirm that they read it"):
        acknowledge(effective(), by=person_with(Role.AUDITOR))


def test_nobody_confirms_twice():
    version, person = effective(), person_with(Role.OPS)
    acknowledge(version, by=person)
    with pytest.raises(WrongState, match="You have confirmed this version already"):
        acknowledge(version, by=person)


def test_a_draft_is_not_confirmed():
    request = in_review()
    version = SOPVersion.objects.get(pk=request.object_id)
    with pytest.raises(WrongState, match="is in review; what is approved or in force is read and confirmed"):
        acknowledge(version, by=person_with(Role.OPS))


def test_what_waits_is_called_off():
    person = person_with(Role.OPS)
    version = approved(effective_from=LATER)
    said = call_off(version, by=person, reason="The tool is late.")
    assert said == f"{version} is a draft again; send it for approval anew."
    version.refresh_from_db()
    assert (version.state, version.digest, version.approved_at) == ("draft", "", None)
    with pytest.raises(WrongState, match="is draft; only what is approved and not yet in force is called off"):
        call_off(version, by=person, reason="x")
    with pytest.raises(NotAllowed, match="You may not change"):
        call_off(version, by=person_with(Role.APPROVER), reason="x")
