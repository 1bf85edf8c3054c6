"""Replays the ledger and compares: what it says a table holds, what the newest version says, what the table holds.

A row that was changed with the recording triggers off differs from both, and is named.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection, models
from psycopg import sql

from apps.core.governed import SILENT_COLUMNS
from apps.core.recorders import Recorder, recorders

BATCH = 5_000
SHOWN = 80

_LIVE = """
    SELECT t.{key} AS id, t.{key}::text AS key, to_jsonb(t) - %(left_out)s::text[] AS row
    FROM (SELECT * FROM {table} WHERE %(after)s::text IS NULL OR {key} > %(after)s::{key_type}
          ORDER BY {key} LIMIT %(batch)s) t
"""
# each column's last value in the ledger, beside the entry it comes from; filled_with is what rows older than a column
# got from the migration that added it
_AGAINST_LEDGER = """
    WITH live AS MATERIALIZED ({live}),
    events AS MATERIALIZED (
        SELECT e.object_id, e.id, e.action, e.changes FROM audit_auditevent e
        WHERE e.table_name = %(table)s AND e.object_id IN (SELECT key FROM live)),
    ends AS (
        SELECT object_id, min(id) AS first_id, (array_agg(action ORDER BY id))[1] AS first_action,
               (array_agg(action ORDER BY id DESC))[1] AS last_action
        FROM events GROUP BY object_id),
    folded AS (
        SELECT e.object_id, jsonb_object_agg(d.key, d.value->1 ORDER BY e.id) AS row,
               jsonb_object_agg(d.key, e.id ORDER BY e.id) AS from_event
        FROM events e, jsonb_each(e.changes) d GROUP BY e.object_id),
    cells AS (
        SELECT live.key, c.key AS col, c.value AS here, folded.row->c.key AS there, folded.row ? c.key AS told,
               (folded.from_event->>c.key)::bigint AS event, ends.first_id, ends.first_action
        FROM live JOIN ends ON ends.object_id = live.key JOIN folded ON folded.object_id = live.key,
             jsonb_each(live.row) c
        WHERE ends.last_action <> 'delete')
    SELECT live.key, '', CASE WHEN ends.object_id IS NULL THEN 'unknown' ELSE 'deleted' END, NULL, NULL
    FROM live LEFT JOIN ends ON ends.object_id = live.key
    WHERE ends.object_id IS NULL OR ends.last_action = 'delete'
    UNION ALL
    SELECT key, col, 'differs', here, coalesce(there, new.filled_with)
    FROM cells LEFT JOIN audit_recordedcolumn new
      ON new.table_name = %(table)s AND new.column_name = cells.col AND new.since_event >= cells.first_id
    WHERE NOT col = ANY (%(personal)s::text[]) AND (told OR first_action = 'insert')
      AND coalesce(CASE WHEN told THEN there ELSE new.filled_with END, 'null') <> here
    UNION ALL
    SELECT key, col, 'differs', NULL, NULL
    FROM cells WHERE col = ANY (%(personal)s::text[]) AND told
      AND jsonb_typeof(coalesce(there, 'null')) <> 'object' AND coalesce(there, 'null') <> here
    UNION ALL
    SELECT cells.key, col, 'differs', NULL, NULL
    FROM cells JOIN audit_personalvalue p ON p.event_id = event AND p.column_name = col AND p.side = 'new'
    WHERE col = ANY (%(personal)s::text[]) AND there ? 'commitment'
      AND encode(sha256(p.salt || convert_to(here::text, 'UTF8')), 'hex') <> there->>'commitment'
    ORDER BY 1, 2
"""
_AGAINST_HISTORY = """
    WITH live AS MATERIALIZED ({live}),
    newest AS (
        SELECT DISTINCT ON (h.{key}) h.{key} AS id, h.history_type, to_jsonb(h) AS row
        FROM {history} h WHERE h.{key} IN (SELECT id FROM live) ORDER BY h.{key}, h.history_id DESC)
    SELECT live.key, '', CASE WHEN newest.id IS NULL THEN 'unknown' ELSE 'deleted' END, NULL, NULL
    FROM live LEFT JOIN newest USING (id) WHERE newest.id IS NULL OR newest.history_type = '-'
    UNION ALL
    SELECT live.key, c.key, 'differs', c.value, newest.row->c.key
    FROM live JOIN newest USING (id), jsonb_each(live.row) c
    WHERE newest.history_type <> '-' AND newest.row ? c.key AND newest.row->c.key <> c.value
    ORDER BY 1, 2
