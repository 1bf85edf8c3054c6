"""Folders and files of a private server: closed to others, replaced whole, owned by the owner of what holds them."""

import os
import secrets
from pathlib import Path
from typing import IO


def make_folder(path: Path) -> None:
    """Make a folder (and what leads to it) that only its owner can list.

    Made by root it can be passed through (0711), because PostgreSQL then runs as another account and must reach its
    data; every file in it is closed (0600) all the same.
    """
    missing = [path, *path.parents]
    missing = missing[: next(i for i, candidate in enumerate(missing) if candidate.is_dir())]
    for folder in reversed(missing):
        folder.mkdir(exist_ok=True)
        folder.chmod(0o711 if os.geteuid() == 0 else 0o700)  # not by mkdir's mode: that one the umask narrows
        give_to_owner(folder)


def write_private(path: Path, text: str) -> None:
    """Write a 0600 file so that a reader finds the old text or the new, never half of one."""
    part = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as handle:
        handle.write(text)
        handle.flush()
        os.fsync(handle.fileno())
    give_to_owner(part)
    part.replace(path)


def open_private(path: Path) -> IO[str]:
    """A file to hold locks on, made closed to others where there is none."""
    if not path.exists():
        path.touch(0o600)
        give_to_owner(path)
    return path.open("a+")


def read_or_none(path: Path) -> str | None:
    """The text of a file, or None where there is none."""
    try:
        return path.read_text()
    except FileNotFoundError:
        return None


def give_to_owner(path: Path) -> None:
    """Made by root: belongs to whoever owns the folder it is in, so that a single `sudo` locks nobody out."""
    if os.geteuid() == 0:
        around = path.parent.stat()
        os.chown(path, around.st_uid, around.st_gid)
