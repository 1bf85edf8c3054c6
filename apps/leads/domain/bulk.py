"""Leads in bulk: a batch goes by COPY into a temporary table, is judged there, and goes on in one statement.

What is already as the file says is not written; the database's triggers record the rest, history included.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from operator import itemgetter
from typing import Any, cast

from django.db import connection
from psycopg import sql

from apps.core.context_sql import stamp_transaction
from apps.leads.domain.taken_back import TakenBack

KEY = ("record_source", "external_id")
# The lead of an incoming row, looked up for each row by its index: LIMIT keeps the planner from reading the whole table
# for a portion of a file, which it does where it knows a table no better than as it was before the import began.
_LEAD = """LATERAL (
            SELECT * FROM leads_lead l WHERE l.record_source = i.record_source AND l.external_id = i.external_id
                AND l.external_id <> '' LIMIT 1) l ON true"""
# One number for each incoming row; what stood before comes from the same snapshot, so before and after belong together.
_UPSERT = """
    WITH before AS ({before}), written AS (
        INSERT INTO leads_lead ({columns}, uuid, created_at, updated_at, row_version{defaulted})
        SELECT {incoming}, gen_random_uuid(), now(), now(), 1{defaults} FROM incoming_leads i
        {which}
        ORDER BY i.line
        {otherwise}
        RETURNING id, record_source, external_id
    )
    SELECT i.line, w.id, b.id, b.old FROM incoming_leads i
    LEFT JOIN before b ON b.line = i.line
    LEFT JOIN written w ON w.record_source = i.record_source AND w.external_id = i.external_id
    ORDER BY i.line
"""
_OTHERWISE = """ON CONFLICT (record_source, external_id) WHERE NOT (external_id = '') DO UPDATE
            SET {sets}, updated_at = now(), row_version = leads_lead.row_version + 1"""
# Of a portion of which no row is known nothing stood before, and every row is written. Where somebody else brings one
# of them in meanwhile, the index refuses the portion, which is halved (apps/core/exchange/engine.py) and knows it then.
_BEFORE = f"SELECT i.line, l.id, {{old}} AS old FROM incoming_leads i JOIN {_LEAD}"
_NOTHING_BEFORE = "SELECT 0 AS line, NULL::bigint AS id, NULL::jsonb AS old WHERE false"
_UNKNOWN = """LATERAL (
            SELECT NULL::bigint AS id, NULL::bigint AS merged_into_id, NULL::timestamptz AS archived_at) l ON true"""
_WHAT_DIFFERS = f"LEFT JOIN {_LEAD} WHERE l.id IS NULL OR {{differs}}"
_KNOWN = f"SELECT i.line, l.id FROM incoming_leads i JOIN {_LEAD}"
# The last of the leads that were merged and had the address or the phone of a row; nobody, while none was ever merged.
_MERGED = {
    "gone_email": """SELECT (array_agg(g.merged_into_id ORDER BY g.id DESC))[1] AS kept FROM leads_lead g
            WHERE lower(g.email) = s.email AND g.merged_into_id IS NOT NULL""",
    "gone_phone": """SELECT (array_agg(g.merged_into_id ORDER BY g.id DESC))[1] AS kept FROM leads_lead g
            WHERE g.phone = a.phone AND g.phone <> '' AND NOT g.is_phone_shared AND g.merged_into_id IS NOT NULL""",
}
_NOBODY = dict.fromkeys(_MERGED, "SELECT NULL::bigint AS kept")
# the first by its index: EXISTS forgets an order, and without statistics reads all leads to find that there is none
_ANY_MERGED = """
    SELECT (SELECT merged_into_id FROM leads_lead WHERE merged_into_id IS NOT NULL ORDER BY merged_into_id LIMIT 1)
           IS NOT NULL
