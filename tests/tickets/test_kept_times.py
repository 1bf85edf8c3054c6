"""Kept times: the figures are the same with and without them, whatever is out of date is counted anew, wrongs mend."""

import datetime as dt

import pytest
from django.db import transaction

from apps.accounts.enums import Role
from apps.core import clock
from apps.core.alerts.models import Alert
from apps.core.calendars.domain.publishing import make_default
from apps.core.jobs.api import enqueue
from apps.core.jobs.testing import run_queued_jobs
from apps.tickets.domain import moves
from apps.tickets.domain.analytics import Period, figures
from apps.tickets.domain.conversation import reply
from apps.tickets.domain.kept_times import check_times, keep_times
from apps.tickets.models import TicketTimes
from tests.factories.accounts import person_with
from tests.factories.calendars import published_calendar
from tests.factories.tickets import QueueFactory, agent, ticket
from tests.tickets.test_questions import signed

pytestmark = pytest.mark.django_db
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)


@pytest.fixture
def desk(db):
    """Eight tickets, four of them under an agreement: answered, solved, one waited, one came back."""
    by, promised, free = agent(), QueueFactory(), QueueFactory()
    signed(promised)
    now = clock.now()
    made = [ticket(queue=promised if n % 2 else free, at=now - 20 * DAY - n * 5 * HOUR) for n in range(8)]
    for n, each in enumerate(made[:6]):
        reply(each, body="Hello", by=by, at=each.opened_at + (n + 1) * 7 * HOUR)
    moves.wait(made[3], by=by, state="waiting_requester", reason="Which ones?", at=made[3].opened_at + 2 * DAY)
    for n, each in enumerate(made[:4]):
        moves.resolve(each, by=by, resolution="solved", at=each.opened_at + (n + 3) * DAY)
    return by, made


def times(by):
    now = clock.now()
    found = figures(by, Period(now - 30 * DAY, now), now=now)
    return [
        [(each.label, each.count, [round(at.total_seconds(), 3) for at in each.at]) for each in part]
        for part in (found.first, found.solution)
    ]


def test_figures_are_the_same_before_and_after_keeping(desk):
    by, made = desk
    counted = times(by)
    assert [part[-1][1] for part in counted] == [6, 4]
    enqueue("tickets.keep_times", by=None)
    run_queued_jobs()
    assert TicketTimes.objects.count() == 6
    assert set(TicketTimes.objects.filter(calendar=None).values_list("ticket", flat=True)) == {
        made[n].pk for n in (1, 3, 5)
    }
    assert times(by) == counted
    assert keep_times() == {"kept": 0}
    assert check_times() == {"checked": 6, "mended": 0}


def test_kept_times_are_read(desk):
    by, _ = desk
    keep_times()
    TicketTimes.objects.update(first_response=60, resolution=120)
    told = times(by)
    assert [set(part[-1][2]) for part in told] == [{60}, {120}]


def test_what_is_out_of_date_is_counted_anew_and_kept_again(desk):
    by, made = desk
    keep_times()
    moves.reopen(made[0], by=by, reason="Not yet")
    moves.resolve(made[0], by=by, resolution="solved")
    reply(made[6], body="Hello", by=by)
    counted = times(by)
    assert keep_times() == {"kept": 2}
    assert times(by) == counted


def test_another_default_calendar_takes_back_what_the_first_one_told(desk):
    by, _ = desk
    keep_times()
    TicketTimes.objects.exclude(calendar=None).update(first_response=1)
    keeper = person_with(Role.ADMINISTRATOR)
    make_default(published_calendar(keeper, weekly_hours={"monday": "08:00-10:00"}), by=keeper)
    counted = times(by)
    with transaction.atomic():
        TicketTimes.objects.all().delete()
        assert times(by) == counted  # as though nothing had been kept
        transaction.set_rollback(True)
    assert keep_times() == {"kept": 3}
    assert times(by) == counted


def test_what_somebody_wrote_past_the_product_is_mended_and_told(desk):
    by, made = desk
    keep_times()
    counted = times(by)
    TicketTimes.objects.filter(ticket=made[1]).update(first_response=1)
    TicketTimes.objects.filter(ticket=made[2]).update(resolution=None)
    enqueue("tickets.check_times", by=None)
    run_queued_jobs()
    alert = Alert.objects.get(fingerprint="tickets.times")
    assert alert.detail == (
        f"2 differed from their clocks and the calendar, and were mended: T-{made[1].pk}, T-{made[2].pk}."
    )
    assert times(by) == counted
    assert check_times()["mended"] == 0
    alert.refresh_from_db()
    assert alert.state == "resolved"
