"""Clocks at scale: what is due among very many, and all due moments worked out anew, beside a bare scan."""

import datetime as dt
from collections.abc import Iterator
from functools import partial
from typing import Any

from django.db import connection, transaction

from apps.core import clock as time
from apps.core.bench.registry import Result, benchmark, interleaved
from apps.core.calendars.domain.queries import default_calendar
from apps.core.clocks.domain.clocks import start_clock
from apps.core.clocks.domain.firing import due_clocks
from apps.core.clocks.domain.laying_out import lay_out
from apps.core.clocks.domain.recounting import COUNTED
from apps.core.clocks.models import Clock
from apps.tickets.bench_desk import desk_pages
from apps.tickets.bench_search import ticket_search
from apps.tickets.domain.service import FIRST
from apps.tickets.models import Queue, Ticket

DUE, GOAL = 100, 2.5
_CLOCKS = """
    INSERT INTO clocks_clock ({columns}, object_id, next_fire_at, due_at, running_since, started_at)
    SELECT {values}, coalesce(%(among)s::bigint, c.object_id) + n * %(step)s,
        %(later)s + n * interval '1 second', %(later)s, at, at
    FROM clocks_clock c CROSS JOIN generate_series(1, %(rows)s) n
    CROSS JOIN LATERAL (SELECT %(now)s - (n %% 20000) * interval '7 minutes' AS at) begun WHERE c.id = %(model)s
"""
# each clock has waited once, and run before and after
_SEGMENTS = """
    INSERT INTO clocks_clocksegment (clock_id, started, ended, running, reason, note, actor_label)
    SELECT c.id, c.started_at - part.before, c.started_at - part.after, part.running, '', '', 'bench'
    FROM clocks_clock c CROSS JOIN (VALUES
        (interval '30 hours', interval '20 hours', true), (interval '20 hours', interval '0', false)
    ) AS part(before, after, running) WHERE c.id > %(model)s
    UNION ALL SELECT c.id, c.started_at, NULL, true, '', '', 'bench' FROM clocks_clock c WHERE c.id > %(model)s
"""
# the least that working out can do: read every open clock with its segments and rungs, and count nothing
_BARE = """
    SELECT count(*), sum(read.ran) FROM (
        SELECT c.id, c.target, c.ladder, sum(s.ended - s.started) AS ran, max(s.started) AS since, max(f.rung) AS rung
        FROM clocks_clock c
        JOIN clocks_clocksegment s ON s.clock_id = c.id
        LEFT JOIN clocks_escalationfire f ON f.clock_id = c.id
        WHERE c.calendar_id = %(calendar)s AND c.closed_at IS NULL AND c.running_since IS NOT NULL
        GROUP BY c.id ORDER BY c.id
    ) read
"""
_WORKED_OUT = f"{COUNTED} SELECT count(*), max(due_at), max(rung_at) FROM due"


@benchmark("sla", default_rows=100_000)
def measure_clocks(rows: int) -> Iterator[Result]:
    """Find what is due among `rows` clocks, and work out the due moments of all of them."""
    calendar = default_calendar()
    version = lay_out(calendar)
    _fill(rows)
    wanted = {"version": version.pk, "calendar": calendar.pk}
    found, bare = interleaved(_scan, _bare_scan)
    yield Result(
        *("sla.due_scan", DUE, found, bare, None, f"at most {GOAL} × the bare statement", found / bare <= GOAL),
        more={"clocks": rows, "plan": "index" if "clock_next_fire" in _plan() else "scan"},
    )
    worked_out, read = interleaved(partial(_run, _WORKED_OUT, wanted), partial(_run, _BARE, wanted))
    yield Result(
        *("sla.recount", rows, worked_out, read, None, f"at most {GOAL} × a bare scan", worked_out / read <= GOAL),
        more={"counted": _run(_WORKED_OUT, wanted)[0]},
    )


def _fill(rows: int) -> None:
    from apps.accounts.models import User  # noqa: PLC0415  # only who measures needs somebody

    by = User.objects.create_person("bench@mops.invalid", full_name="Bench")
    by.is_superuser = True
    by.save()
    lay_clocks(rows, by=by)


def lay_clocks(rows: int, *, by: Any, among: int | None = None) -> None:
    """Start a clock and copy it `rows` times, onto tickets from the key `among` on; no tickets, where none is given."""
    from apps.tickets.domain.intake import open_ticket  # noqa: PLC0415  # only who measures needs a ticket

    ticket = open_ticket(title="Bench", body="Bench", by=by, queue=_queue(by))
    model = start_clock(Ticket.objects.get(pk=ticket.pk), FIRST, target=dt.timedelta(hours=40), by=by)
    given = ("id", "object_id", "next_fire_at", "due_at", "running_since", "started_at", "follows_id")
    columns = [str(each.column) for each in Clock._meta.concrete_fields if each.column not in given]
    named = {"columns": ", ".join(columns), "values": ", ".join(f"c.{each}" for each in columns)}
    now = time.now()
    values: dict[str, Any] = {"rows": rows, "model": model.pk, "now": now, "later": now + dt.timedelta(days=30)}
    values |= {"among": among - 20 if among is not None else None, "step": 1 if among is None else 20}
    with connection.cursor() as cursor:
        cursor.execute(_CLOCKS.format(**named), values)
        cursor.execute(_SEGMENTS, values)
        cursor.execute(
            "UPDATE clocks_clock SET next_fire_at = %(now)s WHERE id IN "
            "(SELECT id FROM clocks_clock WHERE id > %(model)s ORDER BY id LIMIT 100)",
            values,
        )
        cursor.execute("ANALYZE clocks_clock")
        cursor.execute("ANALYZE clocks_clocksegment")
        cursor.execute("ANALYZE clocks_openstretch")


def _queue(by: Any) -> Queue:
    from apps.accounts.models import Team  # noqa: PLC0415

    team = Team.objects.create(name="Bench")
    queue: Queue = Queue.objects.create(name="Bench", team=team)
    return queue


def _scan() -> int:
    with transaction.atomic():
        return len(due_clocks(time.now(), DUE))


def _bare_scan() -> int:
    statement = (
        "SELECT c.*, b.* FROM clocks_clock c JOIN calendars_businesscalendar b ON b.id = c.calendar_id "
        "WHERE next_fire_at <= %s ORDER BY next_fire_at LIMIT %s FOR UPDATE OF c SKIP LOCKED"
    )
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, [time.now(), DUE])
        return len(cursor.fetchall())


def _plan() -> str:
    with transaction.atomic():
        return str(due_clocks(time.now(), DUE).explain())


def _run(statement: str, values: dict[str, Any]) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchone()


__all__ = ["desk_pages", "measure_clocks", "ticket_search"]
