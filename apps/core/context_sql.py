"""Carries the acting person into PostgreSQL: every write statement is preceded by its `mops.ctx`.

What `apps.core.transitions` opened travels the same way, as `mops.transition`.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from psycopg.pq import TransactionStatus

from apps.core.actors import current_actor
from apps.core.transitions import open_tables

# utility statements: unlike SELECT set_config(…) they are neither planned nor answered with rows (4 against 44 µs)
_ACTOR = "SET LOCAL mops.ctx = {}; "
_OPENED = "SET LOCAL mops.transition = {}; "
_ALONE, _BOTH = _ACTOR.format("%s"), (_ACTOR + _OPENED).format("%s", "%s")
_MAY_BE_OPEN = "mops_transition_may_be_open"
_WRITES = re.compile(r"^\s*(insert|update|delete|merge|with|truncate)\b", re.IGNORECASE)


def install() -> None:
    """Wrap every connection, those already open included."""
    connection_created.connect(_on_connection, dispatch_uid="mops.context_sql")
    for connection in connections.all(initialized_only=True):
        _wrap(connection)


def stamp_transaction(connection: BaseDatabaseWrapper) -> None:
    """Set the context for the rest of the transaction: for COPY and other ways around Django's cursor."""
    opened = open_tables()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('mops.ctx', %s, true), set_config('mops.transition', %s, true)",
            (current_actor().context_text, opened),
        )
    setattr(connection, _MAY_BE_OPEN, True)


def _stamps(connection: BaseDatabaseWrapper) -> dict[str, str]:
    """What has to be set before a write: who acts; and what is open, where that may differ from nothing."""
    stamps, opened = {_ACTOR: current_actor().context_text}, open_tables()
    may_be_open = getattr(connection, _MAY_BE_OPEN, True)
    if may_be_open and connection.connection.pgconn.transaction_status == TransactionStatus.IDLE:
        may_be_open = False  # what a transaction had set went with it
        setattr(connection, _MAY_BE_OPEN, False)
    if opened or may_be_open:
        setattr(connection, _MAY_BE_OPEN, True)
        stamps[_OPENED] = opened
    return stamps


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
    stamps = _stamps(context["connection"])
    if isinstance(params, Mapping):
        named = {f"mops_stamp_{number}": value for number, value in enumerate(stamps.values())}
        before = "".join(stamp.format(f"%({name})s") for stamp, name in zip(stamps, named, strict=True))
        result = execute(before + text, {**params, **named}, many, context)
    else:
        before = _BOTH if _OPENED in stamps else _ALONE
        text = text if params is not None else text.replace("%", "%%")
        result = execute(before + text, (*stamps.values(), *(params or ())), many, context)
    for _ in stamps:  # each has a result before that of the statement itself
        context["cursor"].cursor.nextset()
    return result
