"""Working times of tickets, kept when they are answered and resolved, and held against what clocks and calendar say.

Figures over a year read some hundred thousand of them; counting each from its clock or its calendar takes ten times
as long as reading it. What is kept is never trusted beyond its ticket: `TicketTimes` says when it counts.
"""

from typing import Any

from django.db import connection, transaction

from apps.core.alerts.domain.alerting import raise_alert, resolve_alert
from apps.core.calendars.domain.queries import default_calendar
from apps.core.clocks.domain.laying_out import LAID, lay_out, place_in_laid, worked_in_laid
from apps.core.clocks.enums import ClockState
from apps.core.records import kind_of
from apps.tickets.domain.service import FIRST, SOLUTION
from apps.tickets.enums import Intake
from apps.tickets.models import Ticket, TicketTimes

ENDED = (ClockState.MET, ClockState.LATE)
BATCH = 20_000
ALERT = "tickets.times"
_KEPT = TicketTimes._meta.db_table
_TOOK = """
    LEFT JOIN LATERAL (
        SELECT date_part('epoch', c.counted) AS took FROM clocks_clock c
        WHERE c.content_type_id = %(kind)s AND c.object_id = t.id AND c.metric = %({0})s AND c.state = ANY(%(ended)s)
        ORDER BY c.id DESC LIMIT 1
    ) {0} ON t.{1} IS NOT NULL
"""
_IN_CALENDAR = f"date_part('epoch', {worked_in_laid('t.{0}', '{1}')} - {worked_in_laid('t.opened_at', 'begun')})"
# what `TicketTimes` should say of the tickets for which `which` holds
_WORKED_OUT = f"""
    WITH laid AS MATERIALIZED ({LAID.replace("%s", "%(version)s")})
    SELECT t.id AS ticket_id,
        t.first_response_at, coalesce(first.took, {_IN_CALENDAR.format("first_response_at", "said")}) AS first_response,
        t.resolved_at, coalesce(solution.took, {_IN_CALENDAR.format("resolved_at", "done")}) AS resolution,
        CASE WHEN (t.first_response_at IS NOT NULL AND first.took IS NULL)
            OR (t.resolved_at IS NOT NULL AND solution.took IS NULL) THEN %(calendar)s::bigint END AS calendar_id
    FROM tickets_ticket t
    CROSS JOIN LATERAL (
        SELECT {place_in_laid("t.opened_at")} AS begun, {place_in_laid("t.first_response_at")} AS said,
            {place_in_laid("t.resolved_at")} AS done OFFSET 0
    ) places
    {_TOOK.format("first", "first_response_at")} {_TOOK.format("solution", "resolved_at")}
    WHERE {{which}}
"""
_COLUMNS = ("first_response_at", "first_response", "resolved_at", "resolution", "calendar_id")
_KEEP = f"""
    INSERT INTO {_KEPT} (ticket_id, {", ".join(_COLUMNS)})
    {_WORKED_OUT.format(which="t.id = ANY(%(ids)s)")}
    ON CONFLICT (ticket_id) DO UPDATE SET {", ".join(f"{each} = EXCLUDED.{each}" for each in _COLUMNS)}
"""
_STALE = f"""
    SELECT t.id FROM tickets_ticket t LEFT JOIN {_KEPT} k ON k.ticket_id = t.id
    WHERE t.intake <> %(imported)s AND (
        t.first_response_at IS DISTINCT FROM k.first_response_at OR t.resolved_at IS DISTINCT FROM k.resolved_at
        OR k.calendar_id <> %(calendar)s
    ) LIMIT {BATCH}
"""
# to the millisecond: what is kept in seconds may differ in its last digit
_WRONG = f"""
    SELECT k.ticket_id FROM {_KEPT} k
    JOIN ({_WORKED_OUT.format(which=f"t.id IN (SELECT ticket_id FROM {_KEPT})")}) told USING (ticket_id)
    WHERE k.first_response_at IS NOT DISTINCT FROM told.first_response_at
        AND k.resolved_at IS NOT DISTINCT FROM told.resolved_at
        AND coalesce(k.calendar_id, %(calendar)s) = %(calendar)s AND (
            round(k.first_response * 1e3) IS DISTINCT FROM round(told.first_response * 1e3)
            OR round(k.resolution * 1e3) IS DISTINCT FROM round(told.resolution * 1e3)
            OR k.calendar_id IS DISTINCT FROM told.calendar_id
        )
"""


def keep_times() -> dict[str, int]:
    """Keep the times of all tickets whose kept ones are missing or out of date; returns how many."""
    values, kept = _values(), 0
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_STALE, values)
            ids = [row[0] for row in cursor.fetchall()]
            if ids:
                cursor.execute(_KEEP, {**values, "ids": ids})
        kept += len(ids)
        if len(ids) < BATCH:
            return {"kept": kept}


def check_times() -> dict[str, int]:
    """Work every kept time out again, mend those that differ, and raise an alert about them."""
    values = _values()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_WRONG, values)
        wrong = [row[0] for row in cursor.fetchall()]
        if wrong:
            cursor.execute(_KEEP, {**values, "ids": wrong})
    if wrong:
        some = ", ".join(f"T-{each}" for each in sorted(wrong)[:5])
        raise_alert(
            ALERT,
            title="Kept times of tickets were wrong.",
            severity="warning",
            detail=f"{len(wrong)} differed from their clocks and the calendar, and were mended: {some}.",
            runbook="Something wrote to the kept times past the product; the figures are right again.",
        )
    else:
        resolve_alert(ALERT, why="Every kept time is what its clock and the calendar say.")
    return {"checked": TicketTimes.objects.count(), "mended": len(wrong)}


def _values() -> dict[str, Any]:
    calendar = default_calendar()
    return {
        "version": lay_out(calendar).pk,
        "calendar": calendar.pk,
        "kind": kind_of(Ticket).pk,
        "ended": [str(each) for each in ENDED],
        "imported": Intake.IMPORT.value,
        "first": FIRST,
        "solution": SOLUTION,
    }
