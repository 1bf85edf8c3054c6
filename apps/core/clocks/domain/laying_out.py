"""Calendars laid out as rows, and the expressions with which PostgreSQL counts in them as Python does.

`Worked(version, moment)` is all working time up to a moment, so a difference of two is what lies between; `Due` is its
inverse. Before the first year laid out `Worked` is NULL, beyond the last one `Due` is: callers then count in Python.
"""

import datetime as dt

from django.db import connection, models, transaction
from django.db.models import Func

from apps.core.calendars.domain.queries import schedule_for
from apps.core.calendars.domain.schedule import Timeline
from apps.core.calendars.models import BusinessCalendar, CalendarVersion
from apps.core.clocks.stretches import OpenStretch

FIRST_YEAR = 2012
YEARS_AHEAD = 12
ONE_DAY = dt.timedelta(days=1)
_LOCK = "SELECT pg_advisory_xact_lock(hashtext('clocks.stretches'), %s)"
_INSERT = f"""
    INSERT INTO {OpenStretch._meta.db_table} (version_id, opens, closes, before)
    SELECT %s, opens, closes, sum(closes - opens) OVER (ORDER BY opens) - (closes - opens)
    FROM unnest(%s::timestamptz[], %s::timestamptz[]) AS stretch(opens, closes)
"""

# One calendar version as three arrays, for statements that count very many moments: `WITH laid AS MATERIALIZED (…)`.
LAID = f"""
    SELECT array_agg(opens ORDER BY opens) AS opens, array_agg(closes ORDER BY opens) AS closes,
        array_agg(before ORDER BY opens) AS before
    FROM {OpenStretch._meta.db_table} WHERE version_id = %s
"""


def place_in_laid(moment: str) -> str:
    """Return SQL for where a moment stands in `laid`: worked out once for each row, in a LATERAL with OFFSET 0."""
    return f"width_bucket({moment}, (SELECT opens FROM laid))"


def worked_in_laid(moment: str, place: str) -> str:
    """Return SQL for what `Worked` returns of a column, in a statement that has `LAID` as `laid`.

    A search in an array in memory: the function asks the table for each row, which takes twenty times as long.
    """
    opens, closes, before = (f"(SELECT {each} FROM laid)[{place}]" for each in ("opens", "closes", "before"))
    return f"({before} + (LEAST({moment}, {closes}) - {opens}))"


class Worked(Func):
    """All working time from the first stretch up to a moment."""

    function = "clocks_worked"
    output_field = models.DurationField()


class Due(Func):
    """The earliest moment by which an amount of working time has passed since a moment."""

    function = "clocks_due"
    output_field = models.DateTimeField()


def lay_out(calendar: BusinessCalendar, *, timeline: Timeline | None = None) -> CalendarVersion:
    """Return the newest version of a calendar, laid out in rows; the first call for a version writes them.

    Raises:
        CalendarError: the calendar has no version.
    """
    timeline = timeline or schedule_for(calendar)
    newest: CalendarVersion = calendar.versions.order_by("-number")[0]
    if OpenStretch.objects.filter(version=newest).exists():
        return newest
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_LOCK, [newest.pk])
        if not OpenStretch.objects.filter(version=newest).exists():
            opens, closes = _stretches(timeline, newest.published_at.year + YEARS_AHEAD)
            cursor.execute(_INSERT, [newest.pk, opens, closes])
    return newest


def _stretches(timeline: Timeline, last_year: int) -> tuple[list[dt.datetime], list[dt.datetime]]:
    opens, closes = [], []
    day, last = dt.date(FIRST_YEAR, 1, 1), dt.date(last_year, 12, 31)
    while day <= last:
        for span in timeline.open_on(day).spans:
            opens.append(span.start.replace(tzinfo=dt.UTC))
            closes.append(span.end.replace(tzinfo=dt.UTC))
        day += ONE_DAY
    return opens, closes
