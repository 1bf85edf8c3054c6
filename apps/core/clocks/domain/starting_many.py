"""Clocks for many records at once: their due moments come from the calendar laid out in rows, in one statement."""

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from django.db import connection, models, transaction

from apps.core import clock as time
from apps.core.actors import acting_as, system_principal
from apps.core.calendars.models import BusinessCalendar
from apps.core.clocks.domain.clocks import start_clock
from apps.core.clocks.domain.counting import segment
from apps.core.clocks.domain.laying_out import lay_out
from apps.core.clocks.domain.writing import held
from apps.core.clocks.enums import ClockState
from apps.core.clocks.models import Clock, ClockSegment
from apps.core.clocks.registry import Rung, ladder_as_rows, metric_of
from apps.core.records import kind_of
from apps.core.transitions import transition

if TYPE_CHECKING:
    from apps.accounts.models import User

_DUE = """
    SELECT clocks_due(%s, s.begun, %s), clocks_due(%s, s.begun, %s)
    FROM unnest(%s::timestamptz[]) WITH ORDINALITY AS s (begun, place) ORDER BY s.place
"""


def start_clocks(
    kind: type[models.Model],
    begun: Sequence[tuple[int, dt.datetime]],
    metric: str,
    *,
    target: int,
    calendar: BusinessCalendar,
    ladder: Sequence[Rung],
    by: "User | None",
) -> int:
    """Start the clock of `metric` for many records, those left out that have one running; return how many.

    Args:
        kind: of record.
        begun: key of each record, and since when its clock counts, in the past.
        metric: the key of a registered metric.
        target: minutes of working time.
        calendar: whose working time counts.
        ladder: its rungs, in order, at least one.
        by: who started them; None for mops itself.
    """
    known, person = metric_of(metric), by or system_principal()
    with transaction.atomic(), acting_as(person), transition(Clock):
        wanted = _not_counted_yet(kind, begun, known.key)
        if not wanted:
            return 0
        held(calendar)
        version = lay_out(calendar)
        common = {
            "content_type": kind_of(kind),
            "metric": known.key,
            "target": target,
            "ladder": ladder_as_rows(ladder),
        }
        common |= {"calendar": calendar, "calendar_version": version}
        laid, far = [], []
        for key, moment, due, rung in _due(wanted, version.pk, dt.timedelta(minutes=target), ladder[0]):
            if due is None or rung is None:  # beyond the years laid out: counted in Python
                far.append((key, moment))
            else:
                laid.append(_clock(moment, due, rung, object_id=key, **common))
        Clock.objects.bulk_create(laid)
        ClockSegment.objects.bulk_create(segment(each, each.started_at, running=True, by=person) for each in laid)
        for key, moment in far:
            subject = kind._default_manager.get(pk=key)
            start_clock(subject, metric, target=target, calendar=calendar, by=by, at=moment, ladder=ladder)
    return len(wanted)


def _not_counted_yet(
    kind: type[models.Model], begun: Sequence[tuple[int, dt.datetime]], metric: str
) -> list[tuple[int, dt.datetime]]:
    keys = [key for key, _ in begun]
    running = Clock.objects.open().filter(content_type=kind_of(kind), object_id__in=keys, metric=metric)
    taken = set(running.values_list("object_id", flat=True))
    return [(key, moment) for key, moment in begun if key not in taken]


def _due(
    wanted: Sequence[tuple[int, dt.datetime]], version: int, goal: dt.timedelta, rung: Rung
) -> Iterator[tuple[int, dt.datetime, dt.datetime | None, dt.datetime | None]]:
    """Yield key, beginning, due moment and moment of the first rung of each: one statement."""
    asked: list[Any] = [version, goal, version, goal * rung.percent / 100, [moment for _, moment in wanted]]
    with connection.cursor() as cursor:
        cursor.execute(_DUE, asked)
        for (key, moment), (due, first) in zip(wanted, cursor.fetchall(), strict=True):
            yield key, moment, due, first


def _clock(moment: dt.datetime, due: dt.datetime, rung: dt.datetime, **given: Any) -> Clock:
    late = due <= time.now()
    return Clock(
        state=ClockState.BREACHED if late else ClockState.RUNNING,
        started_at=moment,
        running_since=moment,
        due_at=due,
        breached_at=due if late else None,
        next_fire_at=rung if late else min(rung, due),
        **given,
    )
