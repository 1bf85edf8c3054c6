"""Django's PostgreSQL engine, plus the means to act as the role that owns the tables."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connections
from django.db.backends.postgresql import base
from django.db.backends.postgresql.features import DatabaseFeatures as PostgresFeatures
from django.db.transaction import TransactionManagementError
from django.db.utils import NotSupportedError

from mops.db import checks
from mops.db.roles import OWNER_ALIAS

from .creation import DatabaseCreation
from .operations import DatabaseOperations

WHO = ("USER", "PASSWORD", "HOST", "PORT", "OPTIONS", "ROLE")  # what the two roles' settings differ in
FLOOR = 15
checks.register_all()


class DatabaseFeatures(PostgresFeatures):
    """PostgreSQL 15 is the floor: from there on, `public` is closed to roles that do not own the database."""

    minimum_database_version = (FLOOR,)


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection that knows its owner."""

    features_class = DatabaseFeatures
    creation_class = DatabaseCreation
    ops_class = DatabaseOperations
    _is_owner = False

    def check_database_version_supported(self) -> None:
        """Refuse a server that is too old, in words."""
        try:
            super().check_database_version_supported()
        except NotSupportedError as error:
            found = ".".join(map(str, self.get_database_version()))
            raise NotSupportedError(
                f"mops needs PostgreSQL {FLOOR} or newer, and the server in DATABASE_URL is {found}. Upgrade it "
                "(pg_upgrade), or unset DATABASE_URL to use the PostgreSQL that mops brings along."
            ) from error

    @contextmanager
    def as_owner(self) -> Iterator[None]:
        """Act as the owner of the tables within the block. Does nothing where there is one role only."""
        if self._is_owner or self.alias == OWNER_ALIAS or OWNER_ALIAS not in connections:
            yield
            return
        if self.in_atomic_block:
            raise TransactionManagementError("Nobody can become the owner of the tables within a transaction.")
        serving = self.settings_dict
        self.close()
        self.settings_dict, self._is_owner = self.owner_settings(), True
        try:
            yield
        finally:
            self.close()
            self.settings_dict, self._is_owner = serving, False

    def owner_settings(self) -> dict[str, Any]:
        """The settings of this connection with the owner's credentials."""
        owner = connections.settings[OWNER_ALIAS]
        return {**self.settings_dict, **{key: owner[key] for key in WHO if key in owner}}

    @contextmanager
    def owner_session(self) -> Iterator["psycopg.Connection[Any]"]:
        """A second, plain session in the same database as the owner; no alias, so no test has to ask for it."""
        twin = self._twin()
        with self.wrap_database_errors:
            session = twin.get_new_connection(twin.get_connection_params())
            try:
                yield session
            finally:
                session.close()

    def owner_parameters(self) -> dict[str, Any]:
        """What a client needs to reach this database as the owner."""
        return self._twin().get_connection_params()

    def _twin(self) -> "DatabaseWrapper":
        settings = self.owner_settings() if OWNER_ALIAS in connections else self.settings_dict
        return self.__class__(settings, alias=self.alias)
