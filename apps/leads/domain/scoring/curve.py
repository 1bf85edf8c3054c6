"""The score of one lead over the last months: its touches as they were then, by the rules that score it today."""

import datetime as dt
from dataclasses import dataclass

from django.db import connection

from apps.leads.domain.scoring.engine import computed_sql
from apps.leads.domain.scoring.model import Model
from apps.leads.models import Lead

MONTHS = 11


@dataclass(frozen=True)
class Point:
    """The score at a moment."""

    at: dt.datetime
    score: float


def month_starts(now: dt.datetime, months: int) -> list[dt.datetime]:
    """Return the first moments of the last months, the oldest first, that of `now` among them."""
    first = now.astimezone(dt.UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    counted = [first.year * 12 + first.month - 1 - back for back in range(months - 1, -1, -1)]
    return [first.replace(year=number // 12, month=number % 12 + 1) for number in counted]


def curve_of(lead: Lead, model: Model, *, now: dt.datetime) -> list[Point]:
    """Return the scores of a lead at the turns of the last months and now: one query of the engine.

    What it did is read as of each moment; what is known of it and its company is what is known today, so that the
    curve shows what its doings made of it. A score set by hand counts while it stood.
    """
    moments = [*month_starts(now, MONTHS), now]
    scored = computed_sql(model, as_of=now, leads=[lead.pk], past=True, facts_now=True, second="m.second")
    seconds = ", ".join(f"({place}, {moment.timestamp()!r}::float8)" for place, moment in enumerate(moments))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT m.place, c.final FROM (VALUES {seconds}) m (place, second) "  # numbers
            f"CROSS JOIN LATERAL ({scored}) c",
            [],
        )
        found: dict[int, float] = dict(cursor.fetchall())
    return [Point(moments[place], score) for place, score in sorted(found.items())]
