"""What who leads the desk looks at: pauses that look like hiding, and demand against capacity."""

import datetime as dt

import pytest
import time_machine
from django.urls import reverse

from apps.accounts.enums import Role
from apps.core import clock
from apps.core.actors import acting_as
from apps.core.calendars.domain.publishing import ensure_default_calendar
from apps.core.clocks.domain.firing import fire_due
from apps.core.transitions import transition
from apps.tickets.domain import linking, moves
from apps.tickets.domain.conversation import reply
from apps.tickets.domain.demand import demand, forecast
from apps.tickets.domain.pauses import lines, odd_ones, pauses_of
from apps.tickets.models import Agreement
from tests.factories.accounts import TeamFactory, person_with
from tests.factories.tickets import QueueFactory, TicketTypeFactory, agent, colleague, ticket

pytestmark = pytest.mark.django_db
MONDAY = dt.datetime(2026, 11, 16, 9, tzinfo=dt.UTC)


@pytest.fixture
def at():
    with time_machine.travel(MONDAY, tick=False) as traveller:
        ensure_default_calendar()

        def go(hours):
            moment = MONDAY + dt.timedelta(hours=hours)
            traveller.move_to(moment)
            return moment

        yield go


@pytest.fixture
def queue(at):
    """A queue whose agreement lets time stand still for two hours at most while it waits for the requester."""
    queue = QueueFactory(name="Desk")
    with acting_as(agent()), transition(Agreement):
        Agreement.objects.create(
            name="Desk for all",
            queue=queue,
            customer=TeamFactory(),
            for_everybody=True,
            promises="P3 | 4 h | 4 h | 16 h",
            requester_cap=2,
            effective_on=dt.date(2020, 1, 1),
            state="signed",
            signed_at=clock.now(),
        )
    return queue


def test_pauses_worth_a_look_are_told_with_the_reason(client, queue, at):
    honest, hiding = agent(full_name="Hanna Honest"), agent(full_name="Hidde Hiding")
    made, other, fine = ticket(queue=queue), ticket(queue=queue), ticket(queue=queue)
    reply(fine, body="Which one?", by=honest, then="waiting_requester")
    moves.wait(made, by=hiding, state="waiting_requester", reason="Waits")
    at(1)
    moves.go_on(fine, by=honest)
    at(3.7)  # 93 % of the first four hours
    fire_due()
    moves.wait(other, by=hiding, state="waiting_vendor", reason="Vendor")
    at(6)
    fire_due()
    rows = pauses_of(hiding, since=MONDAY - dt.timedelta(days=1), now=at(6))
    told = [(e.person, e.reason, e.pauses, e.hit_limit, e.unasked, e.late) for e in lines(rows)]
    assert told == [
        ("Hidde Hiding", "waiting for requester", 1, 1, 1, 0),
        ("Hidde Hiding", "waiting for the vendor", 1, 0, 0, 1),
        ("Hanna Honest", "waiting for requester", 1, 0, 0, 0),
    ]
    assert [(each.ticket, each.worked, each.why) for each in odd_ones(rows)] == [
        (str(other), dt.timedelta(hours=2, minutes=18), "Nine tenths of the promised time were gone."),
        (
            str(made),
            dt.timedelta(hours=2),
            "Its limit ended it, nobody asked the requester anything around then.",
        ),
    ]
    client.force_login(person_with(Role.AUDITOR))
    page = client.get(reverse("tickets-pauses")).content.decode()
    assert "Hidde Hiding" in page
    assert "its limit ended it" in page.lower()
    client.force_login(colleague())
    assert client.get(reverse("tickets-pauses")).status_code in (302, 403)
    assert list(pauses_of(colleague(), since=MONDAY, now=at(6))) == []


def test_a_forecast_follows_the_trend_and_says_how_far_it_is_off():
    assert forecast([1, 2, 3, 4, 5]) is None
    steady = forecast([10] * 12)
    assert ([round(each[0], 3) for each in steady.weeks], steady.error, steady.naive) == ([10, 10, 10, 10], 0, 0)
    growing = forecast(list(range(10, 36)))
    assert 34 < growing.weeks[0][0] < growing.weeks[3][0] < 42
    assert growing.weeks[0][1] <= growing.weeks[0][0] <= growing.weeks[0][2]
    assert not growing.is_better  # of a straight line, last week's number is off by one alone
    noisy = forecast([10, 14, 8, 12, 9, 15, 7, 13, 11, 9, 14, 8])
    assert noisy.is_better
    assert forecast([5, 0, 0, 0, 0, 0, 0, 0]).weeks[3][1] == 0


def test_demand_is_set_against_the_hours_of_the_desk(client, at):
    ops, queue = agent(), QueueFactory()
    big, small = TicketTypeFactory(tier="project", queue=queue), TicketTypeFactory(tier="standard", queue=queue)
    monday = MONDAY.replace(hour=8)
    for week in range(1, 9):
        for kind, number in ((small, 2), (big, 1)):
            for _ in range(number):
                made = ticket(kind=kind, queue=queue, at=monday - dt.timedelta(weeks=week))
    moves.resolve(made, by=ops, resolution="solved", at=monday - dt.timedelta(days=3))
    linking.spend_time(made, by=ops, minutes=120)
    found, capacity, people = demand(ops, now=at(1))
    assert [(each.tier, each.came[-8:], each.solved) for each in found] == [
        ("standard", (2,) * 8, 0.0),
        ("project", (1,) * 8, 0.125),
    ]
    project = found[1]
    assert (round(project.expected), project.minutes, round(project.hours), project.falls_behind) == (1, 120, 2, True)
    assert people >= 1
    assert capacity == people * 42.5
    client.force_login(person_with(Role.AUDITOR))
    page = client.get(reverse("tickets-demand")).content.decode()
    assert "More is expected than was solved" in page
    client.force_login(colleague())
    assert client.get(reverse("tickets-demand")).status_code in (302, 403)
