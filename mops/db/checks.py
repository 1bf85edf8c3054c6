"""System checks: the role that serves must not be the role that owns."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.apps.config import AppConfig
from django.core import checks
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.utils import OperationalError

from mops.db import roles

OWNED = """
    select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = 'public' and c.relkind in ('r', 'p') and pg_has_role(current_user, c.relowner, 'USAGE')
    order by 1
"""
WAY_OUT = (
    "Make two roles, one that owns the database and one that serves; put the serving one into DATABASE_URL and the "
    "owner into MIGRATE_DATABASE_URL; hand tables that exist over with REASSIGN OWNED BY … TO …"
)


def register_all() -> None:
    """Called when an engine of mops is loaded; Django keeps each check once."""
    checks.register(serving_role_is_another, checks.Tags.security, deploy=True)
    checks.register(serving_role_owns_nothing, checks.Tags.database, deploy=True)


def serving_role_is_another(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> Iterable[checks.CheckMessage]:
    """By the settings alone: who serves may not be who migrates."""
    if roles.serving_role() != roles.owner_role():
        return []
    return [
        checks.Warning(
            "mops serves as the role that owns its tables, so a fault in mops could switch off what keeps the "
            "ledger append-only.",
            hint=WAY_OUT,
            id="mops.W001",
        )
    ]


def serving_role_owns_nothing(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **kwargs: Any
) -> Iterable[checks.CheckMessage]:
    """By the database itself; only with `check --database default`."""
    if DEFAULT_DB_ALIAS not in (databases or []):
        return []
    try:
        with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
            cursor.execute(OWNED)
            owned = [str(row[0]) for row in cursor.fetchall()]
    except OperationalError:
        return []  # no server: that is told elsewhere
    if not owned:
        return []
    shown = ", ".join(owned[:3]) + (f" and {len(owned) - 3} more" if len(owned) > 3 else "")
    text = f"The serving role {roles.serving_role()} owns tables: {shown}."
    return [checks.Warning(text, hint=WAY_OUT, id="mops.W002")]
