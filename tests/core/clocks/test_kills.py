"""Two real workers killed in the due scan: every rung fires once, and what it does to tickets is done once."""

import datetime as dt
import random
import time

import pytest
from django.db.models import Count

from apps.accounts.enums import Role
from apps.accounts.models import Membership
from apps.core.actors import acting_as
from apps.core.alerts.models import Alert
from apps.core.clocks.domain.clocks import start_clock
from apps.core.clocks.models import Clock, EscalationFire
from apps.core.jobs.api import JobRun, RunState, enqueue
from apps.core.jobs.registry import registered
from apps.core.notifications.models import Notification
from apps.core.transitions import transition
from apps.tickets.models import Agreement, TicketEvent
from tests.core.jobs.proofapp.tasks import register
from tests.core.jobs.workers import Workers, kill, wait_for
from tests.factories.accounts import TeamFactory, person_with
from tests.factories.calendars import published_calendar
from tests.factories.tickets import QueueFactory, agent, colleague, ticket

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.proof]
ROUND_THE_CLOCK = dict.fromkeys(
    ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"), "00:00-24:00"
)
RUNGS = 4
# what the ladder below does to one ticket in the end: 50 % and 75 % of the hour of a P3, then that the half hour of
# the P2, which it has become meanwhile, is over; the team of one is told each time, the owner once
TOLD = {"escalated": 3, "priority": 1, "notified": 4}


@pytest.fixture(autouse=True)
def _jobs():
    with registered(register):
        yield


@pytest.fixture
def clusters(tmp_path):
    started = [Workers(tmp_path / "first.log"), Workers(tmp_path / "second.log")]
    yield started
    for each in started:
        each.stop()


def tickets_out_of_time(number, always, begun):
    """Tickets whose first answer was promised within an hour, opened at `begun`, under a ladder that raises them."""
    queue, worker, asks = QueueFactory(), agent(), colleague()
    Membership.objects.create(team=queue.team, person=worker, role=Role.OPS)
    with acting_as(worker), transition(Agreement):
        Agreement.objects.create(
            name="Killed",
            queue=queue,
            customer=TeamFactory(),
            for_everybody=True,
            promises="P2 | 30 min | 1 h | 90 d\nP3 | 1 h | 1 h | 90 d",
            escalation="50 % | tell assignee\n75 % | tell team, owner | raise priority\n100 % | tell team",
            effective_on=dt.date(2020, 1, 1),
            owner_person=agent(),
            calendar=always,
            state="signed",
            signed_at=begun,
        )
    return [ticket(by=asks, queue=queue, at=begun).pk for _ in range(number)]


def test_every_rung_fires_once_though_workers_are_killed(clusters, proof):
    keeper = person_with(Role.ADMINISTRATOR)
    always = published_calendar(keeper, weekly_hours=ROUND_THE_CLOCK, zone="UTC")
    begun = dt.datetime.now(dt.UTC) - dt.timedelta(hours=2)
    number = 400 if proof else 60
    for _ in range(number):
        start_clock(TeamFactory(), "proof.clock", target=60, calendar=always, by=keeper, at=begun)
    tickets = tickets_out_of_time(number // 5, always, begun)
    for each in clusters:
        each.wait_until_up()
    chance = random.Random(8)
    for _ in range(30 if proof else 8):
        for _ in range(3):
            enqueue("clocks.fire_due", by=None)
        time.sleep(chance.uniform(0.1, 0.6))
        cluster = chance.choice(clusters)
        kill(chance.choice(cluster.below_sentinel()[:2] or [None]))
    # one that another worker had just then is looked at some seconds later; that of the solution is due in weeks
    waiting = Clock.objects.filter(next_fire_at__lte=dt.datetime.now(dt.UTC) + dt.timedelta(days=10))
    wait_for(
        lambda: (enqueue("clocks.fire_due", by=None), time.sleep(0.5), not waiting.exists())[2], 900 if proof else 180
    )
    assert EscalationFire.objects.filter(clock__metric="proof.clock").count() == number * RUNGS
    alerts = Alert.objects.filter(fingerprint__startswith="proof.rung:")
    assert alerts.count() == number * RUNGS
    assert set(alerts.values_list("occurrences", flat=True)) == {1}
    events = TicketEvent.objects.filter(ticket__in=tickets)
    for kind in ("escalated", "priority"):
        counted = events.filter(kind=kind).values_list("ticket").annotate(n=Count("pk"))
        assert dict(counted) == dict.fromkeys(tickets, TOLD[kind]), kind
    told = Notification.objects.filter(kind="ticket.escalated")
    assert told.count() == len(tickets) * TOLD["notified"]
    assert not JobRun.objects.filter(key="clocks.fire_due", state=RunState.FAILED).exists()
