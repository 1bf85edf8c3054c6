"""Making the private server's data folder, its two roles and its database."""

import os
import secrets
import shutil
import subprocess
import tempfile
from pathlib import Path

import psycopg
from psycopg import sql

from .account import Place
from .binaries import major_version
from .errors import EmbeddedPostgresError, in_words
from .files import make_folder, read_or_none, write_private
from .postmaster import Address

SUPERUSER = "postgres"
OWNER = "mops_owner"
SERVING = "mops"
DATABASE = "mops"
LAYOUT = "1"  # raised when make_roles() learns something that clusters already made must get, too
FIRST_WITH_BUILTIN_LOCALE = 17
ENVIRONMENT = {"LC_ALL": "C", "PATH": "/usr/bin:/bin"}  # and no PG… variable of whoever starts us


def password_of(folder: Path, role: str) -> str:
    """The password of a role."""
    if found := read_or_none(folder / "secrets" / role):
        return found
    raise EmbeddedPostgresError(
        f"The password file {folder / 'secrets' / role} is gone. Bring the folder `secrets` back from where it was, or "
        f"from a backup of {folder}; without it nobody can sign in to the database there."
    )


def make_passwords(folder: Path) -> None:
    """Make up the passwords that there are none of yet. Only under the lock: two at once would cross each other."""
    make_folder(folder / "secrets")
    for role in (SUPERUSER, OWNER, SERVING):
        if not read_or_none(folder / "secrets" / role):
            write_private(folder / "secrets" / role, secrets.token_urlsafe(24))


def is_laid_out(folder: Path) -> bool:
    """Whether roles and database are as this version of mops wants them."""
    return read_or_none(folder / "layout") == LAYOUT


def make_cluster(folder: Path, place: Place, *, durable: bool) -> None:
    """initdb, beside the final name: a data folder that has its name is whole, whatever was killed on the way."""
    if place.data.is_dir() and not any(place.data.iterdir()):
        place.data.rmdir()
    if place.data.exists():
        raise EmbeddedPostgresError(
            f"{place.data} is there but is no PostgreSQL data folder (it has no PG_VERSION). mops deletes nothing that "
            "it does not know: look what it is, move it away, and run this again."
        )
    part = place.data.with_name(f"{place.data.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(mode=0o700)
    (folder / "layout").unlink(missing_ok=True)
    make_passwords(folder)
    with tempfile.NamedTemporaryFile("w", dir=place.data.parent, prefix=".password-") as handle:
        handle.write(password_of(folder, SUPERUSER))
        handle.flush()
        for path in (part, Path(handle.name)):
            _give_to_account(path, place)
        builtin = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        options = [
            *(builtin if major_version(place.binaries) >= FIRST_WITH_BUILTIN_LOCALE else []),
            *([] if durable else ["--no-sync"]),
        ]
        run(place, "initdb", "-D", str(part), "-U", SUPERUSER, "--encoding=UTF8", "--locale=C", *options,
            "--auth=scram-sha-256", f"--pwfile={handle.name}")  # fmt: skip
    part.rename(place.data)


def check_major(place: Place) -> None:
    """Refuse data that another major version of PostgreSQL wrote."""
    has, made = major_version(place.binaries), int((place.data / "PG_VERSION").read_text())
    if has != made:
        raise EmbeddedPostgresError(
            f"{place.data} was written by PostgreSQL {made}, and the programs in {place.binaries} are {has}. "
            f"To move: set MOPS_PG_BIN to the bin folder of a PostgreSQL {made}, run `manage.py db dump mops.dump` and "
            "`manage.py db stop`; move the folder away; unset MOPS_PG_BIN, run `manage.py db restore mops.dump`."
        )


def make_roles(folder: Path, address: Address) -> None:
    """The role that owns and migrates, the role that serves and owns nothing, and the database. Safe to repeat."""
    password = password_of(folder, SUPERUSER)
    with connect(address, SUPERUSER, password, "postgres") as connection:
        for role, rights in ((OWNER, "createdb"), (SERVING, "nocreatedb")):
            _make_role(connection, role, rights, password_of(folder, role))
        # the owner may end the serving role's sessions: dropping and renaming databases needs that
        connection.execute(f"grant {SERVING} to {OWNER}")
        if not connection.execute("select 1 from pg_database where datname = %s", [DATABASE]).fetchone():
            connection.execute(f"create database {DATABASE} owner {OWNER}")
        for database in (DATABASE, "postgres", "template1"):
            connection.execute(f"revoke all on database {database} from public")
        connection.execute(f"grant connect, temporary on database {DATABASE} to {SERVING}")
        connection.execute(f"grant connect on database postgres to {OWNER}")
    write_private(folder / "layout", LAYOUT)


def _make_role(connection: "psycopg.Connection[tuple[object, ...]]", role: str, rights: str, password: str) -> None:
    found = connection.execute("select 1 from pg_roles where rolname = %s", [role]).fetchone()
    # sent as its hash, so that no log of the server can ever hold it
    verifier = str(connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256"), "ascii")
    connection.execute(
        sql.SQL("{} role {} login nosuperuser nocreaterole nobypassrls noreplication {} password {}").format(
            sql.SQL("alter" if found else "create"), sql.Identifier(role), sql.SQL(rights), sql.Literal(verifier)
        )
    )


def connect(address: Address, role: str, password: str, database: str) -> "psycopg.Connection[tuple[object, ...]]":
    """A plain autocommit connection."""
    return psycopg.connect(
        host=address.host, port=address.port, user=role, password=password, dbname=database,
        autocommit=True, connect_timeout=5,
    )  # fmt: skip


def answers(folder: Path, address: Address, role: str, database: str) -> bool:
    """Whether the server lets the role in. A wrong password is not "no": it is told."""
    try:
        connect(address, role, password_of(folder, role), database).close()
    except psycopg.OperationalError as error:
        if "password authentication failed" in str(error):
            raise EmbeddedPostgresError(
                f"The password in {folder / 'secrets' / role} is not the one that the server knows. Bring the folder "
                f"`secrets` back from where it was, or from a backup of {folder}."
            ) from error
        return False
    return True


def run(place: Place, program: str, *arguments: str) -> str:
    """Run one of PostgreSQL's programs as the server's account; what it printed."""
    done = subprocess.run(
        [str(place.binaries / program), *arguments],
        cwd="/",
        env=ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        **(place.account.popen_arguments() if place.account else {}),
    )
    output: str = done.stdout
    if done.returncode:
        raise EmbeddedPostgresError(in_words(output, place.data))
    return output


def _give_to_account(path: Path, place: Place) -> None:
    if place.account:
        os.chown(path, place.account.uid, place.account.gid)
