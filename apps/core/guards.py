"""Triggers that refuse hold for every session: pgtrigger's way to leave them out is closed.

pgtrigger lets a session name triggers in `pgtrigger.ignore` that then do nothing. Whoever can write SQL as the serving
role could so change what only an operation may. Closing that costs less than leaving it open, too: as it comes, the
function raises and catches an error in every call of a session that has not set the name.
"""

from django.db.backends.base.base import BaseDatabaseWrapper

# a migration that makes a trigger brings pgtrigger's own back
_NEVER = """
    CREATE OR REPLACE FUNCTION public._pgtrigger_should_ignore(trigger_name name) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT false'
"""


def hold_for_everybody(connection: BaseDatabaseWrapper) -> None:
    """As the owner, after migrations: no session leaves a trigger out by naming it. Safe to repeat."""
    with connection.cursor() as cursor:
        cursor.execute(_NEVER)
