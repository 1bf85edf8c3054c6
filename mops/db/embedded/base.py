"""The PostgreSQL engine whose server is started by the first connection that finds none."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from django.db.backends.postgresql.client import DatabaseClient as PostgresClient

from mops.db.postgresql import base

from .binaries import find_binaries
from .cluster import SERVING
from .errors import EmbeddedPostgresError
from .postmaster import Address
from .server import Server

_servers: dict[Path, Server] = {}


def server_for(settings_dict: dict[str, Any]) -> Server:
    """The server behind a database's settings, one object a folder and process."""
    folder = Path(settings_dict["FOLDER"])
    if folder not in _servers:
        _servers[folder] = Server(folder, durable=settings_dict.get("DURABLE", True))
    return _servers[folder]


class DatabaseClient(PostgresClient):
    """`manage.py dbshell`."""

    @classmethod
    def settings_to_cmd_args_env(
        cls, settings_dict: dict[str, Any], parameters: Iterable[str]
    ) -> tuple[list[str], dict[str, str] | None]:
        """Run psql of the same PostgreSQL, on the private server."""
        server = server_for(settings_dict)
        address, role = server.ensure(), settings_dict.get("ROLE", SERVING)
        where = {"HOST": address.host, "PORT": str(address.port), "USER": role, "PASSWORD": server.password(role)}
        arguments, environment = super().settings_to_cmd_args_env({**settings_dict, **where}, parameters)
        return [str(find_binaries() / "psql"), *arguments[1:]], environment


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection to the private server."""

    client_class = DatabaseClient

    def get_connection_params(self) -> dict[str, Any]:
        """Django's parameters, the role's password, and where the server was last seen."""
        with _as_database_error():
            return {**super().get_connection_params(), **self._where(server_for(self.settings_dict).known())}

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Connect; where that fails bring the server up and connect again."""
        if "host" in conn_params:
            try:
                return super().get_new_connection(conn_params)
            except psycopg.OperationalError:
                pass
        with _as_database_error():
            where = self._where(server_for(self.settings_dict).ensure())
        return super().get_new_connection({**conn_params, **where})

    def _where(self, address: Address | None) -> dict[str, Any]:
        if not address:
            return {}
        role = self.settings_dict.get("ROLE", SERVING)
        password = server_for(self.settings_dict).password(role)
        return {"host": address.host, "port": address.port, "user": role, "password": password}


@contextmanager
def _as_database_error() -> Iterator[None]:
    """Whoever asks the database for something expects one kind of exception when it cannot answer."""
    try:
        yield
    except EmbeddedPostgresError as error:
        raise psycopg.OperationalError(str(error)) from error
