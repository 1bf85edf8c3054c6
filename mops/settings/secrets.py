"""What mops makes up for itself and keeps: the home folder and the secret key in it."""

import fcntl
import secrets
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from mops.db.embedded.files import make_folder, open_private, read_or_none, write_private


def prepare_home(home: Path) -> Path:
    """Make the folder for everything that mops keeps outside the database; closed to other accounts."""
    make_folder(home)
    return home


def read_or_make_secret(home: Path, name: str = "secret_key") -> str:
    """The secret kept in the home folder, made up the first time. Two processes at once end up with the same one."""
    path = home / name
    try:
        return read_or_none(path) or _make_secret(path)
    except OSError as error:
        raise ImproperlyConfigured(
            f"mops keeps its files in {home}, which does not work: {error.strerror} ({error.filename or path}). Give "
            "the folder to this account (chown -R) or make room on its disk, or set MOPS_HOME to another folder."
        ) from error


def _make_secret(path: Path) -> str:
    prepare_home(path.parent)
    with open_private(path.with_name(f"{path.name}.lock")) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not read_or_none(path):
            write_private(path, secrets.token_urlsafe(50))
    return path.read_text()
