"""Dumps of the whole database, and their restore into a fresh one that takes the old one's name at the very end."""

import os
import re
import secrets
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import pq, sql

from mops.db.embedded.binaries import candidates, major_version
from mops.db.embedded.errors import EmbeddedPostgresError
from mops.db.roles import owner_role, serving_role

if TYPE_CHECKING:
    from mops.db.postgresql.base import DatabaseWrapper

GRANTED = re.compile(r'^(?:GRANT .* TO|ALTER DEFAULT PRIVILEGES FOR ROLE) "?([^\s";]+)"?', re.MULTILINE)
FIRST_WITH_TRANSACTION_TIMEOUT = 17  # pg_restore from 17 on sets it, and older servers do not know it
SWAP_SECONDS = 30.0


class DumpError(RuntimeError):
    """A dump or a restore that cannot be; the text says why, and that nothing was lost."""


@dataclass(frozen=True)
class Target:
    """A database as its owner reaches it, and the programs that suit its server."""

    parameters: dict[str, Any]
    tools: Path

    @property
    def name(self) -> str:
        """The name of the database."""
        return str(self.parameters["dbname"])

    def run(self, program: str, *arguments: str, database: str | None = None) -> str:
        """Run one of PostgreSQL's programs; its output.

        Raises:
            DumpError: with what it said.
        """
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        environment["LC_ALL"] = "C"
        where: list[str] = []
        if database:
            known = {item.keyword.decode() for item in pq.Conninfo.get_defaults()} - {"password"}
            facts = {key: value for key, value in self.parameters.items() if key in known}
            where = ["--no-password", f"--dbname={psycopg.conninfo.make_conninfo(**facts | {'dbname': database})}"]
            environment["PGPASSWORD"] = str(self.parameters.get("password", ""))
        command = [str(self.tools / program), *where, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", env=environment)
        if done.returncode:
            raise DumpError(f"{program} failed: {done.stderr.strip()[-1500:]}")
        return done.stdout

    @contextmanager
    def session(self, database: str) -> Iterator["psycopg.Connection[Any]"]:
        """A plain autocommit session in a database of that server."""
        known = {item.keyword.decode() for item in pq.Conninfo.get_defaults()}
        facts = {key: value for key, value in self.parameters.items() if key in known}
        with psycopg.connect(**facts | {"dbname": database}, autocommit=True) as session:
            yield session


def target_of(connection: "DatabaseWrapper", *, for_restore: bool = False) -> Target:
    """The database of a connection; starts the private server if that is what it takes."""
    connection.ensure_connection()
    major = connection.get_database_version()[0]
    parameters = connection.owner_parameters()
    return Target(parameters, _tools(int(major), for_restore=for_restore))


def dump(target: Target, file: Path, *, force: bool = False) -> int:
    """Write a dump that is whole or not there at all; its size in bytes. Readable by its owner only."""
    if file.exists() and not force:
        raise DumpError(f"{file} is there already; choose another name, or say --force to replace it.")
    if not file.parent.is_dir():
        raise DumpError(f"There is no folder {file.parent}; make it, or choose another one.")
    part = file.with_name(f"{file.name}.part")
    try:
        part.unlink(missing_ok=True)
        part.touch(0o600)
        target.run("pg_dump", "--format=custom", f"--file={part}", database=target.name)
        contents(target, part)
        part.replace(file)
    except OSError as error:
        raise DumpError(f"{file} cannot be written: {error.strerror}. Choose a folder where it can.") from error
    finally:
        part.unlink(missing_ok=True)
    return file.stat().st_size


def contents(target: Target, file: Path) -> str:
    """The table of contents of a dump.

    Raises:
        DumpError: when the file is none, in words.
    """
    try:
        with file.open("rb") as handle:
            is_custom = handle.read(5) == b"PGDMP"
    except OSError as error:
        raise DumpError(f"{file} cannot be read: {error.strerror}. Check the name and the rights.") from error
    if not is_custom:
        raise DumpError(f"{file} is no dump of mops; restore takes a file that `manage.py db dump` has written.")
    try:
        return target.run("pg_restore", "--list", str(file))
    except DumpError as error:
        raise DumpError(f"{file} is a damaged or foreign dump, nothing was changed. {error}") from error


def check(target: Target, file: Path) -> None:
    """Refuse what cannot be restored, before anything is done."""
    if " TABLE public django_migrations " not in contents(target, file):
        raise DumpError(f"{file} is a dump, but not of mops: it has no table django_migrations.")
    schema = target.run("pg_restore", "--schema-only", "--file=-", str(file))
    wanted = set(GRANTED.findall(schema)) - {"PUBLIC"}
    with target.session(target.name) as session:
        known = {row[0] for row in session.execute("select rolname from pg_roles")}
    if missing := sorted(wanted - known):
        raise DumpError(
            f"The dump grants rights to {', '.join(missing)}, and this server has no such role. Create it there "
            f"(CREATE ROLE {missing[0]}), then run this again."
        )


def restore(target: Target, file: Path) -> None:
    """Restore into a fresh database, then let it take the name. What goes wrong before that loses nothing."""
    check(target, file)
    fresh = f"{target.name}_restore_{secrets.token_hex(4)}"
    with target.session("postgres") as session:
        try:
            session.execute(sql.SQL("create database {} template template0").format(sql.Identifier(fresh)))
        except psycopg.errors.InsufficientPrivilege as error:
            raise DumpError(
                f"A restore makes a database, which {owner_role()} may not: ALTER ROLE … CREATEDB."
            ) from error
        try:
            _close_to_others(session, fresh)
            target.run("pg_restore", "--no-owner", "--exit-on-error", str(file), database=fresh)
            with target.session(fresh) as inside:
                inside.execute("analyze")  # a dump holds no statistics, and without them every plan is a guess
            _swap(session, target.name, fresh)
        except BaseException:
            session.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(fresh)))
            raise


