"""The moment a predicate is asked about: relative dates count from it, and days begin at midnight of one zone."""

import datetime as dt
import zoneinfo
from dataclasses import dataclass
from functools import cached_property

from django.conf import settings


@dataclass(frozen=True)
class Moment:
    """An instant, and the zone whose days count.

    Attributes:
        as_of: aware.
        zone: the installation's own where none is given.
    """

    as_of: dt.datetime
    zone: dt.tzinfo | None = None

    def __post_init__(self) -> None:
        if self.as_of.tzinfo is None:
            raise ValueError("A predicate is asked about an aware moment: give as_of a time zone.")

    @cached_property
    def _zone(self) -> dt.tzinfo:
        return self.zone or zoneinfo.ZoneInfo(settings.TIME_ZONE)

    @cached_property
    def today(self) -> dt.date:
        """The day of the moment."""
        return self.as_of.astimezone(self._zone).date()

    def start_of(self, day: dt.date) -> dt.datetime:
        """Return the instant at which `day` begins."""
        return dt.datetime.combine(day, dt.time(), self._zone)

    def aware(self, local: dt.datetime) -> dt.datetime:
        """Return the instant that a clock on the wall means."""
        return local if local.tzinfo is not None else local.replace(tzinfo=self._zone)
