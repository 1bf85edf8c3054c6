"""The demo's working time: office hours with a country's public holidays, the default from the beginning."""

import datetime as dt
from typing import TYPE_CHECKING

from apps.core.actors import acting_as
from apps.core.calendars.domain.publishing import OFFICE_HOURS, make_default, publish_version
from apps.core.calendars.models import BusinessCalendar

if TYPE_CHECKING:
    from apps.accounts.models import User

COUNTRY, STATE = "DE", "BE"


def open_office(today: dt.date, *, by: "User") -> None:
    """Publish the calendar of the company's main office, holidays of its state included, and let it count.

    Args:
        today: it has been in force since two years before.
        by: the administrator who keeps the calendars.
    """
    with acting_as(by):
        office = BusinessCalendar.objects.create(
            name="Berlin office",
            slug="berlin-office",
            description="Monday to Friday from 9:00 to 17:30, closed on the public holidays of Berlin.",
        )
    publish_version(
        office,
        by=by,
        effective_from=dt.date(today.year - 2, 1, 1),
        zone="Europe/Berlin",
        weekly_hours=OFFICE_HOURS,
        country=COUNTRY,
        subdivision=STATE,
        half_days={f"{today.year}-12-24": "09:00-12:00", f"{today.year}-12-31": "09:00-12:00"},
        note="The hours agreed with the works council.",
    )
    make_default(office, by=by)
