"""The seals outside the database: files that are only ever appended to, each line on the disk before it counts.

A file begins with `begin`, then come the public key (`key`), and for every seal the leaf of each entry and the seal
itself. A file that has grown past its size is left alone and the next one begun.
"""

import fcntl
import json
import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from django.conf import settings

from apps.audit.standalone import Seal, as_json
from apps.core.errors import WrongState

FILE_BYTES = 64 * 1024 * 1024
CONTROL = (b"\nseal ", b"\nnote ", b"\nkey ", b"\nbegin ")


@dataclass(frozen=True)
class Tail:
    """Where the files end.

    Attributes:
        after: the number of the last seal that holds there, 0 before the first.
        digest: its digest; "" where a note began anew.
        seal: it, where it is the very last thing.
        leaves: its leaf lines, as they stand there.
        torn: bytes behind it that an interrupted write left.
    """

    after: int = 0
    digest: str = ""
    seal: Seal | None = None
    leaves: bytes = b""
    torn: int = 0


def seal_files() -> list[Path]:
    """Return the files in their order."""
    return sorted(Path(settings.SEALS_FOLDER).glob("seals-*.log"))


@contextmanager
def locked() -> Iterator[None]:
    """Let one process write at a time.

    Raises:
        WrongState: the folder cannot be written.
    """
    folder = Path(settings.SEALS_FOLDER)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise WrongState(f"The seals cannot be written to {folder}: {error.strerror}.") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def read_tail() -> Tail | None:
    """Return where the files end; None where there is no file.

    Raises:
        WrongState: the end is nothing that mops wrote.
    """
    files = seal_files()
    if not files:
        return None
    with files[-1].open("rb") as file:
        if not os.fstat(file.fileno()).st_size:
            raise WrongState(f"The seals file {files[-1]} was emptied.")
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
            return _tail_of(text, files[-1])


def append(leaves: bytes, seal: Seal, public: bytes) -> None:
    """Write a seal behind its leaves, on the disk before this returns.

    Raises:
        WrongState: the disk does not take it.
    """
    _write(leaves + b"seal " + as_json(seal) + b"\n", public, seal["n"] - 1)


def append_note(note: dict[str, Any], public: bytes) -> None:
    """Write a signed note about what was accepted, with the key that holds from there on."""
    _write(_key_line(public) + b"note " + as_json(note) + b"\n", public, note["after"])


def cut_torn(torn: int) -> None:
    """Take away what an interrupted write left behind the last whole line."""
    with seal_files()[-1].open("r+b") as file:
        file.truncate(os.fstat(file.fileno()).st_size - torn)
        os.fsync(file.fileno())


def _tail_of(text: mmap.mmap, path: Path) -> Tail:
    size = len(text)
    start = max(text.rfind(word) for word in CONTROL) + 1  # 0 where the first line is the only one
    end = text.find(b"\n", start)
    while end == -1:  # the last control line itself was interrupted
        size_before, start = start, max(text.rfind(word, 0, start - 1) for word in CONTROL) + 1
        end = text.find(b"\n", start)
        if start == size_before:
            raise WrongState(f"The seals file {path} is not one: it has no whole line.")
    kind, _, rest = text[start:end].partition(b" ")
    torn = size - end - 1
    try:
        said = json.loads(rest)
        if kind == b"seal":
            before = max(text.rfind(word, 0, start) for word in CONTROL) + 1
            leaves = text[text.find(b"\n", before) + 1 : start]
            return Tail(int(said["n"]), str(said["digest"]), said, leaves, torn)
        if kind == b"key" and start:
            before = max(text.rfind(word, 0, start) for word in CONTROL) + 1
            kind, _, rest = text[before : start - 1].partition(b" ")
            said = json.loads(rest)
        return Tail(int(said["after"]), str(said.get("digest", "")), torn=torn)
    except (ValueError, KeyError, TypeError) as error:
        raise WrongState(f"The end of the seals file {path} was altered.") from error


def _key_line(public: bytes) -> bytes:
    return b"key " + as_json({"public": public.hex()}) + b"\n"


def _write(lines: bytes, public: bytes, after: int) -> None:
    files, folder = seal_files(), Path(settings.SEALS_FOLDER)
    try:
        if not files or files[-1].stat().st_size >= FILE_BYTES:
            number = int(files[-1].stem.split("-")[1]) + 1 if files else 1
            tail = read_tail()
            begin = {"v": 1, "file": number, "after": after, "digest": tail.digest if tail else ""}
            lines = b"begin " + as_json(begin) + b"\n" + _key_line(public) + lines
            path = folder / f"seals-{number:06}.log"
        else:
            path = files[-1]
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "wb") as file:
            _flush(file, lines)
        place = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(place)
        finally:
            os.close(place)
    except OSError as error:
        raise WrongState(f"The seals cannot be written to {folder}: {error.strerror}.") from error


def _flush(file: IO[bytes], lines: bytes) -> None:
    file.write(lines)
    file.flush()
    os.fsync(file.fileno())
