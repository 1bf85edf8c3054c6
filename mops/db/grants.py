"""What the serving role may do: use every table that the owner makes, and own, create or empty none.

Rights on new tables come from default privileges, that is at the moment a migration makes the table. So a migration
that takes some away again (from an append-only table) has the last word, and nothing here undoes it.
"""

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

from mops.db.roles import owner_role, serving_role

NEW_OBJECTS = {
    "tables": "select, insert, update, delete",
    "sequences": "usage, select, update",  # update: imports and fixtures that bring their own ids move sequences on
    "functions": "execute",
}
# Tables on which nobody was ever granted or refused anything: made before the default privileges were in place.
UNTOUCHED = """
    select c.relname, c.relkind from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = 'public' and c.relkind in ('r', 'p', 'v', 'm', 'S') and c.relacl is null
      and pg_has_role(current_user, c.relowner, 'USAGE')
"""

# Written by the ledger's triggers alone: they run as the owner, the serving role may only read.
EVIDENCE = """
    select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = 'public' and c.relkind in ('r', 'p')
      and (c.relname ~ '^audit_auditevent' or c.relname ~ '^[a-z_]+_historical[a-z]+$'
           or c.relname in ('audit_ledgermonth', 'audit_personalvalue', 'audit_erasedsubject', 'audit_recordedcolumn'))
"""
RECORDERS = """
    select p.oid::regprocedure::text from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where n.nspname = 'public' and p.proname like 'pgtrigger\\_ledger\\_%' and not p.prosecdef
"""


def grant_what_comes(connection: BaseDatabaseWrapper) -> None:
    """As the owner: let the serving role use what will be made, and make nothing itself. Safe to repeat."""
    owner, serving = owner_role(), serving_role()
    if owner == serving:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "select pg_has_role(current_user, d.datdba, 'USAGE') from pg_database d where datname = current_database()"
        )
        if cursor.fetchone() == (True,):
            name = str(connection.settings_dict["NAME"])
            cursor.execute(_sql("grant connect, temporary on database {} to {}", name, serving))
            cursor.execute("revoke create on schema public from public")
            cursor.execute(_sql("revoke create on schema public from {}", serving))
        cursor.execute(_sql("grant usage on schema public to {}", serving))
        for kind, rights in NEW_OBJECTS.items():
            statement = f"alter default privileges in schema public grant {rights} on {kind} to {{}}"
            cursor.execute(_sql(statement, serving))


def settle_what_is(connection: BaseDatabaseWrapper) -> None:
    """As the owner, after migrating: rights on tables older than the roles; the record of migrations is read-only."""
    owner, serving = owner_role(), serving_role()
    if owner == serving:
        return
    with connection.cursor() as cursor:
        cursor.execute(UNTOUCHED)
        for name, kind in cursor.fetchall():
            what, rights = ("sequence", NEW_OBJECTS["sequences"]) if kind == "S" else ("table", NEW_OBJECTS["tables"])
            cursor.execute(_sql(f"grant {rights} on {what} {{}} to {{}}", name, serving))
        cursor.execute("select to_regclass('public.django_migrations') is not null")
        if cursor.fetchone() == (True,):
            cursor.execute(_sql("revoke insert, update, delete on django_migrations from {}", serving))
        _protect_evidence(cursor, serving)


def _protect_evidence(cursor: Any, serving: str) -> None:
    """Let the recording triggers run as the owner, so that the serving role can forge neither ledger nor history."""
    cursor.execute(RECORDERS)
    statements = [
        f"alter function {function} security definer set search_path = public, pg_temp"
        for (function,) in cursor.fetchall()
    ]
    cursor.execute(EVIDENCE)
    if tables := [sql.Identifier(table) for (table,) in cursor.fetchall()]:
        revoke = sql.SQL("revoke insert, update, delete, truncate on {} from {}")
        statements.append(revoke.format(sql.SQL(", ").join(tables), sql.Identifier(serving)).as_string(cursor.cursor))
    if statements:
        cursor.execute(";\n".join(statements))  # one question: there are hundreds of tables


def _sql(statement: str, *names: str) -> sql.Composed:
    return sql.SQL(statement).format(*map(sql.Identifier, names))
