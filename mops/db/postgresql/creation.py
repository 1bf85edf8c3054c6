"""Test databases are made and migrated by the owner; tests connect as the role that serves."""

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import connections
from django.db.backends.postgresql.creation import DatabaseCreation as PostgresCreation

from mops.db.roles import OWNER_ALIAS

if TYPE_CHECKING:
    from .base import DatabaseWrapper

LEFT_BEHIND = """
    select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and usename = current_user and pid <> pg_backend_pid()
"""


class DatabaseCreation(PostgresCreation):
    """Every step that Django takes as "the" user, taken as the owner."""

    connection: "DatabaseWrapper"

    def create_test_db(self, *args: Any, **kwargs: Any) -> str:
        """Create and migrate as the owner, then point both aliases at the new database."""
        with self.connection.as_owner():
            name: str = super().create_test_db(*args, **kwargs)
        # a connection that outlives its request (live server threads) would keep the database from being dropped
        self._everywhere(NAME=name, CONN_MAX_AGE=0)
        self.connection.ensure_connection()
        return name

    def destroy_test_db(self, old_database_name: str | None = None, *args: Any, **kwargs: Any) -> None:
        """End what tests left connected (threads of a live server, a job's second session), then drop as the owner."""
        with self.connection.cursor() as cursor:
            cursor.execute(LEFT_BEHIND)
        with self.connection.as_owner():
            super().destroy_test_db(old_database_name, *args, **kwargs)
        if old_database_name is not None:
            self._everywhere(NAME=old_database_name)

    def _clone_test_db(self, suffix: str, verbosity: int, keepdb: bool = False) -> None:
        with self.connection.as_owner():
            super()._clone_test_db(suffix, verbosity, keepdb)  # type: ignore[misc]  # unknown to the stubs

    def setup_worker_connection(self, _worker_id: int) -> None:
        """Point both aliases at the clone of a parallel test process."""
        super().setup_worker_connection(_worker_id)
        self._everywhere(NAME=self.connection.settings_dict["NAME"])

    def _everywhere(self, **changed: Any) -> None:
        self.connection.settings_dict.update(changed)
        for alias in (self.connection.alias, OWNER_ALIAS):
            if alias in connections:
                connections[alias].close()
                connections[alias].settings_dict.update(changed)
                settings.DATABASES[alias].update(changed)
