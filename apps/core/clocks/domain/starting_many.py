"""Clocks for many records at once: their due moments come from the calendar laid out in rows, in one statement."""

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.db import connection, models, transaction

from apps.core import clock as time
from apps.core.actors import acting_as, system_principal
from apps.core.calendars.models import BusinessCalendar
from apps.core.clocks.domain.clocks import start_clock
from apps.core.clocks.domain.counting import segment
from apps.core.clocks.domain.laying_out import lay_out
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
    known, person, now = metric_of(metric), by or system_principal(), time.now()
    keys = [key for key, _ in begun]
    with transaction.atomic(), acting_as(person), transition(Clock), connection.cursor() as cursor:
        open_ones = Clock.objects.open().filter(content_type=kind_of(kind), object_id__in=keys, metric=known.key)
        taken = set(open_ones.values_list("object_id", flat=True))
        wanted = [(key, moment) for key, moment in begun if key not in taken]
        if not wanted:
            return 0
        cursor.execute("SELECT 1 FROM calendars_businesscalendar WHERE id = %s FOR KEY SHARE", [calendar.pk])
        version = lay_out(calendar)
        goal = dt.timedelta(minutes=target)
        first = goal * ladder[0].percent / 100
        asked: list[Any] = [version.pk, goal, version.pk, first, [moment for _, moment in wanted]]
        cursor.execute(_DUE, asked)
        laid, far = [], []
        for (key, moment), (due, rung) in zip(wanted, cursor.fetchall(), strict=True):
            if due is None or rung is None:  # beyond the years laid out: counted in Python
                far.append((key, moment))
                continue
            late = due <= now
            laid.append(
                Clock(
                    content_type=kind_of(kind),
                    object_id=key,
                    metric=known.key,
                    target=target,
                    calendar=calendar,
                    calendar_version=version,
                    ladder=ladder_as_rows(ladder),
                    state=ClockState.BREACHED if late else ClockState.RUNNING,
                    started_at=moment,
                    running_since=moment,
                    due_at=due,
                    breached_at=due if late else None,
                    next_fire_at=rung if late else min(rung, due),
                )
            )
        Clock.objects.bulk_create(laid)
        ClockSegment.objects.bulk_create(segment(each, each.started_at, running=True, by=person) for each in laid)
        for key, moment in far:
            subject = kind._default_manager.get(pk=key)
            start_clock(subject, metric, target=target, calendar=calendar, by=by, at=moment, ladder=ladder)
    return len(wanted)
