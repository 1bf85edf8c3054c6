"""Sums that are kept for every lead, so that a score needs no history: counts, and counts that halve with time.

A sum that halves every h days is carried forward exactly: s·2^(−Δt/h), plus what is new. What is derived from the
days of touches alone (windows, even fading) is counted when a score is asked for; it needs no sum.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import connection, transaction

from apps.core.context_sql import stamp_transaction
from apps.leads.models import Measure
from apps.leads.scoring_rules import DAILY, EVERY, HALF_LIFE, NONE, ONCE

LOCK = "leads.measures"  # shared by whoever adds touches, alone by whoever adds a measure
DAY = 86_400
# a touch by day: how often, the first and the last second of it; the same from a batch, a table or the whole ledger
DAYS = """
    SELECT t.lead_id, t.type, (t.occurred_at AT TIME ZONE 'UTC')::date AS day, count(*) AS n,
           max(date_part('epoch', t.occurred_at)) AS last_at{halving}
    FROM {rows} t WHERE NOT t.is_machine {only} GROUP BY 1, 2, 3
"""


@dataclass(frozen=True, order=True)
class Kept:
    """One sum: of which touch, how it repeats, and in how many days it halves (0: never)."""

    touch: str
    repeat: str
    half_life: int

    @property
    def key(self) -> str:
        """Its name in the table of measures."""
        return f"{self.touch}/{self.repeat}/{self.half_life}"

    @classmethod
    def read(cls, key: str) -> "Kept":
        """Return the sum of a name."""
        touch, repeat, half_life = key.split("/")
        return cls(touch, repeat, int(half_life))

    @property
    def seconds(self) -> int:
        """The half-life in seconds."""
        return self.half_life * DAY

    def summed(self, ref: str, *, is_new: str = "true") -> str:
        """Return the SQL that adds it up over days of one lead, as of second `ref`."""
        mine = f"d.type = '{self.touch}'"
        if self.repeat == ONCE:
            best = f"power(2, (d.last_at - {ref}) / {self.seconds})" if self.half_life else "1.0"
            return f"coalesce(max({best}) FILTER (WHERE {mine}), 0)"
        if self.repeat == DAILY:
            start = "date_part('epoch', d.day::timestamp)"
            each = f"power(2, ({start} - {ref}) / {self.seconds})" if self.half_life else "1.0"
            return f"coalesce(sum({each}) FILTER (WHERE {mine} AND {is_new}), 0)"
        column = f"d.halving_{self.half_life}" if self.half_life else "d.n"
        return f"coalesce(sum({column}) FILTER (WHERE {mine}), 0)"

    def merged(self, number: int) -> str:
        """Return the SQL that joins a stored sum (`a`) with a new one (`e`), both carried to `m.at`."""

        def carried(side: str) -> str:
            value = f"coalesce({side}.sums[{number}], 0)"
            return (
                f"{value} * power(2, ({side}.at - greatest(a.at, e.at)) / {self.seconds})" if self.half_life else value
            )

        both = carried("a"), carried("e")
        return f"greatest({both[0]}, {both[1]})" if self.repeat == ONCE else f"{both[0]} + {both[1]}"

    def now(self, number: int, as_of: str) -> str:
        """Return the SQL of a stored sum (`a`) as of a second."""
        faded = f" * power(2, (a.at - {as_of}) / {self.seconds})" if self.half_life else ""
        return f"coalesce(a.sums[{number}]{faded}, 0)"  # a lead without touches has no sums at all


def kept() -> list[Kept]:
    """Return every sum that is kept, in its place."""
    return [Kept.read(key) for key in Measure.objects.order_by("number").values_list("key", flat=True)]


def days_sql(measures: Iterable[Kept], ref: str, *, rows: str = "leads_touchpoint", only: str = "") -> str:
    """Return the SQL that counts touches by lead, type and day, with what halves as of second `ref`."""
    lives = sorted({each.half_life for each in measures if each.half_life and each.repeat == EVERY})
    halving = "".join(
        f", sum(power(2, (date_part('epoch', t.occurred_at) - {ref}) / {life * DAY})) AS halving_{life}"
        for life in lives
    )
    return DAYS.format(halving=halving, rows=rows, only=only)


def sums_sql(measures: Sequence[Kept], ref: str, days: str, *, is_new: str = "true") -> str:
    """Return the SQL that makes one row of sums per lead out of the days in `days`."""
    columns = ", ".join(each.summed(ref, is_new=is_new) for each in measures)
    return f"SELECT d.lead_id, {ref}::float8 AS at, ARRAY[{columns}]::float8[] AS sums FROM {days} d GROUP BY d.lead_id"


def merge_sql(measures: Sequence[Kept], source: str) -> str:
    """Return the statement that adds the sums of `source` (lead_id, at, sums) to what is kept."""
    merged = ", ".join(each.merged(number) for number, each in enumerate(measures, 1))
    return (
        f"""
        INSERT INTO leads_accumulator AS a (lead_id, at, sums)
        SELECT lead_id, at, sums FROM {source} ORDER BY lead_id
        ON CONFLICT (lead_id) DO UPDATE SET at = greatest(a.at, excluded.at), sums = ARRAY[{merged}]::float8[]
    """.replace("e.sums", "excluded.sums")
        .replace("e.at", "excluded.at")
        .replace("excluded.excluded", "excluded")
    )


def lock_for_touches() -> None:
    """Hold off new measures until this transaction, which adds touches, is over."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(hashtext(%s))", [LOCK])


