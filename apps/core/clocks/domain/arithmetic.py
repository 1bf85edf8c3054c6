"""The arithmetic of clocks: pure functions of segments and a calendar. `elapsed` and `due_at` are inverse."""

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Protocol

from apps.core.calendars.domain import business_time
from apps.core.calendars.domain.business_time import Calendar

NOTHING = dt.timedelta(0)


class Stretch(Protocol):
    """What counts of a segment: when it began, when it ended if it did, and whether time ran."""

    @property
    def started(self) -> dt.datetime: ...  # noqa: D102  # named by the class
    @property
    def ended(self) -> dt.datetime | None: ...  # noqa: D102
    @property
    def running(self) -> bool: ...  # noqa: D102


def elapsed(
    segments: Sequence[Stretch], schedule: Calendar, *, at: dt.datetime, carried: dt.timedelta = NOTHING
) -> dt.timedelta:
    """Return the working time that `segments` have run by `at`, `carried` included."""
    return carried + sum(
        (business_time.elapsed(schedule, begun, over) for begun, over in _runs(segments, at)), start=NOTHING
    )


def paused(
    segments: Sequence[Stretch], schedule: Calendar, *, at: dt.datetime, reason: str | None = None
) -> dt.timedelta:
    """Return the working time that `segments` stood still by `at`; for one reason, or for all."""
    still = [
        (segment.started, min(segment.ended or at, at))
        for segment in segments
        if not segment.running and segment.started < at and (reason is None or _reason(segment) == reason)
    ]
    return sum((business_time.elapsed(schedule, begun, over) for begun, over in still), start=NOTHING)


def due_at(
    segments: Sequence[Stretch], schedule: Calendar, target: dt.timedelta, *, carried: dt.timedelta = NOTHING
) -> dt.datetime | None:
    """Return the earliest moment by which the segments have run `target`; None where they stand still before it.

    Raises:
        CalendarError: it lies beyond the calendar's horizon, or the calendar has no working time.
    """
    left = target - carried
    for segment in segments:
        if left <= NOTHING:
            return segment.started
        if not segment.running:
            continue
        if segment.ended is None:
            return business_time.due(schedule, segment.started, left)
        ran = business_time.elapsed(schedule, segment.started, segment.ended)
        if ran >= left:
            return business_time.due(schedule, segment.started, left)
        left -= ran
    return None


def _runs(segments: Sequence[Stretch], at: dt.datetime) -> Iterator[tuple[dt.datetime, dt.datetime]]:
    for segment in segments:
        if segment.running and segment.started < at:
            yield segment.started, min(segment.ended or at, at)


def _reason(segment: Stretch) -> str:
    return getattr(segment, "reason", "")