def _close_to_others(session: "psycopg.Connection[Any]", database: str) -> None:
    name, serving = sql.Identifier(database), sql.Identifier(serving_role())
    session.execute(sql.SQL("revoke all on database {} from public").format(name))
    session.execute(sql.SQL("grant connect, temporary on database {} to {}").format(name, serving))


def _swap(session: "psycopg.Connection[Any]", name: str, fresh: str) -> None:
    """Both renames in one transaction: at every moment there is one database of that name."""
    old = f"{name}_replaced_{secrets.token_hex(4)}"
    rename = sql.SQL("alter database {} rename to {}")
    deadline = time.monotonic() + SWAP_SECONDS
    while True:
        _end_sessions(session, name)
        try:
            with session.transaction():
                session.execute(rename.format(sql.Identifier(name), sql.Identifier(old)))
                session.execute(rename.format(sql.Identifier(fresh), sql.Identifier(name)))
            break
        except psycopg.errors.ObjectInUse as error:
            if time.monotonic() > deadline:
                raise DumpError(
                    "Other programs keep connecting to the database, so it could not be replaced, and nothing was. "
                    "Stop web servers and workers (Ctrl-C in `manage.py up`), then run this again."
                ) from error
    session.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(old)))


def _end_sessions(session: "psycopg.Connection[Any]", database: str) -> None:
    try:
        session.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", [database])
    except psycopg.errors.InsufficientPrivilege as error:
        raise DumpError(
            f"Others are connected to {database}, and {owner_role()} may not end their sessions. Stop web servers and "
            f"workers, or GRANT {serving_role()} TO {owner_role()}; nothing was changed."
        ) from error


def _tools(server: int, *, for_restore: bool) -> Path:
    """Programs of the server's own major version, else newer ones, which read and write older servers."""
    on_path = shutil.which("pg_dump")
    found: dict[int, Path] = {}
    for folder in [*candidates(), *([Path(on_path).parent] if on_path else [])]:
        if (folder / "pg_dump").exists() and (folder / "pg_restore").exists():
            try:
                found.setdefault(major_version(folder, "pg_dump"), folder)
            except EmbeddedPostgresError:  # it does not run here; another one may
                continue
    floor = FIRST_WITH_TRANSACTION_TIMEOUT
    usable = [
        major
        for major in sorted(found)
        if major == server or (major > server and not (for_restore and server < floor <= major))
    ]
    if not usable:
        raise DumpError(
            f"The server is PostgreSQL {server}, and this machine has no pg_dump and pg_restore for it. Install them "
            f"(Debian, Ubuntu: apt install postgresql-client-{server}), or set MOPS_PG_BIN to their folder."
        )
    return found[usable[0]]
