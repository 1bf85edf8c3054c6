"""Seats: assigned as long as there are any, found inactive, taken back or left; and what files bring of them."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import DatabaseError, transaction

from apps.accounts.enums import Role
from apps.core import clock
from apps.core.admin_kit.refusals import sentence_of
from apps.core.errors import WrongState
from apps.core.exchange.registry import Row, get_importer
from apps.core.overdue import overdue_of
from apps.core.transitions import transition
from apps.technology.domain.lifecycle import move_tool, refuse_move
from apps.technology.domain.seats import assign_seat, keep, propose_reclaims, reclaim, record_activity, release_seat
from apps.technology.enums import Lifecycle, Metric, ReclaimState
from apps.technology.models import ReclaimTask, Seat, Tool, UtilisationSample
from tests.factories.accounts import person_with
from tests.factories.technology import (
    CostLineFactory,
    LicenceFactory,
    SampleFactory,
    SeatFactory,
    ToolFactory,
)

pytestmark = pytest.mark.django_db
TODAY = dt.date(2026, 11, 20)


def test_no_more_seats_than_there_are():
    ops, licence = (
        person_with(Role.OPS),
        LicenceFactory(name="Pro", quantity=1, tool=ToolFactory(name="CRM", active=True)),
    )
    assign_seat(licence, holder="ann@example.com", by=ops)
    with pytest.raises(WrongState, match="All 1 seats of CRM Pro are taken; release one, or raise the number of seats"):
        assign_seat(licence, holder="ben@example.com", by=ops)
    release_seat(Seat.objects.get(), by=ops)
    assign_seat(licence, holder="ben@example.com", by=ops)


@pytest.mark.parametrize("metric", [Metric.SITE, Metric.UNLIMITED])
def test_sites_and_unlimited_licences_never_fill(metric):
    ops, licence = person_with(Role.OPS), LicenceFactory(metric=metric, quantity=None)
    for number in range(9):
        assign_seat(licence, holder=f"{number}@example.com", by=ops)
    assert licence.seats.taken().count() == 9


def test_nobody_sits_twice():
    ops, licence = person_with(Role.OPS), LicenceFactory()
    assign_seat(licence, holder="ann@example.com", by=ops)
    with pytest.raises(WrongState, match="already has a seat"):
        assign_seat(licence, holder="ANN@example.com", by=ops)


def test_inactive_seats_become_tasks_once_with_what_they_save():
    ops = person_with(Role.OPS)
    owner = person_with(Role.OPS)
    tool = ToolFactory(active=True, technical_owner=owner)
    CostLineFactory(tool=tool, basis="seat", quantity=5, amount=Decimal("49.90"), period="month")
    licence = LicenceFactory(tool=tool)
    SeatFactory(licence=licence, last_active_on=TODAY - dt.timedelta(days=61))
    SeatFactory(licence=licence, last_active_on=TODAY - dt.timedelta(days=60))
    SeatFactory(licence=licence, last_active_on=None, assigned_on=TODAY - dt.timedelta(days=61))
    SeatFactory(licence=LicenceFactory(metric=Metric.UNLIMITED, quantity=None), last_active_on=dt.date(2025, 1, 1))
    assert propose_reclaims(TODAY, by=ops) == {"proposed": 2}
    assert propose_reclaims(TODAY, by=ops) == {"proposed": 0}
    task = ReclaimTask.objects.order_by("pk").first()
    assert (task.assignee, task.due_on, task.saving, task.currency) == (
        owner,
        TODAY + dt.timedelta(days=14),
        Decimal("598.80"),
        "EUR",
    )
    late = overdue_of(owner, TODAY + dt.timedelta(days=15))
    assert [each.to_do for each in late if isinstance(each.thing, ReclaimTask)] == [
        "take the seat back, or say why it stays"
    ] * 2


def test_reclaiming_frees_the_seat_and_keeping_asks_again_later():
    ops = person_with(Role.OPS)
    first, second = SeatFactory(holder="ann", assigned_on=dt.date(2025, 1, 1)), SeatFactory(holder="ben")
    propose_reclaims(clock.today(), by=ops)
    said = reclaim(ReclaimTask.objects.get(seat=first), by=ops)
    assert said.startswith("ann no longer has a seat on")
    first.refresh_from_db()
    assert first.released_on == clock.today()
    keep(ReclaimTask.objects.get(seat=second), by=ops, reason="Parental leave")
    assert propose_reclaims(clock.today(), by=ops) == {"proposed": 0}
    assert propose_reclaims(clock.today() + dt.timedelta(days=61), by=ops) == {"proposed": 1}
    with pytest.raises(WrongState, match="It is kept already"):
        reclaim(ReclaimTask.objects.get(seat=second, state=ReclaimState.KEPT), by=ops)


def test_releasing_a_seat_fulfils_its_task():
    ops, seat = person_with(Role.OPS), SeatFactory()
    propose_reclaims(clock.today(), by=ops)
    release_seat(seat, by=ops)
    assert ReclaimTask.objects.get().state == ReclaimState.RECLAIMED


def test_a_tool_with_live_seats_is_not_retired():
    ops, seat = person_with(Role.OPS), SeatFactory(licence__tool=ToolFactory(name="CRM", lifecycle="sunsetting"))
    tool = seat.licence.tool
    assert refuse_move(ops, tool, to=Lifecycle.RETIRED) == (
        "CRM cannot be retired: it still has 1 live seat. End them first."
    )
    with pytest.raises(DatabaseError) as refused, transaction.atomic(), transition(Tool):
        Tool.objects.filter(pk=tool.pk).update(lifecycle="retired")
    assert sentence_of(refused.value) == (
        "This tool cannot be retired: people still have seats on it. Release them first."
    )
    release_seat(seat, by=ops)
    move_tool(tool, to=Lifecycle.RETIRED, by=ops)
    with pytest.raises(WrongState, match="CRM is retired; nobody gets a seat on it"):
        assign_seat(seat.licence, holder="x", by=ops)


def test_activity_never_goes_back():
    seat, ops = SeatFactory(last_active_on=TODAY), person_with(Role.OPS)
    assert record_activity(seat, TODAY - dt.timedelta(days=1), source="file", by=ops) is False
    assert record_activity(seat, TODAY + dt.timedelta(days=1), source="file", by=ops) is True


def bring(key, *records):
    importer, person = get_importer(key), person_with(Role.OPS)
    rows = [Row(line, {n: importer.column(n).read(c) for n, c in each.items()}) for line, each in enumerate(records, 1)]
    return [(outcome.kind, outcome.reason) for outcome in importer.apply(rows, by=person)]


def test_a_file_of_users_assigns_and_tells_who_was_active():
    licence = LicenceFactory(name="Pro", tool=ToolFactory(name="CRM", active=True), quantity=2)
    file = (
        {"tool": "crm", "holder": "ann@example.com", "last_active_on": "2026-11-02"},
        {"tool": "CRM", "holder": "ben@example.com", "last_active_on": "never"},
        {"tool": "CRM", "holder": "cleo@example.com", "last_active_on": ""},
        {"tool": "Fax", "holder": "ann@example.com", "last_active_on": ""},
        {"tool": "CRM", "licence": "Gold", "holder": "dan@example.com"},
    )
    assert bring("technology.seats", *file) == [
        ("created", ""),
        ("created", ""),
        ("refused", "All 2 seats of CRM Pro are taken; release one, or raise the number of seats."),
        ("refused", "There is no tool called “Fax”; import the inventory first, or correct the name."),
        ("refused", "CRM has no licence called “Gold”; it has Pro."),
    ]
    again = bring("technology.seats", *file[:2], {**file[0], "last_active_on": "2026-11-09"})
    assert [kind for kind, _ in again] == ["unchanged", "unchanged", "updated"]
    assert licence.seats.get(holder="ann@example.com").last_active_on == dt.date(2026, 11, 9)


def test_measurements_come_in_once_and_stay():
    ToolFactory(name="CRM", active=True)
    sample = {
        "tool": "CRM",
        "numerator": "20",
        "denominator": "40",
        "period_from": "2026-10-01",
        "period_to": "2026-10-31",
        "source": "Console",
    }
    assert bring("technology.samples", sample) == [("created", "")]
    assert bring("technology.samples", sample) == [("unchanged", "")]
    assert bring("technology.samples", {**sample, "numerator": "30"}) == [("created", "")]
    wrong = ({**sample, "numerator": "999"}, {**sample, "denominator": "0"}, {**sample, "period_to": "2026-09-01"})
    assert [reason for _, reason in bring("technology.samples", *wrong)] == [
        "More than ten times of what there is: are the two figures swapped?",
        "Used is nothing or more, of something that is more than nothing.",
        "A period cannot end before it starts; look at the two dates.",
    ]
    assert UtilisationSample.objects.count() == 2
    with pytest.raises(DatabaseError) as refused, transaction.atomic():
        UtilisationSample.objects.update(numerator=1)
    assert "permission" in str(refused.value) or "stays as it was taken" in str(refused.value)


def test_the_newest_measure_of_users_counts():
    from apps.technology.domain.use import counting_sample

    tool = ToolFactory(active=True)
    SampleFactory(tool=tool, period_to=dt.date(2026, 9, 30), period_from=dt.date(2026, 9, 1))
    newest = SampleFactory(tool=tool)
    SampleFactory(tool=tool, metric="quota", period_to=dt.date(2026, 11, 15))
    assert counting_sample(tool, TODAY, clock.now()) == newest
