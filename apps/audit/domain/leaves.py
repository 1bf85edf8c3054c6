"""What is sealed of an entry: its canonical line, and the leaf hash of it, made by PostgreSQL set by set.

The expression is sent with every query instead of being kept as a function: what a database administrator replaces
there must not decide what is verified.
"""

from typing import Any

from django.db import connection

# every column; whoever adds one to the ledger raises the version in `SEAL_VERSION` and keeps the old form for old seals
CANONICAL = (
    "pg_catalog.json_build_object('seq', e.id, 'at', e.at AT TIME ZONE 'UTC', 'txid', e.txid, 'actor_id', e.actor_id,"
    " 'actor', e.actor_label, 'behalf', e.on_behalf_of_label, 'channel', e.channel, 'request', e.request_id,"
    " 'job', e.job_id, 'reason', e.reason, 'db_role', e.db_role, 'action', e.action, 'table', e.table_name,"
    " 'object', e.object_id, 'label', e.object_label, 'changes', e.changes)::text"
)
LEAF = f"pg_catalog.sha256('\\x00'::bytea || pg_catalog.convert_to({CANONICAL}, 'UTF8'))"
SEAL_VERSION = 1
HEX = 64


def leaf_lines(first: int, last: int) -> bytes:
    """Return “sequence hash” of every entry in a range, a line each, in the order of their sequence."""
    lines = bytearray()
    with connection.cursor() as cursor, cursor.copy(_copy(f"e.id || ' ' || encode({LEAF}, 'hex')", first, last)) as out:
        for chunk in out:
            lines += chunk
    return bytes(lines)


def hashes_of(lines: bytes) -> list[bytes]:
    """Return the leaf hashes of such lines."""
    return [bytes.fromhex(line[-HEX:].decode()) for line in lines.splitlines()]


def canonical_lines(numbers: list[int]) -> dict[int, str]:
    """Return the canonical lines of some entries, by sequence."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT e.id, {CANONICAL} FROM audit_auditevent e WHERE e.id = ANY (%s) ORDER BY e.id", [numbers]
        )
        return dict(cursor.fetchall())


def _copy(expression: str, first: int, last: int) -> Any:
    return (
        f"COPY (SELECT {expression} FROM public.audit_auditevent e WHERE e.id BETWEEN {int(first)} AND {int(last)}"
        " ORDER BY e.id) TO STDOUT"
    )
