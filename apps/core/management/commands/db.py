"""`manage.py db`: look at the database server, stop the private one, dump and restore."""

import fcntl
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import psycopg
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection as default_connection
from django.db import connections
from django.db.utils import DatabaseError

from mops.db import dumps
from mops.db.embedded.base import server_for
from mops.db.embedded.errors import EmbeddedPostgresError
from mops.db.embedded.server import Server
from mops.db.roles import owner_role, serving_role

if TYPE_CHECKING:
    from mops.db.postgresql.base import DatabaseWrapper

FACTS = """
    select current_setting('server_version'), pg_size_pretty(pg_database_size(current_database())),
           (select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()),
           (select count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace
             where n.nspname = 'public' and c.relkind in ('r', 'p'))
"""


class Command(BaseCommand):
    """Care for the database server."""

    help = "Shows or stops the database server, dumps the database, restores a dump."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """One sub-command each."""
        steps = parser.add_subparsers(dest="step", required=True, metavar="status|stop|dump|restore")
        steps.add_parser("status", help="Say where the database is and how it is.")
        steps.add_parser("stop", help="Stop the private server.")
        dump = steps.add_parser("dump", help="Write everything into a file.")
        dump.add_argument("file", type=Path)
        dump.add_argument("--force", action="store_true", help="Replace the file if there is one.")
        restore = steps.add_parser("restore", help="Replace everything by what a dump holds.")
        restore.add_argument("file", type=Path)
        restore.add_argument("--yes", action="store_true", help="Do not ask.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Every refusal is a sentence."""
        step: dict[str, Callable[..., None]]
        step = {"status": self._status, "stop": self._stop, "dump": self._dump, "restore": self._restore}
        try:
            step[options["step"]](**options)
        except (DatabaseError, psycopg.Error, EmbeddedPostgresError, dumps.DumpError) as error:
            raise CommandError(str(error).strip()) from error

    def _status(self, **options: Any) -> None:
        server = private_server()
        if server is None:
            settings = connections["default"].settings_dict
            self._say(f"Server    {settings['HOST'] or 'local socket'}:{settings['PORT'] or 5432} (DATABASE_URL)")
        else:
            self._say(f"Server    private, in {server.folder}")
            if not server.is_running():
                self._say("State     not running; the first command that needs it starts it.")
                return
        with default_connection.cursor() as cursor:
            cursor.execute(FACTS)
            version, size, sessions, tables = cursor.fetchone() or ("", "", 0, 0)
        self._say(f"State     running, PostgreSQL {version}")
        self._say(f"Database  {default_connection.settings_dict['NAME']}: {size} in {tables} tables")
        self._say(f"Roles     {serving_role()} serves, {owner_role()} owns and migrates")
        self._say(f"Sessions  {sessions}")

    def _stop(self, **options: Any) -> None:
        server = private_server()
        if server is None:
            raise CommandError("DATABASE_URL names a server that mops did not start; stop it where it runs.")
        connections.close_all()
        if not server.stop():
            self._say("The private server was not running.")
            return
        self._say("The private server has stopped.")
        if is_in_use(server):
            self._say("Other programs of mops still run, and the next one that needs the database starts it again.")

    def _dump(self, *, file: Path, force: bool, **options: Any) -> None:
        size = dumps.dump(dumps.target_of(wrapper()), file.absolute(), force=force)
        self._say(f"{file}: {size / 1_000_000:.1f} MB. It holds everybody's data; keep it as you keep the database.")

    def _restore(self, *, file: Path, yes: bool, **options: Any) -> None:
        target = dumps.target_of(wrapper(), for_restore=True)
        dumps.check(target, file.absolute())
        if not yes:
            with default_connection.cursor() as cursor:
                cursor.execute(FACTS)
                _, size, sessions, tables = cursor.fetchone() or ("", "", 0, 0)
            self._say(
                f"This replaces the database {target.name} ({size} in {tables} tables) by what {file} holds. Whatever "
                f"was changed since that dump is lost, and {sessions} open sessions are cut."
            )
            if input("Type 'yes' to go on: ").strip().lower() != "yes":
                raise CommandError("Nothing was changed.")
        connections.close_all()
        dumps.restore(target, file.absolute())
        self._say(f"{target.name} now holds what {file} held. If that is from an older mops: manage.py migrate.")

    def _say(self, text: str) -> None:
        self.stdout.write(text)


def wrapper() -> "DatabaseWrapper":
    """The connection `default`, as the engines of mops make it."""
    return cast("DatabaseWrapper", connections["default"])


def private_server() -> Server | None:
    """The server that mops runs itself, if it does."""
    settings = connections["default"].settings_dict
    return server_for(settings) if "FOLDER" in settings else None


def is_in_use(server: Server) -> bool:
    """Whether another process counts on the private server."""
    server.let_go()
    try:
        with (server.folder / "lease").open("a+") as lease:
            fcntl.flock(lease, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False
