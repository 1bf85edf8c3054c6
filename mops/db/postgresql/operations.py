"""Emptying the tables after a test that committed: only the owner may."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from django.db.backends.postgresql.operations import DatabaseOperations as PostgresOperations
from django.db.transaction import TransactionManagementError
from psycopg import sql

if TYPE_CHECKING:
    from .base import DatabaseWrapper

TRUNCATE_TRIGGERS = """
    select n.nspname, c.relname, t.tgname, t.tgenabled
    from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace
    where not t.tgisinternal and t.tgtype & 32 = 32 and t.tgenabled <> 'D'
"""
# follow from the code: whoever empties the tables has them written again, row by row, straight afterwards
KEPT = ("django_content_type", "auth_permission")
DELETE_ALL = """
do $$
declare
    every text[] := {};
    filled text[] := array[]::text[];
    verb text;
    one text;
    has boolean;
    sleep text[];
    wake text[];
begin
    foreach one in array every loop
        execute format('select exists (select from %I)', one) into has;
        if has then
            filled := filled || one;
        end if;
    end loop;
    select array_agg(format('alter table %I disable trigger %I', c.relname, t.tgname)),
        array_agg(format('alter table %I enable %s trigger %I', c.relname,
            case t.tgenabled when 'A' then 'always' when 'R' then 'replica' else '' end, t.tgname))
        into sleep, wake
        from pg_trigger t join pg_class c on c.oid = t.tgrelid
        where c.relname = any (filled) and c.relnamespace = current_schema()::regnamespace
            and not t.tgisinternal and t.tgparentid = 0 and t.tgtype & 8 = 8 and t.tgenabled <> 'D';
    foreach verb in array coalesce(sleep, array[]::text[]) loop
        execute verb;
    end loop;
    set constraints all deferred;
    foreach one in array filled loop
        execute format('delete from %I', one);
    end loop;
    set constraints all immediate;
    foreach verb in array coalesce(wake, array[]::text[]) loop
        execute verb;
    end loop;
end
$$
"""
BACK_TO = {"O": "enable trigger", "A": "enable always trigger", "R": "enable replica trigger"}


class DatabaseOperations(PostgresOperations):
    """TRUNCATE is no right of the serving role, and append-only tables refuse it even to the owner."""

    connection: "DatabaseWrapper"

    def sql_flush(
        self, style: Any, tables: Sequence[str], *, reset_sequences: bool = False, allow_cascade: bool = False
    ) -> list[str]:
        """Return what empties `tables`.

        After a test only those that hold rows, by DELETE: TRUNCATE makes new files for each of several hundred
        tables and for each of their indexes, most of which were empty.
        """
        if reset_sequences or allow_cascade:
            return super().sql_flush(style, tables, reset_sequences=reset_sequences, allow_cascade=allow_cascade)
        names = sql.Literal([name for name in tables if name not in KEPT])
        return [sql.SQL(DELETE_ALL).format(names).as_string(None)]

    def execute_sql_flush(self, sql_list: Iterable[str]) -> None:
        """Run a flush as the owner, with the triggers that refuse TRUNCATE asleep for that one transaction."""
        if self.connection.in_atomic_block:
            raise TransactionManagementError("A flush runs as another role, so it cannot be part of a transaction.")
        with self.connection.owner_session() as session, session.transaction(), session.cursor() as cursor:
            cursor.execute(TRUNCATE_TRIGGERS)
            asleep = cursor.fetchall()
            for schema, table, trigger, _ in asleep:
                cursor.execute(_alter(schema, table, "disable trigger", trigger))
            for statement in sql_list:
                cursor.execute(statement)
            for schema, table, trigger, was in asleep:
                cursor.execute(_alter(schema, table, BACK_TO[was], trigger))


def _alter(schema: str, table: str, verb: str, trigger: str) -> sql.Composed:
    return sql.SQL("alter table {} {} {}").format(sql.Identifier(schema, table), sql.SQL(verb), sql.Identifier(trigger))
