"""Test databases are made and migrated by the owner; tests connect as the role that serves."""

import time
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import DatabaseError, connections
from django.db.backends.postgresql.creation import DatabaseCreation as PostgresCreation
from psycopg import sql

from mops.db.roles import OWNER_ALIAS, serving_role

if TYPE_CHECKING:
    from .base import DatabaseWrapper

CLOSE_THE_DOOR = "alter database {} connection limit 0"  # the owner of a database may, from within it
MAY_ANALYZE = "grant maintain on all tables in schema public to {}"
LEFT_BEHIND = """
    select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and usename = current_user and pid <> all(%s)
"""
WHO_STAYS = """
    select format('%%s as %%s, %%s since %%s', coalesce(nullif(application_name, ''), 'a session'), usename,
                  coalesce(state, backend_type), state_change)
    from pg_stat_activity
    where datname = current_database() and backend_type = 'client backend' and pid <> all(%s)
"""
PATIENCE_SECONDS = 20


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
        self._let_serving_analyze()
        return name

    def _let_serving_analyze(self) -> None:
        """Let the serving role bring statistics up to date, which only owners may and servers before 17 cannot grant.

        Proofs of plans and benchmarks fill tables within moments; where nobody may say ANALYZE, PostgreSQL plans for
        the empty tables of before and only warns.
        """
        with self.connection.owner_session() as owner:
            if owner.info.server_version >= 170_000:
                owner.execute(sql.SQL(MAY_ANALYZE).format(sql.Identifier(serving_role())))
                owner.commit()

    def destroy_test_db(
        self, old_database_name: str | None = None, verbosity: int = 1, keepdb: bool = False, suffix: str | None = None
    ) -> None:
        """See everybody out (threads of a live server, a job's second session), then drop as the owner."""
        if not keepdb and suffix is None:
            self._see_everybody_out()
        with self.connection.as_owner():
            super().destroy_test_db(old_database_name, verbosity, keepdb, suffix)
        if old_database_name is not None:
            self._everywhere(NAME=old_database_name)

    def _see_everybody_out(self) -> None:
        """Let nobody in any more, end the sessions of both roles and wait until they are gone.

        Ending a session only asks it to go, and a thread whose session was ended opens the next one: both are why a
        database could still be in use when it was to be dropped.
        """
        with self.connection.cursor() as serving, self.connection.owner_session() as owner:
            owner.autocommit = True
            owner.execute(sql.SQL(CLOSE_THE_DOOR).format(sql.Identifier(self.connection.settings_dict["NAME"])))
            serving.execute("select pg_backend_pid()")
            ours = [serving.fetchone()[0], owner.info.backend_pid]
            deadline = time.monotonic() + PATIENCE_SECONDS
            while True:
                serving.execute(LEFT_BEHIND, [ours])
                owner.execute(LEFT_BEHIND, [ours])
                stay = [who for (who,) in owner.execute(WHO_STAYS, [ours])]
                if not stay:
                    return
                if time.monotonic() > deadline:
                    raise DatabaseError(f"The test database is still in use by: {'; '.join(stay)}.")
                time.sleep(0.05)

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
