"""Versions are published, never changed; the default is one; refusals are sentences."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import DatabaseError, transaction

from apps.accounts.enums import Role
from apps.audit.models import AuditEvent
from apps.core.calendars.domain.business_time import elapsed
from apps.core.calendars.domain.publishing import ensure_default_calendar, make_default, publish_version
from apps.core.calendars.domain.queries import default_calendar, schedule_for
from apps.core.calendars.domain.schedule import CalendarError
from apps.core.calendars.models import PUBLISHED_STAYS, BusinessCalendar, CalendarVersion
from apps.core.errors import NotAllowed, WrongState
from mops.db.roles import as_owner
from tests.factories.accounts import person_with
from tests.factories.calendars import OFFICE_WEEK, CalendarFactory, published_calendar

pytestmark = pytest.mark.django_db
BERLIN = ZoneInfo("Europe/Berlin")
NOW = dt.datetime(2026, 6, 15, 12, tzinfo=dt.UTC)


@pytest.fixture
def keeper():
    return person_with(Role.ADMINISTRATOR)


def publish(calendar, by, start, **said):
    return publish_version(
        calendar, by=by, effective_from=start, **{"zone": "Europe/Berlin", "weekly_hours": OFFICE_WEEK, **said}
    )


def test_publish_version_writes_down_what_was_said_and_the_holidays(keeper) -> None:
    calendar = published_calendar(keeper, country="DE", half_days={"2026-12-24": "09:00 – 12:00"}, note="Opening")
    version = calendar.versions.get()
    assert (version.number, version.author, version.note) == (1, keeper, "Opening")
    assert version.half_days == {"2026-12-24": "09:00-12:00"}
    assert version.public_holidays["2026-10-03"] == "German Unity Day"
    assert version.holidays_known_from == 2025
    assert version.holidays_known_until >= 2036


def test_publish_version_is_in_the_ledger_with_its_author_and_reason(keeper) -> None:
    version = published_calendar(keeper, note="Opening").versions.get()
    entry = AuditEvent.objects.of_object(version).get()
    assert (entry.action, entry.actor_label, entry.reason) == ("insert", keeper.email, "Opening")


@time_machine.travel(NOW, tick=False)
def test_a_new_version_leaves_time_before_it_as_it_was_counted(keeper) -> None:
    calendar = published_calendar(keeper)
    span = (dt.datetime(2026, 6, 8, tzinfo=BERLIN), dt.datetime(2026, 6, 13, tzinfo=BERLIN))
    before = elapsed(schedule_for(calendar), *span)
    publish(calendar, keeper, dt.date(2026, 6, 22), weekly_hours={"monday": "10:00-12:00"})
    assert before == elapsed(schedule_for(calendar), *span) == dt.timedelta(hours=42.5)
    later = (dt.datetime(2026, 6, 15, tzinfo=BERLIN), dt.datetime(2026, 6, 27, tzinfo=BERLIN))
    assert elapsed(schedule_for(calendar), *later) == dt.timedelta(hours=42.5 + 2)


@time_machine.travel(NOW, tick=False)
@pytest.mark.parametrize(
    ("start", "zone", "sentence"),
    [
        (
            dt.date(2026, 1, 1),
            "Europe/Berlin",
            "The last version takes effect on 2026-01-01; the next one must begin later, not on 2026-01-01.",
        ),
        (
            dt.date(2026, 6, 15),
            "Europe/Berlin",
            "2026-06-15 has begun in Europe/Berlin, and clocks have counted in it; the earliest date is 2026-06-16.",
        ),
        (
            dt.date(2026, 6, 16),
            "Pacific/Kiritimati",
            (
                "2026-06-16 has begun in Pacific/Kiritimati, and clocks have counted in it; "
                "the earliest date is 2026-06-17."
            ),
        ),
    ],
)
def test_publish_version_refuses_a_start_in_counted_time(keeper, start, zone, sentence) -> None:
    calendar = published_calendar(keeper)
    with pytest.raises(CalendarError) as refused:
        publish(calendar, keeper, start, zone=zone)
    assert refused.value.fields == {"effective_from": sentence}
    assert calendar.versions.count() == 1


def test_publish_version_refuses_whoever_may_not_change_calendars() -> None:
    calendar, reader = CalendarFactory(name="Berlin"), person_with(Role.OPS)
    with pytest.raises(NotAllowed, match=r"^You may not change Berlin; administrators keep the business calendars.$"):
        publish(calendar, reader, dt.date(2026, 1, 1))


def test_publish_version_refuses_an_archived_calendar(keeper) -> None:
    calendar = CalendarFactory(name="Berlin", archived_at=NOW)
    with pytest.raises(NotAllowed, match=r"^Berlin is archived; restore it first.$"):
        publish(calendar, keeper, dt.date(2026, 1, 1))


@pytest.mark.parametrize("change", ["update", "delete", "save"])
def test_the_database_lets_the_serving_role_change_no_published_version(keeper, change) -> None:
    version = published_calendar(keeper).versions.get()
    rows = CalendarVersion.objects.filter(pk=version.pk)
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
        {"update": lambda: rows.update(note="x"), "delete": rows.delete, "save": version.save}[change]()
    assert rows.get().note == ""


@pytest.mark.django_db(transaction=True)
def test_the_database_refuses_the_owner_too_in_words() -> None:
    version = ensure_default_calendar().versions.get()
    with as_owner(), pytest.raises(DatabaseError, match=PUBLISHED_STAYS), transaction.atomic():
        CalendarVersion.objects.filter(pk=version.pk).update(note="x")


def test_make_default_moves_the_default(keeper) -> None:
    old, calendar = ensure_default_calendar(), published_calendar(keeper)
    assert make_default(calendar, by=keeper) == f"{calendar} now counts wherever nothing else was chosen."
    assert default_calendar() == calendar
    old.refresh_from_db()
    assert not old.is_default


def test_make_default_refuses_a_calendar_without_hours_the_default_and_strangers(keeper) -> None:
    with pytest.raises(WrongState, match=r"^Empty has no hours yet; publish its first version.$"):
        make_default(CalendarFactory(name="Empty"), by=keeper)
    with pytest.raises(WrongState, match=r"^Office hours is the default already.$"):
        make_default(ensure_default_calendar(), by=keeper)
    with pytest.raises(WrongState, match=r"^You may not change"):
        make_default(published_calendar(keeper), by=person_with(Role.OPS))


def test_the_default_calendar_is_shipped_and_ensured_once(settings) -> None:
    first = ensure_default_calendar()
    assert ensure_default_calendar() == first == default_calendar()
    version = first.versions.get()
    assert (version.zone, version.country, version.author) == (settings.TIME_ZONE, "", None)
    assert version.weekly_hours == OFFICE_WEEK
    assert BusinessCalendar.objects.filter(is_default=True).count() == 1


def test_without_a_default_calendar_the_way_out_is_said() -> None:
    BusinessCalendar.objects.update(is_default=False)
    with pytest.raises(CalendarError, match=r"^No business calendar is the default; make one the default under"):
        default_calendar()
