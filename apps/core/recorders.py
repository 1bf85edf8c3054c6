"""Puts into the database what records: the functions of `sql/`, and the ready statement of every recording trigger.

While migrations run, the triggers are stubs that look up the table's columns at every statement. Afterwards each gets
the statement for the columns there are, which the server plans once per session: that is what makes recording cheap.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pgtrigger.registry
from django.apps import apps
from django.db import connection as default
from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from apps.core.actors import current_actor
from apps.core.governed import SECRET_COLUMNS, SILENT_COLUMNS, GovernedBase, LedgerTrigger, Recorded

OPERATIONS = {"INSERT": "NEW TABLE AS new_rows", "UPDATE": "OLD TABLE AS old_rows NEW TABLE AS new_rows"}
OPERATIONS["DELETE"] = "OLD TABLE AS old_rows"
# JSON texts must not depend on the session that happens to write
_SETTINGS = "SET search_path = public, pg_temp SET timezone = 'UTC' SET intervalstyle = 'postgres'"
_FUNCTION = f"""
CREATE OR REPLACE FUNCTION {{name}}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER {_SETTINGS}
AS $mops$
{{body}}
$mops$
"""
_STUB = "DECLARE mops_done bigint;\nBEGIN\n{stub}\nEND"
# what is null or missing in who acts leaves what the first argument says
_READY = """
DECLARE
    mops_who mops_acting := jsonb_populate_record(mops_acting '(,unattributed,"",database,"","","")',
        jsonb_strip_nulls(coalesce(nullif(current_setting('mops.ctx', true), ''), '{{}}')::jsonb));
    mops_at timestamptz := clock_timestamp();
BEGIN
    IF mops_who.actor = '' THEN
        mops_who.actor := 'unattributed';
    END IF;
    {statement};
    RETURN NULL;
END
"""
_THERE = """
    SELECT p.proname, t.tgrelid::regclass::text FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
    WHERE (p.proname LIKE 'pgtrigger\\_ledger\\_%' OR p.proname LIKE 'mops\\_ledger\\_%') AND NOT t.tgisinternal
"""

# a table that is dropped takes its triggers along, not the functions they ran
_LEFT_BEHIND = """
    SELECT p.oid::regprocedure FROM pg_proc p
    WHERE (p.proname LIKE 'pgtrigger\\_ledger\\_%%' OR p.proname LIKE 'mops\\_ledger\\_%%')
      AND p.prorettype = 'trigger'::regtype AND p.pronamespace = current_schema()::regnamespace
      AND NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgfoid = p.oid)
"""

_OF_EACH = """
    jsonb_to_recordset(%s::jsonb)
        AS each(function text, tablename text, operation text, history text, hidden text[], personal text[])
"""
_STATEMENTS = f"""
    SELECT function, mops_ready_sql(tablename::regclass, operation, history, hidden, personal) FROM {_OF_EACH}
