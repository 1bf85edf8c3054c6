"""A zip of any size, sent while it is written."""

import hashlib
import io
import zipfile
from collections.abc import Iterable, Iterator
from typing import Any

CHUNK = 64 * 1024


class Pipe(io.RawIOBase):
    """What the zip writes into and the response reads out of."""

    def __init__(self) -> None:
        """Hold nothing."""
        self._parts: list[bytes] = []
        self.size = 0

    def writable(self) -> bool:
        """Say yes."""
        return True

    def write(self, data: Any) -> int:
        """Take what the zip writes."""
        part = bytes(data)
        self._parts.append(part)
        self.size += len(part)
        return len(part)

    def drain(self) -> bytes:
        """Give out what has come in."""
        parts, self._parts, self.size = self._parts, [], 0
        return b"".join(parts)


class Zip:
    """The zip, and what is in it so far."""

    def __init__(self, archive: zipfile.ZipFile, pipe: Pipe) -> None:
        """Begin."""
        self._archive, self._pipe = archive, pipe
        self.files: dict[str, dict[str, Any]] = {}

    def add(self, name: str, parts: Iterable[bytes], *, listed: bool = True) -> Iterator[bytes]:
        """Write one file, yielding what is ready to be sent."""
        digest, size = hashlib.sha256(), 0
        with self._archive.open(name, "w", force_zip64=True) as file:
            for part in parts:
                file.write(part)
                digest.update(part)
                size += len(part)
                if self._pipe.size > CHUNK:
                    yield self._pipe.drain()
        if listed:
            self.files[name] = {"sha256": digest.hexdigest(), "bytes": size}
        yield self._pipe.drain()
