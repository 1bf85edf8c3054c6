"""Leads in bulk: a batch goes by COPY into a temporary table and from there, in one statement, into the leads.

What is already as the file says is not written; the database's triggers record the rest, history included.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from django.db import connection
from psycopg import sql

from apps.core.context_sql import stamp_transaction
from apps.leads.models import Lead

KEY = ("record_source", "external_id")
# One number for each incoming row; what stood before comes from the same snapshot, so before and after belong together.
_UPSERT = """
    WITH before AS (
        SELECT i.line, l.id, {before} AS old FROM incoming_leads i
        JOIN leads_lead l ON l.record_source = i.record_source AND l.external_id = i.external_id AND l.external_id <> ''
    ), written AS (
        INSERT INTO leads_lead ({columns}, uuid, created_at, updated_at, row_version{defaulted})
        SELECT {incoming}, gen_random_uuid(), now(), now(), 1{defaults} FROM incoming_leads i
        LEFT JOIN leads_lead l ON l.record_source = i.record_source AND l.external_id = i.external_id
            AND l.external_id <> ''
        WHERE l.id IS NULL OR {differs}
        ORDER BY i.line
        ON CONFLICT (record_source, external_id) WHERE NOT (external_id = '') DO UPDATE
            SET {sets}, updated_at = now(), row_version = leads_lead.row_version + 1
        RETURNING id, record_source, external_id
    )
    SELECT i.line, w.id, b.id, b.old FROM incoming_leads i
    LEFT JOIN before b ON b.line = i.line
    LEFT JOIN written w ON w.record_source = i.record_source AND w.external_id = i.external_id
    ORDER BY i.line
"""
# What a new lead has where the file says nothing: the model's own defaults.
_DEFAULTS: Mapping[str, str] = {
    **dict.fromkeys(("name", "job_title", "company", "country", "territory", "origin", "source"), "''"),
    **dict.fromkeys(("last_activity", "last_notable_activity", "quality", "phone"), "''"),
    "is_phone_shared": "false",
}


@dataclass(frozen=True)
class Written:
    """What became of one incoming row: its lead, and what stood there before (None: it is new)."""

    line: int
    lead_id: int
    before: dict[str, Any] | None
    is_changed: bool


def upsert_leads(rows: Sequence[tuple[int, Mapping[str, Any]]]) -> list[Written]:
    """Write the rows that differ, in one statement, inside the caller's transaction.

    Args:
        rows: line number and values by column; all rows carry the same columns, the key among them, and each key once.
    """
    if not rows:
        return []
    names = [name for name in rows[0][1] if name not in KEY]
    with connection.cursor() as cursor:
        _stage(cursor, rows, names)
        cursor.execute(_statement(names).as_string(connection.connection))
        return [_written(*row) for row in cursor.fetchall()]


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
        for line, values in rows:
            stream.write_row((line, *(values[name] for name in (*KEY, *names))))
    cursor.execute("ANALYZE incoming_leads")


def _statement(names: list[str]) -> sql.Composed:
    left = [name for name in _DEFAULTS if name not in names]
    ours, theirs = [sql.Identifier("l", name) for name in names], [sql.Identifier("i", name) for name in names]
    pairs = [sql.SQL("{}, {}").format(sql.Literal(name), column) for name, column in zip(names, ours, strict=True)]
    sets = [sql.SQL("{0} = excluded.{0}").format(sql.Identifier(name)) for name in names]
    comma = sql.SQL(", ")
    return sql.SQL(cast("Any", _UPSERT)).format(
        before=sql.SQL("jsonb_build_object({})").format(comma.join(pairs)),
        columns=comma.join(map(sql.Identifier, (*KEY, *names))),
        incoming=comma.join(sql.Identifier("i", name) for name in (*KEY, *names)),
        defaulted=sql.SQL("").join(sql.SQL(", {}").format(sql.Identifier(name)) for name in (*left, "stage")),
        defaults=sql.SQL("").join(sql.SQL(cast("Any", f", {_DEFAULTS[name]}")) for name in left)
        + sql.SQL(", 'known_lead'"),
        differs=sql.SQL("ROW({}) IS DISTINCT FROM ROW({})").format(comma.join(ours), comma.join(theirs))
        if names
        else sql.SQL("false"),
        sets=comma.join((sql.SQL("record_source = excluded.record_source"), *sets)),
    )


def _written(line: int, written: int | None, before: int | None, old: Any) -> Written:
    lead_id = written if written is not None else cast("int", before)
    return Written(line, lead_id, None if before is None else json.loads(old), written is not None)


def addresses_taken(addresses: Mapping[str, tuple[str, str]]) -> set[str]:
    """Return those e-mail addresses that belong to another lead than the one (by key) that wants it."""
    rows = Lead._base_manager.filter(email__in=list(addresses), merged_into=None)
    stored = rows.values_list("email", *KEY)
    return {email for email, *key in stored if tuple(key) != addresses[email]}


def phones_taken(phones: Mapping[int, str], keys: Mapping[int, tuple[str, str]]) -> dict[int, str]:
    """Return the lines whose phone is somebody else's, in the database or on an earlier line, each with its sentence.

    Args:
        phones: E.164 by line.
        keys: system and number of the lead, by line.
    """
    rows = Lead._base_manager.filter(phone__in=set(phones.values()), is_phone_shared=False, merged_into=None)
    stored = {phone: tuple(key) for phone, *key in rows.values_list("phone", *KEY)}
    refused: dict[int, str] = {}
    seen: dict[str, tuple[str, str]] = {}
    for line, phone in phones.items():
        if stored.get(phone, keys[line]) != keys[line]:
            refused[line] = f"The phone {phone} belongs to another lead already."
        elif seen.setdefault(phone, keys[line]) != keys[line]:
            refused[line] = f"The phone {phone} stands on another row of this file already."
    return refused
