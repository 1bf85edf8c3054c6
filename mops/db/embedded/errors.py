"""What can go wrong with the private server, in sentences that end with the way out."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class EmbeddedPostgresError(RuntimeError):
    """The private server cannot serve; the text says why and what to do."""


# What PostgreSQL's own programs print → the sentence for whoever started mops.
KNOWN_TROUBLE = (
    ("no space left on device", "The disk that holds {folder} is full; make room, then run this again."),
    ("disk quota exceeded", "The disk quota for {folder} is used up; make room, then run this again."),
    ("read-only file system", "{folder} is on a read-only file system; set MOPS_HOME to a folder that can be written."),
    (
        "could not look up effective user id",
        "PostgreSQL cannot run for a user id without account (no passwd entry): be one, or set DATABASE_URL.",
    ),
    (
        "permission denied",
        "{folder} holds files that this account may not use; give them to one account (chown -R), or set MOPS_HOME.",
    ),
    (
        "has wrong ownership",
        "The data in {folder} belongs to another account; run as that account, or give it back with chown -R.",
    ),
)

NUMBERS = {
    errno.ENOSPC: "no space left on device",
    errno.EDQUOT: "disk quota exceeded",
    errno.EROFS: "read-only file system",
    errno.EACCES: "permission denied",
    errno.EPERM: "permission denied",
}


def in_words(output: str, folder: Path) -> str:
    """The sentence for what a program printed, followed by the end of what it printed."""
    lowered = output.lower()
    for sign, sentence in KNOWN_TROUBLE:
        if sign in lowered:
            return f"{sentence.format(folder=folder)}\nPostgreSQL said: {_last_line(output, sign)}"
    return f"PostgreSQL failed in {folder}; it said:\n{output.strip()[-2000:]}"


def _last_line(output: str, sign: str) -> str:
    return [line.strip() for line in output.splitlines() if sign in line.lower()][-1]


@contextmanager
def explained(folder: Path) -> Iterator[None]:
    """Turn what the file system refuses into a sentence."""
    try:
        yield
    except OSError as error:
        sign = NUMBERS.get(error.errno or 0)
        if sign is None:
            raise EmbeddedPostgresError(
                f"mops cannot keep a database in {folder}: {error}. Set MOPS_HOME to a folder that this account may "
                "write, or DATABASE_URL to a server."
            ) from error
        name = f" ({error.filename})" if error.filename else ""
        raise EmbeddedPostgresError(in_words(f"{sign}{name}", folder)) from error
