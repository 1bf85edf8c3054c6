"""Business calendars for tests."""

import datetime as dt

import factory

from apps.core.calendars.domain.publishing import publish_version
from apps.core.calendars.models import BusinessCalendar

OFFICE_WEEK = dict.fromkeys(("monday", "tuesday", "wednesday", "thursday", "friday"), "09:00-17:30")


class CalendarFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = BusinessCalendar

    name = factory.Sequence(lambda n: f"Calendar {n}")
    slug = factory.Sequence(lambda n: f"calendar-{n}")


def published_calendar(by, *, effective_from=dt.date(2026, 1, 1), **version) -> BusinessCalendar:
    """A calendar with one version: office hours in Berlin unless said otherwise."""
    calendar = CalendarFactory()
    said = {"zone": "Europe/Berlin", "weekly_hours": OFFICE_WEEK, **version}
    publish_version(calendar, by=by, effective_from=effective_from, **said)
    return calendar
