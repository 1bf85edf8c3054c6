"""Which clocks there are, and the calendar each of them counts with."""

from collections.abc import Iterable

from django.db import models

from apps.core.calendars.domain.queries import schedule_for, schedules_for
from apps.core.calendars.domain.schedule import Timeline
from apps.core.clocks.models import Clock, ClockQuerySet, ClockSegment


def clock_of(subject: models.Model, metric: str) -> Clock | None:
    """Return the clock of `metric` for a record: the open one, else the last; None where none was started.

    One is started only where none is open, so the open one is always the last.
    """
    return (
        Clock.objects.of(subject)
        .filter(metric=metric)
        .order_by("-id")
        .select_related("calendar", "calendar_version")
        .first()
    )


def clocks_of(subject: models.Model) -> ClockQuerySet:
    """Return every clock of a record in the order in which they were started, segments and rungs at hand."""
    return (
        Clock.objects.of(subject)
        .select_related("calendar", "calendar_version")
        .prefetch_related(
            models.Prefetch("segments", ClockSegment.objects.select_related("actor")), models.Prefetch("fires")
        )
        .order_by("started_at", "id")
    )


def schedule_of(clock: Clock) -> Timeline:
    """Return the timeline a clock counts in: as it is now while the clock is open, as it was known once it closed."""
    return schedule_for(clock.calendar, until=None if clock.is_open else clock.calendar_version.number)


def schedules_of(clocks: Iterable[Clock]) -> dict[int, Timeline]:
    """Return the timeline each of several clocks counts in, by the clock's key: one query for each calendar."""
    by_calendar: dict[int, list[Clock]] = {}
    for clock in clocks:
        by_calendar.setdefault(clock.calendar_id, []).append(clock)
    found: dict[int, Timeline] = {}
    for same in by_calendar.values():
        untils = {clock.pk: None if clock.is_open else clock.calendar_version.number for clock in same}
        known = schedules_for(same[0].calendar, untils.values())
        found |= {key: known[until] for key, until in untils.items()}
    return found


def segments_of(clock: Clock) -> list[ClockSegment]:
    """Return the segments of a clock in order; no query where they were prefetched."""
    found: Iterable[ClockSegment] = clock.segments.all()
    return sorted(found, key=lambda segment: (segment.started, segment.pk))
