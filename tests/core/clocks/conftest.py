"""A record to measure, a calendar to measure it in, and a metric that writes down what it was told."""

import datetime as dt

import pytest
import time_machine

from apps.accounts.enums import Role
from apps.core.clocks import registry
from apps.core.clocks.registry import Metric, PauseReason, register_metric
from tests.factories.accounts import TeamFactory, person_with
from tests.factories.calendars import published_calendar

BERLIN = dt.timezone(dt.timedelta(hours=1))
MONDAY = dt.datetime(2026, 11, 16, 9, tzinfo=BERLIN)
METRIC = "test.answer"


@pytest.fixture
def keeper(db):
    return person_with(Role.ADMINISTRATOR)


@pytest.fixture
def berlin(keeper):
    """Monday to Friday, 09:00 to 17:30 in Berlin."""
    with time_machine.travel(MONDAY, tick=False):
        calendar = published_calendar(keeper)
    calendar.name = "Berlin office"
    calendar.save()
    return calendar


@pytest.fixture
def subject(db):
    return TeamFactory(name="Ticket 7")


@pytest.fixture
def at():
    """Travel to a moment of the week of Monday, 16 November 2026, written "Tue 10:20" on Berlin's clocks."""
    days = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    travels = []

    def travel(text: str, *, weeks: int = 0):
        day, _, clock = text.partition(" ")
        hour, minute = map(int, clock.split(":"))
        moment = MONDAY.replace(hour=hour, minute=minute) + dt.timedelta(days=days.index(day), weeks=weeks)
        while travels:
            travels.pop().stop()
        travels.append(time_machine.travel(moment, tick=False))
        travels[0].start()
        return moment

    yield travel
    while travels:
        travels.pop().stop()


@pytest.fixture
def told():
    """What the metric's hook was called with."""
    return []


@pytest.fixture
def metric(told):
    known = register_metric(
        Metric(
            METRIC,
            "First response",
            on_rung=lambda clock, rung, *, at: told.append((rung.percent, rung.kind.value, at)),
            pause_reasons=(
                PauseReason("requester", "waiting for requester", cap=dt.timedelta(hours=8)),
                PauseReason("vendor", "waiting for the vendor"),
            ),
        )
    )
    yield known
    registry._metrics.pop(METRIC, None)
