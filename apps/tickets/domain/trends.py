"""What comes more often than it used to: tickets by category and by word of their titles, this week beside before.

A trend is growth that chance does not explain: at least `LEAST` tickets, twice the usual number, and more than two
standard deviations of a Poisson count above it.
"""

import datetime as dt
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Any

from django.db import connection

from apps.core import access, clock
from apps.core.alerts.domain.alerting import raise_alert, resolve_alert
from apps.core.alerts.enums import AlertState
from apps.core.alerts.models import Alert
from apps.tickets.models import Ticket

if TYPE_CHECKING:
    from apps.accounts.models import User

WINDOW = dt.timedelta(days=7)
WEEKS_BEFORE = 4
LEAST = 5
SHOWN = 30
FINGERPRINT = "tickets.trend:"
# One statement for both kinds of key, over the index of opening: five weeks, never the whole table.
_COUNTS = """
    WITH recent AS (
        SELECT t.id, t.title, t.opened_at >= %(since)s AS is_new,
            floor(extract(epoch FROM %(now)s - t.opened_at) / %(seconds)s)::int AS week,
            coalesce(k.name, nullif(i.category, '')) AS category
        FROM tickets_ticket t
        LEFT JOIN tickets_tickettype k ON k.id = t.type_id
        LEFT JOIN tickets_importedincident i ON i.ticket_id = t.id
        WHERE t.opened_at >= %(from)s AND t.opened_at < %(now)s AND t.archived_at IS NULL {scope}
    ), keyed AS (
        SELECT 'category' AS kind, category AS key, id, is_new, week FROM recent WHERE category IS NOT NULL
        UNION ALL
        SELECT 'word', word, id, is_new, week FROM recent
        CROSS JOIN LATERAL unnest(tsvector_to_array(to_tsvector('english', title))) AS word
        WHERE length(word) >= 4 AND word !~ '[0-9]'
    )
    SELECT kind, key, count(*) FILTER (WHERE is_new) AS new, count(*) FILTER (WHERE NOT is_new) AS old,
        array[{weeks}] AS weeks,
        (array_agg(id ORDER BY id DESC) FILTER (WHERE is_new))[1:200] AS ids
    FROM keyed GROUP BY kind, key HAVING count(*) FILTER (WHERE is_new) >= %(least)s
    ORDER BY 3 DESC, 2
"""


@dataclass(frozen=True)
class Trend:
    """One category or word, how often it came, and how often it used to."""

    kind: str
    key: str
    new: int
    usual: float
    weeks: tuple[int, ...]
    ids: tuple[int, ...]

    @property
    def growth(self) -> float:
        """How many times the usual number; against less than one a week, as if it were one."""
        return self.new / max(self.usual, 1.0)

    @property
    def is_growing(self) -> bool:
        """Whether chance does not explain it."""
        usual = max(self.usual, 1.0)
        return self.new >= LEAST and self.new >= 2 * usual and self.new > usual + 2 * sqrt(usual)

    @property
    def fingerprint(self) -> str:
        """By which its alert is known."""
        return f"{FINGERPRINT}{self.kind}:{self.key}"[:200]

    @property
    def words(self) -> str:
        """The figures in a sentence."""
        of = "the category" if self.kind == "category" else "titles with"
        return f"{self.new} tickets of {of} “{self.key}” within a week; {self.usual:.1f} a week in the month before."


def trends(*, now: dt.datetime | None = None, reader: "User | None" = None) -> list[Trend]:
    """Return what came often this week, what grows first.

    Args:
        now: the end of the week looked at.
        reader: whose rights count; everything for the job that watches.
    """
    moment = now or clock.now()
    values: dict[str, Any] = {
        "now": moment,
        "since": moment - WINDOW,
        "from": moment - (WEEKS_BEFORE + 1) * WINDOW,
        "seconds": WINDOW.total_seconds(),
        "least": LEAST,
    }
    if reader is not None:
        seen = access.visible(reader, Ticket).filter(opened_at__gte=values["from"], opened_at__lt=moment)
        values["ids"] = list(seen.order_by().values_list("pk", flat=True))
    scope = "AND t.id = ANY(%(ids)s)" if reader is not None else ""
    weeks = ", ".join(f"count(*) FILTER (WHERE week = {week})" for week in range(WEEKS_BEFORE, -1, -1))
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS.format(scope=scope, weeks=weeks), values)
        found = [
            Trend(kind, key, new, old / WEEKS_BEFORE, tuple(weeks), tuple(ids))
            for kind, key, new, old, weeks, ids in cursor.fetchall()
        ]
    return sorted(found, key=lambda each: (not each.is_growing, -each.growth, each.key))[:SHOWN]


def watch_trends(*, now: dt.datetime | None = None) -> dict[str, int]:
    """Raise an alert for what grows, and resolve those of what no longer does."""
    growing = {each.fingerprint: each for each in trends(now=now) if each.is_growing}
    for fingerprint, trend in growing.items():
        raise_alert(
            fingerprint,
            title=f"Tickets about “{trend.key}” grow.",
            severity="warning",
            detail=trend.words,
            runbook="Look at Trends under Problems: if they have one cause, make a problem of them.",
        )
    over = Alert.objects.filter(fingerprint__startswith=FINGERPRINT).exclude(state=AlertState.RESOLVED)
    ended = [each for each in over.values_list("fingerprint", flat=True) if each not in growing]
    for fingerprint in ended:
        resolve_alert(fingerprint, why="It comes no more often than usual.")
    return {"growing": len(growing), "over": len(ended)}