"""
_NOTES = f"SELECT mops_note_columns(tablename::regclass, hidden, personal, %s::jsonb) FROM {_OF_EACH}"


@dataclass(frozen=True)
class Recorder:
    """One recording trigger that is in the database."""

    function: str
    table: str
    operation: str
    recorded: Recorded

    @property
    def arguments(self) -> tuple[Any, ...]:
        """What the functions of `sql/recording.sql` want to know of the table."""
        options = self.recorded
        return self.table, options.history, list(options.hidden), list(options.personal)


_foreign: dict[str, tuple[str, ...]] = {}


def record_table(table: str, *, secrets: tuple[str, ...] = ()) -> None:
    """Record the changes of a table that another package owns, in the ledger alone; called from `AppConfig.ready`.

    Args:
        table: the table's name in the database.
        secrets: columns of which only the fact of a change is told.
    """
    _foreign[table] = secrets


def recorded_tables() -> dict[str, Recorded]:
    """Return what is recorded without being a governed model: tables of other packages, and links between records."""
    throughs = (
        field.remote_field.through
        for model in apps.get_models()
        if issubclass(model, GovernedBase)
        for field in model._meta.local_many_to_many
    )
    links = {each._meta.db_table: () for each in throughs if each is not None and each._meta.auto_created}
    return {
        table: Recorded(history="", hidden=(*SILENT_COLUMNS, *SECRET_COLUMNS, *secrets), personal=())
        for table, secrets in sorted({**links, **_foreign}.items())
    }


def install_functions(connection: BaseDatabaseWrapper) -> None:
    """As the owner: bring the functions that recording stands on to this version. Safe to repeat."""
    with connection.cursor() as cursor:
        for config in apps.get_app_configs():
            if config.name.startswith("apps."):
                for file in sorted(Path(config.path, "sql").glob("*.sql")):
                    cursor.execute(file.read_text())


def loosen(connection: BaseDatabaseWrapper) -> None:
    """As the owner, before migrations: every recording trigger looks up its columns as it runs."""
    with transaction.atomic(connection.alias), connection.cursor() as cursor:
        _replace(cursor, {each.function: _STUB.format(stub=each.recorded.stub) for each in recorders(connection)})


def settle(connection: BaseDatabaseWrapper) -> None:
    """As the owner, after migrations: every recording trigger gets the statement for the columns there are."""
    with transaction.atomic(connection.alias), connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('audit_recordedcolumn') IS NOT NULL")
        if cursor.fetchone() != (True,):
            return  # migrated backwards, before there was a ledger of this kind
        context = json.dumps({**current_actor().as_context(), "reason": "Present when its recording began."})
        for table, recorded in recorded_tables().items():
            _watch(cursor, table, recorded, context)
        there = list(recorders(connection))
        cursor.execute(_STATEMENTS, (_rows(there),))
        ready = {name: _READY.format(statement=statement) for name, statement in cursor.fetchall()}
        _replace(cursor, ready)
        cursor.execute(_NOTES, (context, _rows([each for each in there if each.operation == "INSERT"])))
        cursor.execute(_LEFT_BEHIND)
        for (function,) in cursor.fetchall():
            cursor.execute(f"DROP FUNCTION {function}")


def recorders(connection: BaseDatabaseWrapper = default) -> Iterator[Recorder]:  # type: ignore[assignment]
    """Yield every recording trigger that is in the database, with its options as the code declares them."""
    with connection.cursor() as cursor:
        cursor.execute(_THERE)
        there = dict(cursor.fetchall())
    for model, trigger in pgtrigger.registry.registered():
        if isinstance(trigger, LedgerTrigger) and (name := trigger.get_pgid(model)) in there:
            yield Recorder(name, there[name], str(trigger.operation), trigger.recorded(model))  # type: ignore[arg-type]
    for table, recorded in recorded_tables().items():
        for operation in OPERATIONS:
            if (name := _name(table, operation)) in there:
                yield Recorder(name, table, operation, recorded)


def _watch(cursor: Any, table: str, recorded: Recorded, context: str) -> None:
    """Put recording triggers on a table of another package; the rows it has already become its first entries."""
    cursor.execute("SELECT to_regclass(%s) IS NULL OR to_regproc(%s) IS NOT NULL", (table, _name(table, "INSERT")))
    if cursor.fetchone() == (True,):
        return
    for operation, sides in OPERATIONS.items():
        name = _name(table, operation)
        cursor.execute(_FUNCTION.format(name=name, body=_STUB.format(stub=recorded.stub)))
        cursor.execute(
            f"CREATE OR REPLACE TRIGGER {name} AFTER {operation} ON {table} REFERENCING {sides} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {name}()"
        )
    cursor.execute(
        "SELECT mops_record_baseline(%s::regclass, '', %s::text[], '{}', %s::jsonb)",
        (table, list(recorded.hidden), context),
    )


def _name(table: str, operation: str) -> str:
    return f"mops_ledger_{operation.lower()}_{table}"[:63]


def _rows(there: list[Recorder]) -> str:
    """What the statements below want to know of these triggers: one question for all of them."""
    return json.dumps(
        [
            {"function": each.function, "tablename": each.table, "operation": each.operation}
            | dict(zip(("history", "hidden", "personal"), each.arguments[1:], strict=True))
            for each in there
        ]
    )


def _replace(cursor: Any, bodies: dict[str, str]) -> None:
    """Give functions these bodies, those that have another one."""
    cursor.execute("SELECT proname, prosrc FROM pg_proc WHERE proname = ANY(%s)", (list(bodies),))
    there = dict(cursor.fetchall())
    changed = {name: body for name, body in bodies.items() if there[name].strip() != body.strip()}
    if changed:
        cursor.execute(";\n".join(_FUNCTION.format(name=name, body=body) for name, body in changed.items()))
