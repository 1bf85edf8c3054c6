"""Puts into the database what records: the functions of `sql/`, and the ready statement of every recording trigger.

While migrations run, the triggers are stubs that look up the table's columns at every statement. Afterwards each gets
the statement for the columns there are, which the server plans once per session: that is what makes recording cheap.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pgtrigger.registry
from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from apps.core.governed import LedgerTrigger, Recorded

FOLDER = Path(__file__).parent / "sql"
_FUNCTION = """
CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $mops$
{body}
$mops$
"""
_STUB = "DECLARE mops_done bigint;\nBEGIN\n{stub}\nEND"
_READY = """
DECLARE
    mops_ctx jsonb := coalesce(nullif(current_setting('mops.ctx', true), ''), '{{}}')::jsonb;
    mops_done bigint;
BEGIN
{statement};
    RETURN NULL;
END
"""


def install_functions(connection: BaseDatabaseWrapper) -> None:
    """As the owner: bring the functions that recording stands on to this version. Safe to repeat."""
    with connection.cursor() as cursor:
        for file in sorted(FOLDER.glob("*.sql")):
            cursor.execute(file.read_text())


def loosen(connection: BaseDatabaseWrapper) -> None:
    """As the owner, before migrations: every recording trigger looks up its columns as it runs."""
    with transaction.atomic(connection.alias), connection.cursor() as cursor:
        for name, _, _, recorded in _recorders(cursor):
            _replace(cursor, name, _STUB.format(stub=recorded.stub))


def settle(connection: BaseDatabaseWrapper) -> None:
    """As the owner, after migrations: every recording trigger gets the statement for the columns there are."""
    with transaction.atomic(connection.alias), connection.cursor() as cursor:
        for name, table, operation, recorded in _recorders(cursor):
            cursor.execute(
                "SELECT mops_record_sql(%s::regclass, %s, %s, %s::text[], %s::text[])",
                (table, operation, recorded.history, list(recorded.hidden), list(recorded.personal)),
            )
            statement: str = cursor.fetchone()[0]
            ready = statement.replace("$1", "mops_ctx").replace("/*into*/", "INTO mops_done")
            _replace(cursor, name, _READY.format(statement=ready))


def _recorders(cursor: Any) -> Iterator[tuple[str, str, str, Recorded]]:
    """Yield function, table, operation and options of every recording trigger that is in the database."""
    cursor.execute(
        "SELECT p.proname, t.tgrelid::regclass::text FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid"
        " WHERE p.proname LIKE 'pgtrigger\\_ledger\\_%' AND NOT t.tgisinternal"
    )
    there = dict(cursor.fetchall())
    for model, trigger in pgtrigger.registry.registered():
        if isinstance(trigger, LedgerTrigger) and (name := trigger.get_pgid(model)) in there:
            yield name, there[name], str(trigger.operation), trigger.recorded(model)  # type: ignore[arg-type]  # is a class


def _replace(cursor: Any, name: str, body: str) -> None:
    cursor.execute("SELECT prosrc FROM pg_proc WHERE proname = %s", (name,))
    if cursor.fetchone()[0].strip() != body.strip():
        cursor.execute(_FUNCTION.format(name=name, body=body))
