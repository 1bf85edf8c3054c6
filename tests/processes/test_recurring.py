"""Processes that come round: dates on paper here, the same dates there; no storm after an outage."""

import datetime as dt

import pytest
from django.db import DatabaseError, transaction
from hypothesis import given
from hypothesis import strategies as st

from apps.accounts.enums import Role
from apps.core.actors import acting_as
from apps.core.admin_kit.archive import archive
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.processes.domain import recurring
from apps.processes.enums import Every, Outcome, Shift
from apps.processes.models import Occurrence, Recurrence, Run
from tests.admin_pages import assert_same_queries, button_of, list_of, page_of
from tests.factories.accounts import person_with
from tests.factories.processes import effective, steps

FIRST = dt.date(2030, 1, 31)
NOON = dt.time(12, tzinfo=dt.UTC)


def some(every, first, count, last=None):
    dates = recurring.planned_dates(every, first, last)
    return [day for day, _ in zip(dates, range(count), strict=False)]


def test_months_end_where_they_end():
    assert some(Every.MONTH, FIRST, 4) == [FIRST, dt.date(2030, 2, 28), dt.date(2030, 3, 31), dt.date(2030, 4, 30)]


def test_quarters_years_and_weeks():
    assert some(Every.QUARTER, FIRST, 2) == [FIRST, dt.date(2030, 4, 30)]
    assert some(Every.YEAR, dt.date(2028, 2, 29), 2) == [dt.date(2028, 2, 29), dt.date(2029, 2, 28)]
    assert some(Every.WEEK, FIRST, 2) == [FIRST, dt.date(2030, 2, 7)]


@given(st.sampled_from(Every), st.dates(dt.date(2000, 1, 1), dt.date(2100, 1, 1)))
def test_dates_only_go_forward_and_end(every, first):
    found = some(every, first, 30)
    assert found == sorted(set(found))
    assert some(every, first, 99, last=found[7]) == found[:8]


@given(st.dates(dt.date(2000, 1, 1), dt.date(2100, 1, 1)))
def test_weekends_move_to_the_nearest_working_day(day):
    after, before = recurring._by_weekends(day, Shift.AFTER), recurring._by_weekends(day, Shift.BEFORE)
    assert before <= day <= after
    assert after.weekday() < 5 > before.weekday()
    assert (after - before).days == (3 if day.weekday() > 4 else 0)


@pytest.fixture
def ops():
    return person_with(Role.OPS)


def weekly(by, **fields):
    process = effective(flow=steps("One")).process
    given = {"every": Every.WEEK, "starts_on": dt.date(2030, 1, 7), "shift": Shift.KEEP, "title": "Round"}
    with acting_as(by):
        return Recurrence.objects.create(process=process, owner_person=by, **(given | fields))


def due_on(recurrence, day):
    return recurring.start_due(recurrence.pk, at=dt.datetime.combine(day, NOON))


@pytest.mark.django_db
def test_a_date_that_has_come_starts_one_run_once(ops):
    recurrence = weekly(ops, days_to_finish=3)
    assert due_on(recurrence, dt.date(2030, 1, 6)) is None
    run = due_on(recurrence, dt.date(2030, 1, 7))
    assert (run.title, run.due_on, run.owner_person) == ("Round, 7 January 2030", dt.date(2030, 1, 10), ops)
    assert due_on(recurrence, dt.date(2030, 1, 8)) is None
    assert Run.objects.count() == 1


@pytest.mark.django_db
def test_after_an_outage_only_the_newest_is_made(ops):
    recurrence = weekly(ops)
    run = due_on(recurrence, dt.date(2030, 2, 5))
    assert run.title == "Round, 4 February 2030"
    outcomes = list(recurrence.occurrences.order_by("planned_on").values_list("outcome", flat=True))
    assert outcomes == [Outcome.MISSED] * 4 + [Outcome.MADE]


@pytest.mark.django_db
def test_a_date_without_a_version_in_force_is_missed_with_the_reason(ops):
    recurrence = weekly(ops)
    archive(type(recurrence.process).objects.get(pk=recurrence.process_id), by=ops)
    assert due_on(recurrence, dt.date(2030, 1, 7)) is None
    assert "is archived; restore it first" in recurrence.occurrences.get().reason


@pytest.mark.django_db
def test_the_next_date_is_skipped_with_a_reason(ops):
    recurrence = weekly(ops)
    with pytest.raises(InvalidInput, match="Say why it is skipped"):
        recurring.skip_next(recurrence, by=ops, reason=" ")
    with pytest.raises(NotAllowed, match="may not change"):
        recurring.skip_next(recurrence, by=person_with(Role.AUDITOR), reason="No")
    assert recurring.skip_next(recurrence, by=ops, reason="Holidays") == "7 January 2030 is skipped."
    assert due_on(recurrence, dt.date(2030, 1, 7)) is None
    assert recurring.next_dates(recurrence, dt.date(2030, 1, 1), 1)[0].planned_on == dt.date(2030, 1, 14)


@pytest.mark.django_db
def test_what_has_ended_cannot_be_skipped(ops):
    recurrence = weekly(ops, starts_on=dt.date(2020, 1, 6), ends_on=dt.date(2020, 1, 6))
    with pytest.raises(WrongState, match="does not occur again"):
        recurring.skip_next(recurrence, by=ops, reason="No")


@pytest.mark.django_db
def test_a_recurrence_that_never_occurs_is_refused(ops):
    sundays = Recurrence(every=Every.WEEK, starts_on=dt.date(2030, 1, 6), shift=Shift.OMIT)
    assert "Every one of its dates is a day off" in recurring.refuse_rule(sundays)
    backwards = Recurrence(every=Every.WEEK, starts_on=FIRST, ends_on=dt.date(2030, 1, 1), shift=Shift.KEEP)
    mistyped = Recurrence(every=Every.WEEK, starts_on=dt.date(3026, 1, 1), shift=Shift.KEEP)
    assert "the year looks mistyped" in recurring.refuse_rule(mistyped)
    assert recurring.refuse_rule(backwards) == "It would end before it begins, so it would never occur."
    assert recurring.refuse_rule(Recurrence(every=Every.MONTH, starts_on=FIRST, shift=Shift.OMIT)) is None


@pytest.mark.django_db
def test_what_became_of_a_date_stays(ops):
    due_on(weekly(ops), dt.date(2030, 1, 7))
    with pytest.raises(DatabaseError), transaction.atomic():
        Occurrence.objects.update(outcome=Outcome.MISSED)


@pytest.mark.django_db
def test_the_page_previews_refuses_and_skips(client, ops):
    client.force_login(ops)
    recurrence = weekly(ops)
    assert "Monday, 7 Jan 2030" in client.get(page_of(recurrence)).content.decode()
    form = {
        "title": "Never",
        "process": recurrence.process_id,
        "every": 0,
        "shift": "omit",
        "starts_on": "2030-01-06",
        "owner_person": ops.pk,
    }
    refused = client.post(list_of(Recurrence) + "add/", form).content.decode()
    assert "it would never occur" in refused
    assert client.post(list_of(Recurrence) + "add/", form | {"shift": "after"}).status_code == 302
    done = client.post(button_of(recurrence, "skip"), {"reason": "Holidays"}, follow=True).content.decode()
    assert "7 January 2030 is skipped." in done


@pytest.mark.django_db
def test_the_list_costs_the_same_at_one_and_three_rows(client, ops):
    client.force_login(ops)
    weekly(ops)
    assert assert_same_queries(client, list_of(Recurrence), lambda: [weekly(ops), weekly(ops)]) <= 20
