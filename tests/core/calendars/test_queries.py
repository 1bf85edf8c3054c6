"""Which version answers, and that asking again is cheap."""

import datetime as dt

import pytest
import time_machine

from apps.accounts.enums import Role
from apps.core.calendars.domain.publishing import publish_version
from apps.core.calendars.domain.queries import schedule_for, version_in_force, without_newer_holidays
from apps.core.calendars.domain.schedule import CalendarError
from apps.core.calendars.models import BusinessCalendar, CalendarVersion
from tests.factories.accounts import person_with
from tests.factories.calendars import OFFICE_WEEK, CalendarFactory, published_calendar

pytestmark = pytest.mark.django_db


@pytest.fixture
def keeper():
    return person_with(Role.ADMINISTRATOR)


def test_schedule_for_reads_each_version_once(keeper, django_assert_num_queries) -> None:
    calendar = published_calendar(keeper, country="DE")
    with django_assert_num_queries(2):
        first = schedule_for(calendar)
    with django_assert_num_queries(1):
        assert schedule_for(calendar) is first


def test_schedule_for_notices_a_new_version(keeper) -> None:
    calendar = published_calendar(keeper)
    assert len(schedule_for(calendar).versions) == 1
    publish_version(calendar, by=keeper, effective_from=dt.date(2099, 1, 1), zone="UTC", weekly_hours=OFFICE_WEEK)
    assert [version.schedule.zone for version in schedule_for(calendar).versions] == ["Europe/Berlin", "UTC"]


def test_schedule_for_refuses_a_calendar_without_versions() -> None:
    with pytest.raises(CalendarError, match=r"^Empty has no hours yet; publish its first version.$"):
        schedule_for(CalendarFactory(name="Empty"))


def test_version_in_force_is_the_newest_begun_or_else_the_first(keeper) -> None:
    calendar = published_calendar(keeper)
    publish_version(calendar, by=keeper, effective_from=dt.date(2099, 1, 1), zone="UTC", weekly_hours=OFFICE_WEEK)
    asked = (dt.date(2020, 1, 1), dt.date(2098, 12, 31), dt.date(2099, 1, 1))
    assert [version_in_force(calendar, day).number for day in asked] == [1, 1, 2]
    assert version_in_force(CalendarFactory(), asked[0]) is None


@time_machine.travel(dt.datetime(2026, 6, 15, tzinfo=dt.UTC), tick=False)
def test_without_newer_holidays_finds_versions_the_library_has_overtaken(keeper) -> None:
    fresh, stale = published_calendar(keeper, country="DE"), CalendarFactory()
    CalendarVersion.objects.create(
        calendar=stale,
        number=1,
        effective_from=dt.date(2026, 1, 1),
        zone="Europe/Berlin",
        weekly_hours=OFFICE_WEEK,
        country="DE",
        public_holidays={"2026-12-25": "Christmas Day"},
        holidays_known_from=2026,
        holidays_known_until=2036,
        author=keeper,
        published_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
    )
    chosen = BusinessCalendar.objects.filter(pk__in=(fresh.pk, stale.pk))
    assert list(without_newer_holidays(chosen)) == [stale]
