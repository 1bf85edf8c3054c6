"""Reviews: when the next one is due, and that one found nothing."""

import datetime as dt

import pytest

from apps.accounts.enums import Role
from apps.accounts.models import Membership
from apps.audit.models import AuditEvent
from apps.core.errors import NotAllowed, WrongState
from apps.processes.domain.calendar import next_review
from apps.processes.domain.queries import overdue_reviews
from apps.processes.domain.reviews import confirm_unchanged
from apps.processes.models import Process
from tests.factories.accounts import TeamFactory, person_with
from tests.factories.processes import ProcessFactory, effective


@pytest.mark.parametrize(
    ("last", "months", "due"),
    [
        ("2026-01-15", 3, "2026-04-15"),
        ("2026-11-30", 3, "2027-02-28"),
        ("2027-11-30", 3, "2028-02-29"),
        ("2026-12-31", 1, "2027-01-31"),
        ("2026-01-31", 1, "2026-02-28"),
        ("2024-02-29", 12, "2025-02-28"),
        ("2026-06-10", 6, "2026-12-10"),
    ],
)
def test_next_review_counts_months(last, months, due):
    assert next_review(dt.date.fromisoformat(last), months) == dt.date.fromisoformat(due)


@pytest.mark.django_db
def test_a_review_without_change_is_evidence():
    sop, person = effective().process, person_with(Role.OPS)
    said = confirm_unchanged(sop, by=person, reason="Walked through it with sales.", today=dt.date(2026, 5, 4))
    assert said == f"{sop} is reviewed; the next review is due on 4 August 2026."
    event = AuditEvent.objects.of_object(sop).first()
    assert (event.actor, event.reason) == (person, "Walked through it with sales.")


@pytest.mark.django_db
def test_nothing_in_force_means_nothing_to_review():
    with pytest.raises(WrongState, match="has no version in force yet; there is nothing to review"):
        confirm_unchanged(ProcessFactory(), by=person_with(Role.OPS), reason="x")


@pytest.mark.django_db
def test_an_approver_records_no_review():
    with pytest.raises(NotAllowed, match="You may not change"):
        confirm_unchanged(effective().process, by=person_with(Role.APPROVER), reason="x")


@pytest.mark.django_db
def test_overdue_reviews_are_those_of_the_person_and_their_teams():
    person, team = person_with(Role.OPS), TeamFactory()
    Membership.objects.create(team=team, person=person, role=Role.OPS)
    long_ago = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
    mine, ours, theirs = (effective(at=long_ago).process for _ in range(3))
    mine.owner_person, ours.owner_team, theirs.owner_person = person, team, person_with(Role.OPS)
    for process in (mine, ours, theirs):
        process.save()
    assert {each.thing for each in overdue_reviews(person, dt.date(2026, 1, 1))} == {mine, ours}
    assert list(overdue_reviews(person, dt.date(2025, 2, 1))) == []
    assert Process.objects.count() == 3