"""
_NOWHERE: Mapping[str, list[int]] = {"email": [], "phone": []}
# Each step judges what the steps before it let through: a row that is refused claims no address and no phone. Whose
# address or phone it is already keeps it, wherever else it stands in the file: the same file again changes nothing.
# What a merged lead had is that of the lead that was kept (the last, where several had it), as it is for deliveries.
_JUDGE = """
    WITH standing AS (
        SELECT i.line, l.id AS lead, l.merged_into_id AS kept,
               {email}::text AS email, nullif({phone}::text, '') AS phone,
               CASE WHEN i.line = ANY(%(barred)s::int[]) THEN 'barred' WHEN l.merged_into_id IS NOT NULL THEN 'merged'
                    WHEN l.archived_at IS NOT NULL THEN 'archived' END AS why
        FROM incoming_leads i LEFT JOIN {mine}
    ), addressed AS (
        SELECT s.line, s.lead, s.phone, coalesce(s.kept, g.kept) AS kept,
            CASE WHEN s.why IS NOT NULL THEN s.why WHEN s.email IS NULL THEN NULL
            WHEN s.line = ANY(%(email)s::int[]) THEN 'email_taken'
            WHEN o.id IS NOT NULL THEN CASE WHEN o.id <> coalesce(s.lead, 0) THEN 'email_taken' END
            WHEN g.kept IS NOT NULL THEN CASE WHEN g.kept <> coalesce(s.lead, 0) THEN 'email_merged' END
            WHEN row_number() OVER (PARTITION BY s.email, s.why IS NULL ORDER BY s.line) > 1 THEN 'email_twice'
            END AS why
        FROM standing s LEFT JOIN LATERAL (
            SELECT o.id FROM leads_lead o WHERE lower(o.email) = s.email AND o.merged_into_id IS NULL LIMIT 1) o ON true
        LEFT JOIN LATERAL ({gone_email}) g ON true
    ), phoned AS (
        SELECT a.line, CASE WHEN a.why IS NOT NULL THEN a.kept ELSE g.kept END AS kept,
            CASE WHEN a.why IS NOT NULL THEN a.why WHEN a.phone IS NULL THEN NULL
            WHEN a.line = ANY(%(phone)s::int[]) THEN 'phone_taken'
            WHEN o.id IS NOT NULL THEN CASE WHEN o.id <> coalesce(a.lead, 0) THEN 'phone_taken' END
            WHEN g.kept IS NOT NULL THEN CASE WHEN g.kept <> coalesce(a.lead, 0) THEN 'phone_merged' END
            WHEN row_number() OVER (PARTITION BY a.phone, a.why IS NULL ORDER BY a.line) > 1 THEN 'phone_twice'
            END AS why
        FROM addressed a LEFT JOIN LATERAL (
            SELECT o.id FROM leads_lead o WHERE o.phone = a.phone AND o.phone <> '' AND NOT o.is_phone_shared
                AND o.merged_into_id IS NULL LIMIT 1) o ON true
        LEFT JOIN LATERAL ({gone_phone}) g ON true
    )
    SELECT line, why, kept FROM phoned WHERE why IS NOT NULL
