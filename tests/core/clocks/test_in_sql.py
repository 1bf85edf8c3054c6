"""PostgreSQL counts working time as Python does: the same moments, the same amounts, the same rows."""

import datetime as dt
import random

import pytest
import time_machine
from django.db import connection

from apps.core.calendars.domain import business_time
from apps.core.calendars.domain.publishing import publish_version
from apps.core.calendars.domain.queries import schedule_for
from apps.core.clocks.domain.clocks import pause_clock, resume_clock, start_clock
from apps.core.clocks.domain.counting import BOOKED, read_books
from apps.core.clocks.domain.firing import fire_due
from apps.core.clocks.domain.laying_out import lay_out
from apps.core.clocks.domain.recounting import recount
from apps.core.clocks.models import Clock
from apps.core.clocks.stretches import OpenStretch
from tests.core.clocks.conftest import METRIC, MONDAY
from tests.factories.accounts import TeamFactory
from tests.factories.calendars import OFFICE_WEEK, published_calendar

pytestmark = pytest.mark.django_db

NIGHTS = {"friday": "18:00-24:00", "saturday": "00:00-06:00, 22:00-24:00", "sunday": "00:00-08:00"}
WEEKS = (
    {"zone": "Europe/Berlin", "weekly_hours": OFFICE_WEEK, "country": "DE", "half_days": {"2026-12-31": "09:00-12:00"}},
    {"zone": "America/New_York", "weekly_hours": {**NIGHTS, "monday": "01:30-03:00"}},
    {"zone": "Australia/Lord_Howe", "weekly_hours": {**NIGHTS, "monday": "01:45-02:15, 09:00-12:00"}},
    {"zone": "UTC", "weekly_hours": dict.fromkeys([*OFFICE_WEEK, "saturday", "sunday"], "00:00-24:00")},
)
# clock changes in both directions, and the end of the year
AROUND = tuple(
    dt.datetime(*each, tzinfo=dt.UTC)
    for each in (
        (2026, 3, 29),
        (2026, 10, 25),
        (2026, 3, 8),
        (2026, 11, 1),
        (2026, 4, 4),
        (2026, 10, 3),
        (2026, 12, 31),
    )
)


def in_sql(version, begun, over, amount):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT clocks_worked(%(v)s, %(over)s) - clocks_worked(%(v)s, %(begun)s), "
            "clocks_due(%(v)s, %(begun)s, %(amount)s)",
            {"v": version.pk, "begun": begun, "over": over, "amount": amount},
        )
        return cursor.fetchone()


def test_elapsed_and_due_are_the_same_in_sql(keeper, proof):
    chance = random.Random(8)
    calendars = [published_calendar(keeper, **week) for week in WEEKS]
    with time_machine.travel(MONDAY - dt.timedelta(days=200)):
        moved = {"effective_from": dt.date(2026, 10, 25), "zone": "Asia/Kolkata", "weekly_hours": OFFICE_WEEK}
        publish_version(calendars[0], by=keeper, **moved)
    laid = [(lay_out(calendar), schedule_for(calendar)) for calendar in calendars]
    for number in range(10_000 if proof else 300):
        version, schedule = chance.choice(laid)
        begun = chance.choice(AROUND) + dt.timedelta(seconds=chance.randint(-400_000, 400_000))
        over = begun + dt.timedelta(microseconds=chance.randint(0, 10**12))
        amount = dt.timedelta(minutes=chance.choice((0, 1, 30, 510, chance.randint(1, 6000))))
        expected = (business_time.elapsed(schedule, begun, over), business_time.due(schedule, begun, amount))
        assert in_sql(version, begun, over, amount) == expected, number


def test_due_beyond_the_years_laid_out_is_left_to_python(keeper):
    version = lay_out(published_calendar(keeper))
    assert in_sql(version, MONDAY, MONDAY, dt.timedelta(hours=200_000))[1] is None


def test_layout_is_written_once_for_a_version(keeper, django_assert_num_queries):
    calendar = published_calendar(keeper)
    version = lay_out(calendar)
    rows = OpenStretch.objects.filter(version=version).count()
    with django_assert_num_queries(3):
        assert lay_out(calendar) == version
    assert OpenStretch.objects.filter(version=version).count() == rows


@pytest.fixture
def many(berlin, keeper, at, metric, proof):
    """Clocks of every kind: running, paused, gone on, carried over, some rungs fired, some late."""
    chance, made = random.Random(20), []
    for _ in range(200 if proof else 40):
        begun = at("Mon 09:00") + dt.timedelta(minutes=chance.randint(0, 2000))
        moments = sorted(begun + dt.timedelta(minutes=chance.randint(0, 3000)) for _ in range(chance.randint(0, 3)))
        at("Fri 16:00")
        clock = start_clock(
            TeamFactory(), METRIC, target=chance.choice((30, 240, 960, 4000)), calendar=berlin, by=keeper, at=begun
        )
        for number, moment in enumerate(moments):
            if number % 2:
                resume_clock(clock, by=keeper, at=moment)
            else:
                pause_clock(clock, reason="vendor", by=keeper, at=moment)
        made.append(clock)
    fire_due(now=at("Thu 12:00"))
    at("Fri 16:00")
    return made


@pytest.mark.parametrize("weekly", ["10:00-16:00", "07:00-20:00"])
def test_recount_at_once_books_what_python_books(many, berlin, keeper, at, weekly):
    week = dict.fromkeys(OFFICE_WEEK, weekly)
    publish_version(berlin, by=keeper, effective_from=dt.date(2026, 11, 23), zone="Europe/Berlin", weekly_hours=week)
    assert recount(berlin) == Clock.objects.open().filter(calendar=berlin).count()
    found = {clock.pk: clock for clock in Clock.objects.filter(pk__in=[each.pk for each in many])}
    newest = berlin.versions.order_by("-number")[0]
    for book in read_books(list(Clock.objects.filter(pk__in=found).select_related("calendar"))):
        book.post(at("Fri 16:00"))
        book.clock.calendar_version = newest
        stored = found[book.clock.pk]
        assert [getattr(stored, name) for name in BOOKED] == [getattr(book.clock, name) for name in BOOKED], stored.pk


def test_recount_leaves_closed_clocks_and_other_calendars(many, berlin, keeper, at):
    other = start_clock(TeamFactory(), METRIC, target=60, calendar=published_calendar(keeper), by=keeper)
    before = Clock.objects.get(pk=other.pk).calendar_version_id
    publish_version(berlin, by=keeper, effective_from=dt.date(2026, 11, 23), zone="UTC", weekly_hours=OFFICE_WEEK)
    recount(berlin)
    assert Clock.objects.get(pk=other.pk).calendar_version_id == before
