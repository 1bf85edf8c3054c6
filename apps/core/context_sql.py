"""Carries the acting person into PostgreSQL: every write statement is preceded by its `mops.ctx`.

What `apps.core.transitions` opened travels the same way, as `mops.transition`.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from apps.core.actors import current_actor
from apps.core.transitions import open_tables

# utility statements: unlike SELECT set_config(…) they are neither planned nor answered with rows (4 against 44 µs)
_STAMP = "SET LOCAL mops.ctx = %s; SET LOCAL mops.transition = %s"
_STAMPED_RESULTS = 2  # what comes before the result of the statement itself
_WRITES = re.compile(r"^\s*(insert|update|delete|merge|with|truncate)\b", re.IGNORECASE)


def install() -> None:
    """Wrap every connection, those already open included."""
    connection_created.connect(_on_connection, dispatch_uid="mops.context_sql")
    for connection in connections.all(initialized_only=True):
        _wrap(connection)


def stamp_transaction(connection: BaseDatabaseWrapper) -> None:
    """Set the context for the rest of the transaction: for COPY and other ways around Django's cursor."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('mops.ctx', %s, true), set_config('mops.transition', %s, true)", _context())


def _context() -> tuple[str, str]:
    return current_actor().context_text, open_tables()


def _on_connection(connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    _wrap(connection)


def _wrap(connection: BaseDatabaseWrapper) -> None:
    if connection.vendor == "postgresql" and _carry_context not in connection.execute_wrappers:
        connection.execute_wrappers.append(_carry_context)


def _carry_context(execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
    """Prepend the context to writes, in the same round trip.

    The setting is local to the transaction, so it can never leak into another one; in autocommit both statements
    travel as one simple query, which PostgreSQL runs as one transaction.
    """
    text = sql if isinstance(sql, str) else ""
    if not _WRITES.match(text):
        return execute(sql, params, many, context)
    if many:
        with transaction.atomic(using=context["connection"].alias):  # a stamp holds for one transaction
            stamp_transaction(context["connection"])
            return execute(sql, params, many, context)
    if isinstance(params, Mapping):
        named = dict(zip(("mops_ctx", "mops_transition"), _context(), strict=True))
        stamped = f"{_STAMP % tuple(f'%({name})s' for name in named)}; {text}"
        result = execute(stamped, {**params, **named}, many, context)
    else:
        stamped = f"{_STAMP}; " + (text if params is not None else text.replace("%", "%%"))
        result = execute(stamped, (*_context(), *(params or ())), many, context)
    for _ in range(_STAMPED_RESULTS):
        context["cursor"].cursor.nextset()
    return result