"""
# What a new lead has where the file says nothing: the model's own defaults.
_DEFAULTS: Mapping[str, str] = {
    **dict.fromkeys(("name", "job_title", "company", "country", "territory", "origin", "source"), "''"),
    **dict.fromkeys(("last_activity", "last_notable_activity", "quality", "phone"), "''"),
    "is_phone_shared": "false",
}


class Refusal(StrEnum):
    """Why an incoming row stays out."""

    BARRED = "barred"
    MERGED = "merged"
    ARCHIVED = "archived"
    EMAIL_TWICE = "email_twice"
    EMAIL_TAKEN = "email_taken"
    PHONE_TAKEN = "phone_taken"
    PHONE_TWICE = "phone_twice"
    EMAIL_MERGED = "email_merged"
    PHONE_MERGED = "phone_merged"


@dataclass(frozen=True)
class Refused:
    """Why one incoming row stays out, and the lead it was merged into, where it was."""

    why: Refusal
    kept: int | None


@dataclass(frozen=True)
class Written:
    """What became of one incoming row: its lead, and what stood there before (None: it is new)."""

    line: int
    lead_id: int
    before: dict[str, Any] | None
    is_changed: bool


def judge_and_write(
    rows: Sequence[tuple[int, Mapping[str, Any]]],
    may_change: Callable[[set[int]], set[int]],
    before: TakenBack | None = None,
) -> tuple[dict[int, Refused], list[Written]]:
    """Stage the rows, judge them where the leads are, and write those that differ, inside the caller's transaction.

    Args:
        rows: line number and values by column; all rows carry the same columns, the key among them, and each key once.
        may_change: of some leads, those that whoever imports may change.
        before: what the portions before did, where a preview took it back; what these rows do is added.

    Returns:
        Why a row was refused, by its line; and what became of the others.
    """
    if not rows:
        return {}, []
    names = [name for name in rows[0][1] if name not in KEY]
    with connection.cursor() as cursor:
        _stage(cursor, rows, names)
        cursor.execute(_KNOWN)
        known = dict(cursor.fetchall())
        mine = may_change(set(known.values())) if known else set()
        email, phone = ("i.email" if "email" in names else "NULL"), ("i.phone" if "phone" in names else "''")
        cursor.execute(_ANY_MERGED)
        merged = _MERGED if cursor.fetchone() == (True,) else _NOBODY
        judged = _JUDGE.format(email=email, phone=phone, mine=_LEAD if known else _UNKNOWN, **merged)
        elsewhere = _NOWHERE if before is None else before.stand_again(cursor, rows)
        cursor.execute(judged, {"barred": [line for line, lead in known.items() if lead not in mine], **elsewhere})
        refused = {line: Refused(Refusal(why), kept) for line, why, kept in cursor.fetchall()}
        if refused:
            cursor.execute("DELETE FROM incoming_leads WHERE line = ANY(%s)", [list(refused)])
        cursor.execute(_statement(names, fresh=not known).as_string(connection.connection))
        written = [_written(*row) for row in cursor.fetchall()]
    if before is not None:
        before.note(dict(rows), written)
    return refused, written


def _stage(cursor: Any, rows: Sequence[tuple[int, Mapping[str, Any]]], names: list[str]) -> None:
    columns = sql.SQL(", ").join(map(sql.Identifier, (*KEY, *names)))
    cursor.execute("DROP TABLE IF EXISTS pg_temp.incoming_leads")
    shape = sql.SQL(
        "CREATE TEMPORARY TABLE incoming_leads ON COMMIT DROP AS SELECT 0 AS line, {} FROM leads_lead LIMIT 0"
    )
    cursor.execute(shape.format(columns).as_string(connection.connection))
    stamp_transaction(connection)
    copy = sql.SQL("COPY incoming_leads (line, {}) FROM STDIN").format(columns)
    with cursor.cursor.copy(copy) as stream:
        cells = itemgetter(*KEY, *names)
        for line, values in rows:
            stream.write_row((line, *cells(values)))
    asked = ", ".join(("line", *KEY, *(name for name in ("email", "phone") if name in names)))
    cursor.execute(f"ANALYZE incoming_leads ({asked})")  # what the statements below look up and compare


def _statement(names: list[str], *, fresh: bool) -> sql.Composed:
    """Return the statement that writes what differs; `fresh` where no row names a lead that is there."""
    left = [name for name in _DEFAULTS if name not in names]
    ours, theirs = [sql.Identifier("l", name) for name in names], [sql.Identifier("i", name) for name in names]
    pairs = [sql.SQL("{}, {}").format(sql.Literal(name), column) for name, column in zip(names, ours, strict=True)]
    if "phone" in names:
        pairs.append(sql.SQL("{}, {}").format(sql.Literal("is_phone_shared"), sql.Identifier("l", "is_phone_shared")))
    sets = [sql.SQL("{0} = excluded.{0}").format(sql.Identifier(name)) for name in ("record_source", *names)]
    comma = sql.SQL(", ")
    differs = sql.SQL("ROW({}) IS DISTINCT FROM ROW({})").format(comma.join(ours), comma.join(theirs))
    old = sql.SQL("jsonb_build_object({})").format(comma.join(pairs))
    asked = sql.SQL(cast("Any", _WHAT_DIFFERS)).format(differs=differs if names else sql.SQL("false"))
    return sql.SQL(cast("Any", _UPSERT)).format(
        before=sql.SQL(_NOTHING_BEFORE) if fresh else sql.SQL(cast("Any", _BEFORE)).format(old=old),
        which=sql.SQL("") if fresh else asked,
        columns=comma.join(map(sql.Identifier, (*KEY, *names))),
        incoming=comma.join(sql.Identifier("i", name) for name in (*KEY, *names)),
        defaulted=sql.SQL("").join(sql.SQL(", {}").format(sql.Identifier(name)) for name in (*left, "stage")),
        defaults=sql.SQL("").join(sql.SQL(cast("Any", f", {_DEFAULTS[name]}")) for name in left)
        + sql.SQL(", 'known_lead'"),
        otherwise=sql.SQL("") if fresh else sql.SQL(_OTHERWISE).format(sets=comma.join(sets)),
    )


def _written(line: int, written: int | None, before: int | None, old: Any) -> Written:
    lead_id = written if written is not None else cast("int", before)
    return Written(line, lead_id, None if before is None else json.loads(old), written is not None)
