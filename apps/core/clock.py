"""What time it is: the one place that asks the machine, so that rules take time as an argument."""

import datetime as dt
import zoneinfo

from django.utils import timezone


def now() -> dt.datetime:
    """Return the current moment, aware, in UTC."""
    return timezone.now()


def today(zone: zoneinfo.ZoneInfo | None = None) -> dt.date:
    """Return the date in `zone`, or in the zone of the current request (the person's own) when none is given."""
    return timezone.localdate(timezone=zone)
