"""Working out due moments anew after a calendar was published: open clocks only, closed ones never change.

Running clocks whose next rung lies in the stretch that runs now are counted in one statement; the others, and those
the laid-out years do not reach, one by one by the same arithmetic in Python.
"""

import datetime as dt
from functools import reduce
from typing import Any

from django.db import connection, transaction

from apps.core import clock as time
from apps.core.calendars.models import BusinessCalendar, CalendarVersion
from apps.core.clocks.domain.counting import BOOKED, read_books
from apps.core.clocks.domain.laying_out import lay_out
from apps.core.clocks.models import Clock
from apps.core.transitions import transition

BATCH = 500
# Everything is counted in whole microseconds kept as float8: exact up to 2^53 (some 285 years), passed by value, and
# many times faster than intervals. The stretches stand in three arrays in the order of time: when each opens; what to
# add to a moment within it for the working time up to then (<S>); the working time up to its end (<E>). Which one a
# moment or an amount falls into is a binary search in them (`width_bucket`), so that nothing is looked up row by row.
# The half microsecond makes "less than" of its "at most": an amount that equals the working time up to the end of a
# stretch was reached at that end, not at the opening of the next one.
_US = "round(date_part('epoch', {}) * 1e6::float8)"
# most clocks have fired nothing or little, so the first steps are asked for without opening the list
_NEXT_RUNG = f"""CASE {
    " ".join(f"WHEN (mine.ladder->{n}->>0)::int > fired THEN (mine.ladder->{n}->>0)::int" for n in range(4))
} ELSE (
        SELECT min((step->>0)::int) FROM jsonb_array_elements(mine.ladder) step WHERE (step->>0)::int > fired
    ) END"""
_COUNTED = f"""
    WITH laid AS MATERIALIZED (
        SELECT array_agg(o ORDER BY o) AS opens, array_agg(b - o ORDER BY o) AS shift,
            array_agg(b + c - o ORDER BY o) AS ends
        FROM (
            SELECT {_US.format("opens")} AS o, {_US.format("closes")} AS c, {_US.format("before")} AS b
            FROM clocks_openstretch WHERE version_id = %(version)s
        ) stretch
    ), mine AS (
        SELECT c.id, {_US.format("c.running_since")} AS running, c.target * 6e7::float8 AS goal,
            {_US.format("c.carried")} AS carried, c.ladder
        FROM clocks_clock c
        WHERE c.calendar_id = %(calendar)s AND c.closed_at IS NULL AND c.running_since IS NOT NULL
    ), ended AS (
        SELECT at.clock_id, sum(
            LEAST(at.ended + <S>[at.over], <E>[at.over]) - LEAST(at.started + <S>[at.begun], <E>[at.begun])
        ) AS ran, bool_and(at.begun > 0) AS reaches
        FROM (
            SELECT s.clock_id, s.started, s.ended, width_bucket(s.started, <O>) AS begun,
                width_bucket(s.ended, <O>) AS over
            FROM (
                SELECT s.clock_id, {_US.format("s.started")} AS started, {_US.format("s.ended")} AS ended
                FROM clocks_clocksegment s JOIN mine ON mine.id = s.clock_id
                WHERE s.running AND s.ended IS NOT NULL OFFSET 0
            ) s OFFSET 0
        ) at
        GROUP BY at.clock_id
    ), fires AS (
        SELECT f.clock_id, max(f.rung) AS rung FROM clocks_escalationfire f JOIN mine ON mine.id = f.clock_id
        GROUP BY f.clock_id
    ), counted AS (
        SELECT at.id, at.goal, at.counted, at.rung, at.goal * at.rung / 100 AS rung_goal,
            LEAST(at.running + <S>[at.since], <E>[at.since]) - at.counted AS base
        FROM (
            SELECT mine.*, {_NEXT_RUNG} AS rung
            FROM (
                SELECT mine.*, mine.carried + coalesce(ended.ran, 0) AS counted,
                    width_bucket(mine.running, <O>) AS since, coalesce(fires.rung, 0) AS fired
                FROM mine
                LEFT JOIN ended ON ended.clock_id = mine.id
                LEFT JOIN fires ON fires.clock_id = mine.id
                WHERE coalesce(ended.reaches, true) OFFSET 0
            ) mine OFFSET 0
        ) at
        WHERE at.since > 0 AND at.goal > at.counted
    ), found AS (
        SELECT counted.*, width_bucket(base + goal - 0.5::float8, <E>) + 1 AS goal_in,
            width_bucket(base + rung_goal - 0.5::float8, <E>) + 1 AS rung_in
        FROM counted WHERE rung IS NULL OR (rung <= 100 AND rung_goal > counted) OFFSET 0
    ), due AS (
        SELECT found.id, found.counted * interval '1 microsecond' AS counted, found.rung,
            to_timestamp((found.base + found.goal - <S>[found.goal_in]) / 1e6::float8) AS due_at,
            to_timestamp((found.base + found.rung_goal - <S>[found.rung_in]) / 1e6::float8) AS rung_at
        FROM found
        WHERE <S>[found.goal_in] IS NOT NULL
    )
"""
COUNTED = reduce(
    lambda statement, name: statement.replace(f"<{name[0]}>", f"(SELECT {name[1]} FROM laid)"),
    (("O", "opens"), ("S", "shift"), ("E", "ends")),
    _COUNTED,
)
_WRITE = f"""
    {COUNTED}
    UPDATE clocks_clock c SET
        counted = due.counted,
        due_at = due.due_at,
        state = CASE WHEN due.due_at <= %(now)s THEN 'breached' ELSE 'running' END,
        breached_at = CASE WHEN due.due_at <= %(now)s THEN due.due_at END,
        next_fire_at = LEAST(due.rung_at, CASE WHEN due.due_at > %(now)s THEN due.due_at END),
        calendar_version_id = %(version)s
    FROM due WHERE c.id = due.id AND c.closed_at IS NULL
"""


def recount(calendar: BusinessCalendar) -> int:
    """Work out what follows from the calendar's versions for every open clock that counts with it; return how many."""
    version = lay_out(calendar)
    count = _recount_at_once(calendar, version, time.now())
    last = 0
    while True:
        with transaction.atomic(), transition(Clock):
            rows = Clock.objects.open().filter(calendar=calendar, pk__gt=last).exclude(calendar_version=version)
            clocks = list(rows.order_by("pk").select_for_update(of=("self",)).select_related("calendar")[:BATCH])
            if not clocks:
                return count
            now = time.now()
            for book in read_books(clocks):
                book.post(now)
                book.clock.calendar_version_id = book.newest
                book.clock.save(update_fields=BOOKED)
        last, count = clocks[-1].pk, count + len(clocks)


def _recount_at_once(calendar: BusinessCalendar, version: CalendarVersion, now: dt.datetime) -> int:
    """Count in PostgreSQL what can be counted there; the clocks it leaves keep their old version."""
    wanted: dict[str, Any] = {"version": version.pk, "calendar": calendar.pk, "now": now}
    with transaction.atomic(), transition(Clock):
        # those that somebody moves on just now wait: their segments must be read as they are left
        rows = Clock.objects.open().filter(calendar=calendar, running_since__isnull=False).order_by("pk")
        list(rows.select_for_update(of=("self",)).values_list("pk", flat=True))
        with connection.cursor() as cursor:
            cursor.execute(_WRITE, wanted)
            return int(cursor.rowcount)
