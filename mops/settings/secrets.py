"""What mops makes up for itself and keeps: the home folder and the secret key in it."""

import fcntl
import secrets
from pathlib import Path

from mops.db.embedded.files import make_folder, read_or_none, write_private


def prepare_home(home: Path) -> Path:
    """Make the folder for everything that mops keeps outside the database; closed to other accounts."""
    make_folder(home)
    return home


def read_or_make_secret(home: Path, name: str = "secret_key") -> str:
    """The secret kept in the home folder, made up the first time. Two processes at once end up with the same one."""
    path = home / name
    if found := read_or_none(path):
        return found
    prepare_home(home)
    with (home / f"{name}.lock").open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not read_or_none(path):
            write_private(path, secrets.token_urlsafe(50))
    return path.read_text()
