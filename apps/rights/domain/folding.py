"""Rows as they were at a moment: a recorded table, folded from the ledger."""

import datetime as dt
import json
from collections.abc import Iterable
from typing import Any

from django.db import connection

Row = dict[str, Any]
# the last value of every column of a row; what was deleted by then is left out
_FOLD = """
    SELECT object_id, row, first_at, first_by FROM (
        SELECT e.object_id, jsonb_object_agg(d.key, d.value->1 ORDER BY e.id) AS row,
               (array_agg(e.action ORDER BY e.id DESC))[1] AS last_action,
               min(e.at) AS first_at, (array_agg(e.actor_label ORDER BY e.id))[1] AS first_by
        FROM audit_auditevent e, jsonb_each(e.changes) d
        WHERE e.table_name = %(table)s AND e.at <= %(moment)s
          AND (%(column)s = '' OR e.object_id IN (
                SELECT c.object_id FROM audit_auditevent c
                WHERE c.table_name = %(table)s AND c.at <= %(moment)s
                  AND c.changes->%(column)s->>1 = ANY (%(values)s)))
        GROUP BY e.object_id) folded
    WHERE last_action <> 'delete' AND (%(column)s = '' OR row->>%(column)s = ANY (%(values)s))
    ORDER BY object_id
"""


def fold(table: str, moment: dt.datetime, column: str = "", values: Iterable[Any] = ()) -> dict[str, Row]:
    """Return the rows of a recorded table as they were at `moment`, by key; `_at` and `_by` tell of their creation.

    Args:
        table: the table.
        moment: everything up to it counts.
        column: only rows whose column holds one of `values`.
        values: what it may hold.
    """
    given: dict[str, Any] = {
        "table": table,
        "moment": moment,
        "column": column,
        "values": [str(each) for each in values],
    }
    with connection.cursor() as cursor:
        cursor.execute(_FOLD, given)
        return {key: {**_row(row), "_at": at, "_by": by} for key, row, at, by in cursor.fetchall()}


def _row(row: Any) -> Row:
    return dict(json.loads(row)) if isinstance(row, str) else dict(row)
