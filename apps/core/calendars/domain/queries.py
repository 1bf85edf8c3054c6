"""Which calendar counts, and the timeline of its versions that all time is counted in."""

import datetime as dt
from collections.abc import Iterable
from functools import lru_cache
from uuid import UUID

from django.db import models

from apps.core import clock
from apps.core.calendars.domain.definition import Definition, read_definition
from apps.core.calendars.domain.public_holidays import HolidayBook, public_holidays_of_years
from apps.core.calendars.domain.schedule import CalendarError, Schedule, Timeline, Version
from apps.core.calendars.models import BusinessCalendar, CalendarVersion

_schedules: dict[UUID, Version] = {}


def schedule_for(calendar: BusinessCalendar, *, until: int | None = None) -> Timeline:
    """Return the timeline to count in; one small query, each version being read and worked out once a process.

    Versions never change once published, so what is remembered of one cannot go stale.

    Args:
        calendar: whose working time is counted.
        until: the number of the last version to know of, for what was counted before later ones were published.
    """
    versions = calendar.versions.order_by("number")
    if until is not None:
        versions = versions.filter(number__lte=until)
    return _published(calendar, tuple(versions.values_list("uuid", flat=True)))


def newest_schedule(calendar: BusinessCalendar) -> tuple[Timeline, int]:
    """Return the timeline to count in and the key of its newest version, by the same query."""
    published = list(calendar.versions.order_by("number").values_list("pk", "uuid"))
    timeline = _published(calendar, tuple(uuid for _, uuid in published))
    return timeline, published[-1][0]


def schedules_for(calendar: BusinessCalendar, untils: Iterable[int | None]) -> dict[int | None, Timeline]:
    """Return the timelines known up to each of several versions (None: to the last): one query for all of them."""
    numbered = list(calendar.versions.order_by("number").values_list("number", "uuid"))
    return {
        until: _published(calendar, tuple(uuid for number, uuid in numbered if until is None or number <= until))
        for until in set(untils)
    }


def _published(calendar: BusinessCalendar, published: tuple[UUID, ...]) -> Timeline:
    if not published:
        raise CalendarError(f"{calendar} has no hours yet; publish its first version.")
    if missing := [each for each in published if each not in _schedules]:
        for version in CalendarVersion.objects.filter(uuid__in=missing):
            _schedules[version.uuid] = Version(version.effective_from, _schedule_of(version))
    return _timeline(published)


def default_calendar() -> BusinessCalendar:
    """Return the calendar that counts where nothing else was chosen."""
    found: BusinessCalendar | None = BusinessCalendar.objects.filter(is_default=True).first()
    if found is None:
        raise CalendarError("No business calendar is the default; make one the default under Business calendars.")
    return found


def version_in_force(calendar: BusinessCalendar, day: dt.date) -> CalendarVersion | None:
    """Return the version that answers for `day`: the newest begun by then, else the first; none without versions."""
    versions = calendar.versions
    return versions.filter(effective_from__lte=day).order_by("-number").first() or versions.order_by("number").first()


def definition_of(version: CalendarVersion) -> Definition:
    """Return what a published version says."""
    return read_definition(
        zone=version.zone,
        weekly_hours=version.weekly_hours,
        country=version.country,
        subdivision=version.subdivision,
        extra_holidays=version.extra_holidays,
        removed_holidays=version.removed_holidays,
        half_days=version.half_days,
    )


def holidays_of(version: CalendarVersion) -> HolidayBook:
    """Return the closed dates of a published version, public holidays as known on its publication."""
    written = {dt.date.fromisoformat(day): name for day, name in version.public_holidays.items()}
    years = range(version.holidays_known_from, version.holidays_known_until + 1)
    return definition_of(version).book(written, years)


def without_newer_holidays(calendars: "models.QuerySet[BusinessCalendar]") -> "models.QuerySet[BusinessCalendar]":
    """Return the calendars whose last version was published before the library learnt of a holiday to come."""
    today, outdated = clock.today(), []
    for version in _last_versions(calendars):
        written, known = (
            version.public_holidays,
            public_holidays_of_years(
                version.country, version.subdivision, today.year, min(today.year + 1, version.holidays_known_until)
            ),
        )
        if any(day >= today and str(day) not in written for day in known):
            outdated.append(version.calendar_id)
    return calendars.filter(pk__in=outdated)


def _last_versions(calendars: "models.QuerySet[BusinessCalendar]") -> "models.QuerySet[CalendarVersion]":
    return (
        CalendarVersion.objects.filter(calendar__in=calendars)
        .order_by("calendar_id", "-number")
        .distinct("calendar_id")
    )


def _schedule_of(version: CalendarVersion) -> Schedule:
    return definition_of(version).schedule(holidays_of(version))


@lru_cache(maxsize=256)
def _timeline(published: tuple[UUID, ...]) -> Timeline:
    return Timeline(tuple(_schedules[each] for each in published))
