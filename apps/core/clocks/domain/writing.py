"""How a clock is written: with its calendar held, its first segment, and moments and amounts that make sense."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from django.contrib.contenttypes.models import ContentType

from apps.core import clock as time
from apps.core.calendars.domain.queries import default_calendar, newest_schedule
from apps.core.calendars.models import BusinessCalendar
from apps.core.clocks.domain.counting import Book, segment
from apps.core.clocks.domain.wording import in_words
from apps.core.clocks.models import Clock, EscalationFire
from apps.core.clocks.registry import Metric, Rung, ladder_as_rows
from apps.core.errors import InvalidInput

if TYPE_CHECKING:
    from apps.accounts.models import User

MOST_MINUTES = 60 * 24 * 366 * 5
LEEWAY = dt.timedelta(minutes=1)


def write_clock(
    subject: tuple[ContentType, int],
    metric: Metric,
    minutes: int,
    given: BusinessCalendar | None,
    at: dt.datetime,
    by: "User",
    *,
    ladder: Sequence[Rung],
    follows: Clock | None,
    carried: dt.timedelta,
    caps: Mapping[str, int],
    pause: str = "",
) -> Clock:
    """Write a clock with its first segment, and the rungs that were passed before it began."""
    calendar = held(given)
    schedule, newest = newest_schedule(calendar)
    clock = Clock(
        content_type=subject[0],
        object_id=subject[1],
        metric=metric.key,
        target=minutes,
        calendar=calendar,
        ladder=ladder_as_rows(ladder),
        caps=dict(caps),
        carried=carried,
        started_at=at,
        running_since=at,
        follows=follows,
    )
    clock.calendar_version_id = newest
    first = segment(clock, at, running=not pause, by=by, reason=pause)
    book = Book(clock, [first], schedule, newest)
    silent = book.passed_at_birth(at) if carried else ()
    book.fired.update(rung.percent for rung, _ in silent)
    book.post(time.now())
    clock.save()
    first.clock = clock
    first.save()
    EscalationFire.objects.bulk_create(
        EscalationFire(
            clock=clock, rung=rung.percent, kind=rung.kind, reached_at=moment, fired_at=time.now(), silent=True
        )
        for rung, moment in silent
    )
    return clock


def held(given: BusinessCalendar | None) -> BusinessCalendar:
    """Return the calendar, the default where none is given, once no version of it is being published.

    From here to the end of the transaction none can be. Without it a clock could be started with the versions of a
    moment ago, and be missed when the due moments are worked out anew.
    """
    which, values = ("is_default", []) if given is None else ("id = %s", [given.pk])
    rows = BusinessCalendar.objects.raw(f"SELECT * FROM calendars_businesscalendar WHERE {which} FOR KEY SHARE", values)
    return next(iter(rows), None) or default_calendar()


def minutes_of(target: dt.timedelta | int) -> int:
    """Return a target in minutes, refused where it is none."""
    minutes = target if isinstance(target, int) else target // dt.timedelta(minutes=1)
    if isinstance(target, dt.timedelta) and target % dt.timedelta(minutes=1):
        raise InvalidInput("A target is given in whole minutes of working time.")
    if not 1 <= minutes <= MOST_MINUTES:
        raise InvalidInput(f"A target lies between one minute and {in_words(dt.timedelta(minutes=MOST_MINUTES))}.")
    return minutes


def caps_of(caps: Mapping[str, dt.timedelta]) -> dict[str, int]:
    """Return limits of pauses in minutes."""
    return {reason: minutes_of(cap) for reason, cap in caps.items()}


def not_later(at: dt.datetime | None) -> dt.datetime:
    """Return the moment, now where none is given; the future is refused."""
    now = time.now()
    if at is not None and at > now + LEEWAY:
        raise InvalidInput(f"{at:%Y-%m-%d %H:%M} lies in the future; clocks record what has happened.")
    return at or now


def not_before(book: Book, at: dt.datetime) -> None:
    """Refuse a moment before the segment that is open."""
    since = book.current.started
    if at < since:
        raise InvalidInput(
            f"{at:%Y-%m-%d %H:%M} lies before {since:%Y-%m-%d %H:%M}, since when {book.clock} has been "
            f"{'running' if book.current.running else 'paused'}."
        )