def ensure_measures(wanted: Iterable[Kept], *, ref: float) -> int:
    """Keep these sums from now on, made from the whole ledger where they are new; returns how many are new."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [LOCK])
        known = kept()
        fresh = sorted(set(wanted) - set(known))
        if fresh:
            Measure.objects.bulk_create(
                Measure(number=number, key=each.key) for number, each in enumerate(fresh, len(known) + 1)
            )
            rebuild(ref=ref)
    return len(fresh)


def rebuild(*, ref: float, leads: Sequence[int] | None = None) -> int:
    """Make days and sums of some leads, or of all, from the touches alone; returns how many leads have sums.

    Args:
        ref: the second the sums are as of; later touches are not expected.
        leads: their keys; all where it is left out.
    """
    measures = kept()
    only, mine = ("", "true") if leads is None else ("AND t.lead_id = ANY(%s)", "lead_id = ANY(%s)")
    given = [] if leads is None else [list(leads)]
    with transaction.atomic(), connection.cursor() as cursor:
        stamp_transaction(connection)
        cursor.execute(f"DELETE FROM leads_touchday WHERE {mine}", given)  # constants
        cursor.execute(f"DELETE FROM leads_accumulator WHERE {mine}", given)  # constants
        days = days_sql(measures, repr(ref), only=only)
        columns = (
            sums_sql(measures, repr(ref), "days")
            if measures
            else "SELECT 0 AS lead_id, 0 AS at, '{}'::float8[] AS sums WHERE false"
        )
        cursor.execute(
            f"WITH days AS MATERIALIZED ({days}), "  # made of names and numbers
            "counted AS (INSERT INTO leads_touchday (lead_id, type, day, touches) "
            "SELECT lead_id, type, day, n FROM days) "
            f"INSERT INTO leads_accumulator (lead_id, at, sums) {columns}",
            given,
        )
        return int(cursor.rowcount)


def keeps_all(wanted: Iterable[Kept]) -> bool:
    """Whether all of these sums are kept."""
    return set(wanted) <= set(kept())


def needed(touch: str, repeat: str, decay: str, days: int) -> Kept | None:
    """Return the sum that a rule reads; None where it reads the days of touches."""
    if decay == NONE:
        return Kept(touch, repeat, 0)
    return Kept(touch, repeat, days) if decay == HALF_LIFE else None