"""
_GONE = """
    SELECT object_id FROM (
        SELECT DISTINCT ON (e.object_id) e.object_id, e.action FROM audit_auditevent e
        WHERE e.table_name = %(table)s ORDER BY e.object_id, e.id DESC) newest
    WHERE action <> 'delete' AND NOT EXISTS (SELECT FROM {table} t WHERE t.{key}::text = newest.object_id)
    ORDER BY 1
"""
_SENTENCES = {
    "unknown": "is in the table, but {source} knows nothing of it",
    "deleted": "is in the table, but was deleted according to {source}",
    "missing": "is gone from the table, but {source} knows of no deletion",
    "differs": "{column} is not what {source} says{values}",
}


@dataclass(frozen=True)
class Difference:
    """One place in which a table is not what the evidence says.

    Attributes:
        table: the table.
        key: the row.
        column: the column; "" where the whole row is concerned.
        kind: "unknown", "deleted", "missing" or "differs".
        source: "the ledger" or "the history".
        here: what the table holds; None where that is personal or nothing.
        there: what the evidence says.
    """

    table: str
    key: str
    column: str
    kind: str
    source: str
    here: Any = None
    there: Any = None

    def __str__(self) -> str:
        told = self.here is not None or self.there is not None
        values = f": {_short(self.here)} instead of {_short(self.there)}" if told else ""
        sentence = _SENTENCES[self.kind].format(source=self.source, column=self.column, values=values)
        return f"{self.table} {self.key}: {sentence}."


def replay(model: type[models.Model]) -> Iterator[Difference]:
    """Yield where the rows of `model` are not what ledger and history say; batch by batch, in any size of table."""
    found = [each for each in recorded() if each.table == model._meta.db_table]
    if not found:
        raise ValueError(f"{model.__name__} is not recorded, so there is nothing to replay.")
    yield from replay_table(found[0])


def replay_everything() -> Iterator[Difference]:
    """Yield where any recorded table is not what ledger and history say."""
    for each in recorded():
        yield from replay_table(each)


def recorded() -> list[Recorder]:
    """Return every table that is recorded, once."""
    return sorted((each for each in recorders(connection) if each.operation == "INSERT"), key=lambda each: each.table)


def replay_table(recorder: Recorder) -> Iterator[Difference]:
    """Yield where one table is not what ledger and history say."""
    key, key_type, has_history = _shape(recorder)
    names: dict[str, sql.Composable] = {
        "table": sql.Identifier(recorder.table),
        "key": sql.Identifier(key),
        "key_type": sql.SQL(key_type),
        "history": sql.Identifier(recorder.recorded.history or "none"),
    }
    names["live"] = sql.SQL(_LIVE).format(**names)
    sources = [("the ledger", _AGAINST_LEDGER), *([("the history", _AGAINST_HISTORY)] if has_history else [])]
    given: dict[str, Any] = {
        "table": recorder.table,
        "personal": list(recorder.recorded.personal),
        "left_out": [*SILENT_COLUMNS, "last_used_at", *recorder.recorded.hidden],
        "batch": BATCH,
        "after": None,
    }
    with connection.cursor() as cursor:
        while True:
            for source, query in sources:
                cursor.execute(sql.SQL(query).format(**names), given)
                for row, column, kind, here, there in cursor.fetchall():
                    yield Difference(recorder.table, row, column, kind, source, here, there)
            cursor.execute(sql.SQL("SELECT max(id)::text FROM ({live}) l").format(**names), given)
            (last,) = cursor.fetchone() or (None,)
            if last is None:
                break
            given["after"] = last
        cursor.execute(sql.SQL(_GONE).format(**names), given)
        for (row,) in cursor.fetchall():
            yield Difference(recorder.table, row, "", "missing", "the ledger")


def _shape(recorder: Recorder) -> tuple[str, str, bool]:
    """The key column of a table, its type, and whether versions of it are kept."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT a.attname, format_type(a.atttypid, a.atttypmod), to_regclass(nullif(%s, '')) IS NOT NULL"
            " FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]"
            " WHERE i.indrelid = %s::regclass AND i.indisprimary",
            (recorder.recorded.history, recorder.table),
        )
        key, key_type, has_history = cursor.fetchone() or ("id", "bigint", False)
    return str(key), str(key_type), bool(has_history)


def _short(value: Any) -> str:
    text = "nothing" if value is None else str(value)
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"
