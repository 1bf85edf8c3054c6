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
from apps.core.clocks.domain.counting import BOOKED, newest_version, read_books
from apps.core.clocks.domain.laying_out import lay_out
from apps.core.clocks.models import Clock
from apps.core.transitions import transition

BATCH = 500
# The stretches stand in three arrays in the order of time; which one a moment or an amount falls into is a binary
# search in them (`width_bucket`), so that nothing is looked up row by row; <O>, <C> and <B> stand for the arrays, each
# read once. An amount that equals the working time before a stretch was reached at the end of the one before it.
_COUNTED = """
    WITH laid AS MATERIALIZED (
        SELECT array_agg(opens ORDER BY opens) AS opens, array_agg(closes ORDER BY opens) AS closes,
            array_agg(before ORDER BY opens) AS before
        FROM clocks_openstretch WHERE version_id = %(version)s
    ), mine AS (
        SELECT c.id, c.running_since, c.target * interval '1 minute' AS goal, c.carried, c.ladder
        FROM clocks_clock c
        WHERE c.calendar_id = %(calendar)s AND c.closed_at IS NULL AND c.running_since IS NOT NULL
    ), ended AS (
        SELECT at.clock_id, sum(
            <B>[at.over] + (LEAST(at.ended, <C>[at.over]) - <O>[at.over])
            - <B>[at.begun] - (LEAST(at.started, <C>[at.begun]) - <O>[at.begun])
        ) AS ran, bool_and(at.begun > 0) AS reaches
        FROM (
            SELECT s.clock_id, s.started, s.ended, width_bucket(s.started, <O>) AS begun,
                width_bucket(s.ended, <O>) AS over
            FROM clocks_clocksegment s JOIN mine ON mine.id = s.clock_id
            WHERE s.running AND s.ended IS NOT NULL OFFSET 0
        ) at
        GROUP BY at.clock_id
    ), fired AS (
        SELECT f.clock_id, max(f.rung) AS rung FROM clocks_escalationfire f JOIN mine ON mine.id = f.clock_id
        GROUP BY f.clock_id
    ), counted AS (
        SELECT at.id, at.goal, at.counted, at.rung, at.goal * at.rung / 100 AS rung_goal,
            <B>[at.since] + (LEAST(at.running_since, <C>[at.since]) - <O>[at.since]) - at.counted AS base
        FROM (
            SELECT mine.id, mine.goal, mine.running_since, mine.carried + coalesce(ended.ran, interval '0') AS counted,
                width_bucket(mine.running_since, <O>) AS since,
                (
                    SELECT min((step->>0)::int) FROM jsonb_array_elements(mine.ladder) step
                    WHERE (step->>0)::int > coalesce(fired.rung, 0)
                ) AS rung
            FROM mine LEFT JOIN ended ON ended.clock_id = mine.id LEFT JOIN fired ON fired.clock_id = mine.id
            WHERE coalesce(ended.reaches, true) OFFSET 0
        ) at
        WHERE at.since > 0 AND at.goal > at.counted
    ), found AS (
        SELECT k.*, <B>[k.goal_at] < k.base + k.goal AS goal_within,
            <B>[k.rung_at] < k.base + k.rung_goal AS rung_within
        FROM (
            SELECT counted.*, width_bucket(base + goal, <B>) AS goal_at,
                width_bucket(base + rung_goal, <B>) AS rung_at
            FROM counted WHERE rung IS NULL OR (rung <= 100 AND rung_goal > counted) OFFSET 0
        ) k
    ), due AS (
        SELECT j.id, j.counted, j.rung, <O>[j.goal_in] + (j.base + j.goal - <B>[j.goal_in]) AS due_at,
            <O>[j.rung_in] + (j.base + j.rung_goal - <B>[j.rung_in]) AS rung_at
        FROM (
            SELECT found.*, CASE WHEN goal_within THEN goal_at ELSE goal_at - 1 END AS goal_in,
                CASE WHEN rung_within THEN rung_at ELSE rung_at - 1 END AS rung_in
            FROM found OFFSET 0
        ) j
        WHERE j.base + j.goal <= <B>[j.goal_in] + (<C>[j.goal_in] - <O>[j.goal_in])
    )
"""
COUNTED = reduce(
    lambda statement, name: statement.replace(f"<{name[0].upper()}>", f"(SELECT {name} FROM laid)"),
    ("opens", "closes", "before"),
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
            newest, now = newest_version(clocks[0]), time.now()
            for book in read_books(clocks):
                book.post(now)
                book.clock.calendar_version = newest
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
