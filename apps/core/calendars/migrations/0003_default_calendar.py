"""The calendar mops starts with: Monday to Friday, 9:00 to 17:30, in the installation's zone, no country."""

import datetime as dt

from django.conf import settings
from django.db import migrations
from django.utils import timezone


def ship(apps, schema_editor):
    BusinessCalendar = apps.get_model("calendars", "BusinessCalendar")
    CalendarVersion = apps.get_model("calendars", "CalendarVersion")
    if BusinessCalendar.objects.exists():
        return
    calendar = BusinessCalendar.objects.create(
        slug="default",
        name="Office hours",
        description="Monday to Friday from 9:00 to 17:30, without public holidays: the calendar mops starts with. "
        "Publish a version with your country to have its holidays closed.",
        is_default=True,
    )
    weekdays = ("monday", "tuesday", "wednesday", "thursday", "friday")
    CalendarVersion.objects.create(
        calendar=calendar,
        number=1,
        effective_from=dt.date(2000, 1, 1),
        zone=settings.TIME_ZONE,
        weekly_hours=dict.fromkeys(weekdays, "09:00-17:30"),
        holidays_known_from=1999,
        holidays_known_until=timezone.now().year + 10,
        note="Shipped with mops.",
        published_at=timezone.now(),
    )


class Migration(migrations.Migration):
    dependencies = [("calendars", "0002_published_versions_stay"), ("audit", "0001_initial")]
    operations = [migrations.RunPython(ship, migrations.RunPython.noop, elidable=False)]
