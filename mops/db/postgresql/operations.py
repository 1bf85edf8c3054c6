"""Emptying the tables after a test that committed: only the owner may."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

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
BACK_TO = {"O": "enable trigger", "A": "enable always trigger", "R": "enable replica trigger"}


class DatabaseOperations(PostgresOperations):
    """TRUNCATE is no right of the serving role, and append-only tables refuse it even to the owner."""

    connection: "DatabaseWrapper"

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
