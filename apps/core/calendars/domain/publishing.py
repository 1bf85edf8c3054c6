"""Publishing calendars: a change is a new version with a date of its own, and what was published stays."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction

from apps.core import access, clock
from apps.core.actors import acting_as
from apps.core.calendars.domain.definition import DAY_KEYS, Definition, check_definition, day_text, read_definition
from apps.core.calendars.domain.public_holidays import YEARS_AHEAD, public_holidays_of_years
from apps.core.calendars.domain.queries import default_calendar
from apps.core.calendars.domain.schedule import CalendarError, Schedule, Version, takes_over
from apps.core.calendars.models import BusinessCalendar, CalendarVersion
from apps.core.errors import NotAllowed, WrongState
from apps.core.events import publish

if TYPE_CHECKING:
    from apps.accounts.models import User

DEFAULT_SLUG = "default"
OFFICE_HOURS = dict.fromkeys(DAY_KEYS[:5], "09:00-17:30")
BEGINNING = dt.date(2000, 1, 1)
SHIPPED = "Shipped with mops."
DEFAULT_WORDS = {
    "name": "Office hours",
    "description": "Monday to Friday from 9:00 to 17:30, without public holidays: the calendar mops starts with. "
    "Publish a version with your country to have its holidays closed.",
}


def publish_version(
    calendar: BusinessCalendar,
    *,
    by: "User",
    effective_from: dt.date,
    zone: str,
    weekly_hours: Mapping[str, str],
    country: str = "",
    subdivision: str = "",
    extra_holidays: Mapping[str, str] | None = None,
    removed_holidays: Sequence[str] = (),
    half_days: Mapping[str, str] | None = None,
    note: str = "",
) -> CalendarVersion:
    """Publish what `calendar` says from `effective_from` on.

    Only a calendar's first version may begin in the past: time that clocks have counted stays as it was counted.
    The country's holidays are written down with the version, `YEARS_AHEAD` years ahead.
    """
    definition = read_definition(
        zone=zone,
        weekly_hours=weekly_hours,
        country=country,
        subdivision=subdivision,
        extra_holidays=extra_holidays,
        removed_holidays=removed_holidays,
        half_days=half_days,
    )
    if refused := refuse_publish(by, calendar):
        raise NotAllowed(refused)
    check_definition(definition, first_year=effective_from.year)
    with transaction.atomic(), acting_as(by, reason=note):
        locked = BusinessCalendar.objects.select_for_update(of=("self",)).get(pk=calendar.pk)
        last = locked.versions.order_by("-number").first()
        check_start(definition, effective_from, after=last.effective_from if last else None, now=clock.now())
        number = last.number + 1 if last else 1
        version = _write(locked, definition, effective_from, number=number, by=by, note=note)
        publish("calendar.published", calendar_id=locked.pk)
        return version


def make_default(calendar: BusinessCalendar, *, by: "User") -> str:
    """Let `calendar` count wherever nothing else was chosen, instead of the one that did so far."""
    with transaction.atomic(), acting_as(by):
        locked = list(BusinessCalendar.objects.select_for_update(of=("self",)).order_by("pk"))
        chosen = next(each for each in locked if each.pk == calendar.pk)
        if refused := refuse_make_default(by, chosen):
            raise WrongState(refused)
        for each in locked:
            if each.is_default:
                each.is_default = False
                each.save(update_fields=["is_default"])
        chosen.is_default = True
        chosen.save(update_fields=["is_default"])
    calendar.refresh_from_db()
    return f"{calendar} now counts wherever nothing else was chosen."


def ensure_default_calendar(*, by: "User | None" = None) -> BusinessCalendar:
    """Make sure there is a default calendar: office hours in the installation's zone, shipped with mops.

    Running it again changes nothing. A migration makes the same calendar on a new database; this puts it back where
    the tables were emptied since.
    """
    with transaction.atomic(), acting_as(by, reason=SHIPPED):
        if BusinessCalendar.objects.filter(is_default=True).exists():
            return default_calendar()
        BusinessCalendar.objects.get_or_create(slug=DEFAULT_SLUG, defaults=DEFAULT_WORDS)
        calendar: BusinessCalendar = BusinessCalendar.objects.select_for_update(of=("self",)).get(slug=DEFAULT_SLUG)
        if not calendar.versions.exists():
            definition = read_definition(zone=settings.TIME_ZONE, weekly_hours=OFFICE_HOURS)
            _write(calendar, definition, BEGINNING, number=1, by=by, note=SHIPPED)
        calendar.is_default = True
        calendar.save(update_fields=["is_default"])
        return calendar


def refuse_publish(user: "User", calendar: BusinessCalendar) -> str | None:
    """Say why `user` cannot publish a version of `calendar`, if so."""
    if not access.can(user, "restore", calendar):  # the right to change it, whether or not it is archived
        return f"You may not change {calendar}; administrators keep the business calendars."
    return f"{calendar} is archived; restore it first." if calendar.is_archived else None


def refuse_make_default(user: "User", calendar: BusinessCalendar) -> str | None:
    """Say why `user` cannot make `calendar` the default, if so."""
    if refused := refuse_publish(user, calendar):
        return refused
    if calendar.is_default:
        return f"{calendar} is the default already."
    return None if calendar.versions.exists() else f"{calendar} has no hours yet; publish its first version."


def check_start(definition: Definition, start: dt.date, *, after: dt.date | None, now: dt.datetime) -> None:
    """Refuse a version that would change time already counted, or that comes before the one it follows."""
    begins = takes_over(Version(start, Schedule(definition.zone, definition.weekly)))
    if after is None:
        return
    sentence = ""
    if start <= after:
        sentence = f"The last version takes effect on {after}; the next one must begin later, not on {start}."
    elif begins.replace(tzinfo=dt.UTC) <= now:
        today = now.astimezone(ZoneInfo(definition.zone)).date()
        sentence = (
            f"{start} has begun in {definition.zone}, and clocks have counted in it; "
            f"the earliest date is {today + dt.timedelta(days=1)}."
        )
    if sentence:
        raise CalendarError(sentence, fields={"effective_from": sentence})


def _write(
    calendar: BusinessCalendar, definition: Definition, start: dt.date, *, number: int, by: "User | None", note: str
) -> CalendarVersion:
    first, last = start.year - 1, max(start.year, clock.today().year) + YEARS_AHEAD
    known = public_holidays_of_years(definition.country, definition.subdivision, first, last)
    version: CalendarVersion = CalendarVersion.objects.create(
        calendar=calendar,
        number=number,
        effective_from=start,
        zone=definition.zone,
        weekly_hours={
            key: day_text(stretches) for key, stretches in zip(DAY_KEYS, definition.weekly, strict=True) if stretches
        },
        country=definition.country,
        subdivision=definition.subdivision,
        extra_holidays={str(day): name for day, name in sorted(definition.extra_holidays.items())},
        removed_holidays=[str(day) for day in sorted(definition.removed_holidays)],
        half_days={str(day): day_text(stretches) for day, stretches in sorted(definition.half_days.items())},
        public_holidays={str(day): name for day, name in known.items()},
        holidays_known_from=first,
        holidays_known_until=last,
        note=note,
        author=by,
        published_at=clock.now(),
    )
    return version
