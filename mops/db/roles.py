"""The two roles: the owner makes and owns every table, the serving role only uses them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper

OWNER_ALIAS = "owner"


def serving_role() -> str:
    """The name of the role that serves, for the GRANTs and REVOKEs of migrations. Asks no server."""
    return _role(DEFAULT_DB_ALIAS)


def owner_role() -> str:
    """The name of the role that owns the tables. The serving role's own name where no other is set up."""
    return _role(OWNER_ALIAS if OWNER_ALIAS in connections else DEFAULT_DB_ALIAS)


def _role(alias: str) -> str:
    settings = connections.settings[alias]  # not the connection's own: that one may be acting as the owner
    role = settings.get("ROLE") or settings.get("USER")
    if not role:
        raise ImproperlyConfigured(
            "DATABASE_URL names no user, so nobody can be given rights: write it as postgres://user:password@host/name."
        )
    return str(role)


def take_from_serving(schema_editor: Any, rights: str, *tables: str) -> None:
    """REVOKE `rights` on `tables` from the serving role, in a migration that makes rows evidence.

    Does nothing where one role does everything: an owner that revokes from itself could not even migrate any more.
    """
    if owner_role() != serving_role():
        for table in tables:
            schema_editor.execute(f"REVOKE {rights} ON {table} FROM {schema_editor.quote_name(serving_role())}")


def give_to_serving(schema_editor: Any, rights: str, *tables: str) -> None:
    """GRANT `rights` on `tables` to the serving role: the way back of `take_from_serving`."""
    if owner_role() != serving_role():
        for table in tables:
            schema_editor.execute(f"GRANT {rights} ON {table} TO {schema_editor.quote_name(serving_role())}")


@contextmanager
def as_owner(alias: str = DEFAULT_DB_ALIAS) -> Iterator[BaseDatabaseWrapper]:
    """Within the block the connection `alias` is the owner's, for migrations and for tests of them.

    The alias stays the same, so that code which names none (data migrations, handlers of post_migrate) is included.
    """
    connection = connections[alias]
    with connection.as_owner():  # type: ignore[attr-defined]  # both engines of mops have it
        yield connection
