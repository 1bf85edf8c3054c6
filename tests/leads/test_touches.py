"""Touches: each event once, machines count nothing, what cannot be is refused, evidence stays as it is."""

import datetime as dt
from dataclasses import replace

import pytest
from django.db import DatabaseError, connection, transaction

from apps.accounts.enums import Role
from apps.core import clock
from apps.core.admin_kit.refusals import sentence_of
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.leads.domain.machines import call_machine, call_person
from apps.leads.domain.scoring.keeping import mend, unequal_sums
from apps.leads.domain.touches import BATCH, Taken, take_touches
from apps.leads.models import Accumulator, LeadScore, TouchDay, Touchpoint
from tests.admin_pages import assert_same_queries, button_of, list_of, page_of
from tests.factories.accounts import person_with
from tests.factories.leads import LeadFactory
from tests.factories.scoring import body, in_force, rule, scoring, touch

pytestmark = pytest.mark.django_db


def test_the_same_event_counts_once_in_a_batch_and_ever_after():
    person, lead = person_with(Role.OPS), LeadFactory()
    first, second = touch(lead, days=1), touch(lead, days=2)
    assert take_touches([first, first, second], by=person) == Taken(2, 1)
    assert take_touches([first, replace(second, occurred_at=first.occurred_at)], by=person) == Taken(0, 2)
    assert Touchpoint.objects.count() == 2
    assert sum(TouchDay.objects.values_list("touches", flat=True)) == 2


def test_what_cannot_be_is_refused_in_words():
    person, lead, now = person_with(Role.OPS), LeadFactory(), clock.now()
    wrong = (
        (replace(touch(lead), type="dance"), "There is no touch “dance”"),
        (replace(touch(lead), channel="pigeon"), "There is no channel “pigeon”"),
        (replace(touch(lead), occurred_at=now + dt.timedelta(days=1)), "which is still to come"),
        (replace(touch(lead), occurred_at=dt.datetime(1999, 5, 1, tzinfo=dt.UTC)), "before 2000 nothing was recorded"),
        (replace(touch(lead), occurred_at=dt.datetime(2026, 5, 1)), "in which time zone"),  # the point
        (replace(touch(lead), source_event_id=""), "so that it counts once"),
    )
    for each, sentence in wrong:
        with pytest.raises(InvalidInput, match=sentence):
            take_touches([touch(lead), each], by=person)
    with pytest.raises(InvalidInput, match="are too many at once"):
        take_touches([touch(lead)] * (BATCH + 1), by=person)
    with pytest.raises(NotAllowed, match="You may not change one of these leads"):
        take_touches([touch(lead)], by=person_with(Role.SALES))
    assert not Touchpoint.objects.exists()


def test_a_machine_counts_nothing_until_somebody_says_it_was_the_person():
    person, lead = person_with(Role.OPS), LeadFactory()
    in_force(scoring(owner=person), body(rule("Visits", 5, 50, touch="visit")), by=person)
    take_touches([touch(lead, days=1), touch(lead, machine_reason="Opened all links at once")], by=person)
    assert LeadScore.objects.get(lead=lead).final == 5
    seen = Touchpoint.objects.get(is_machine=False)
    with pytest.raises(InvalidInput, match="Say how you know that a machine did it"):
        call_machine(seen, by=person, reason=" ")
    with pytest.raises(NotAllowed, match="You may not change"):
        call_machine(seen, by=person_with(Role.EXECUTIVE), reason="A robot")
    call_machine(seen, by=person, reason="A robot")
    assert LeadScore.objects.get(lead=lead).final == 0
    with pytest.raises(WrongState, match="called a machine's already"):
        call_machine(seen, by=person, reason="A robot")
    for each in Touchpoint.objects.all():
        call_person(each, by=person)
    with pytest.raises(WrongState, match="counts as the person's already"):
        call_person(seen, by=person)
    assert LeadScore.objects.get(lead=lead).final == 10
    assert unequal_sums() == []


def test_touches_are_evidence():
    person, lead = person_with(Role.OPS), LeadFactory()
    take_touches([touch(lead)], by=person)
    rows = Touchpoint.objects.all()
    for spoil, sentence in (
        (lambda: rows.update(value="Better"), "only whose it is and whether a machine did it"),
        (lambda: rows._raw_delete("default"), "is never deleted"),
    ):
        with pytest.raises(DatabaseError) as caught, transaction.atomic():
            spoil()
        assert sentence in sentence_of(caught.value)


def test_months_have_partitions_and_the_rest_moves_into_its_own():
    person, lead = person_with(Role.OPS), LeadFactory()
    take_touches([touch(lead, at=dt.datetime(2011, 3, 4, tzinfo=dt.UTC))], by=person)
    place = "SELECT tableoid::regclass::text FROM leads_touchpoint"
    with connection.cursor() as cursor:
        cursor.execute(place)
        assert cursor.fetchone() == ("leads_touchpoint_rest",)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SELECT mops_prepare_touch_partitions(0)")
        cursor.execute(place)
        assert cursor.fetchone() == ("leads_touchpoint_2011_03",)


def test_sums_that_went_wrong_are_found_and_mended():
    person, lead = person_with(Role.OPS), LeadFactory()
    in_force(scoring(owner=person), body(rule("Visits", 5, 50, touch="visit")), by=person)
    take_touches([touch(lead, days=1)], by=person)
    Accumulator.objects.filter(lead=lead).update(sums=[7.0])
    assert unequal_sums() == [lead.pk]
    mend([lead.pk])
    assert unequal_sums() == []
    assert LeadScore.objects.get(lead=lead).final == 5


def test_the_list_asks_the_same_for_three_touches_as_for_one_and_keeps_to_the_territory(client):
    person, seller = person_with(Role.OPS), person_with(Role.SALES)
    mine, theirs = LeadFactory(name="Mine", owner_person=seller), LeadFactory(name="Theirs")
    client.force_login(person)
    take_touches([touch(mine)], by=person)
    assert_same_queries(
        client, list_of(Touchpoint), lambda: take_touches([touch(LeadFactory()), touch(theirs)], by=person)
    )
    client.force_login(seller)
    listed = client.get(list_of(Touchpoint)).content.decode()
    assert "Mine" in listed
    assert "Theirs" not in listed
    hidden = Touchpoint.objects.get(lead=theirs)
    assert client.get(page_of(hidden)).status_code in (302, 403, 404)
    assert client.post(button_of(hidden, "machine"), {"reason": "x"}).status_code == 404
