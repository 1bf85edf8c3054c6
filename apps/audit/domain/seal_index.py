"""Finds seals and their leaves in seals files of any size, without reading what is not asked for into memory."""

import json
import mmap
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apps.audit.standalone import NOTE_PURPOSE, Broken, Seal, as_json, files_of, is_signed

_CONTROL = re.compile(rb"^(seal|note|key|begin) (.*)\n", re.MULTILINE)


@dataclass(frozen=True)
class _Place:
    path: Path
    start: int
    end: int
    seal: Seal


class SealIndex:
    """Where each seal stands.

    Attributes:
        last: the number of the last seal that holds.
        said: what notes say, in sentences.
    """

    def __init__(self, place: Path, keys: dict[str, bytes], *, part: bool = False) -> None:
        """Look through the files.

        Args:
            place: a folder of seals files, or one of them.
            keys: the trusted keys, by fingerprint.
            part: one file out of several was named, so others may be missing.

        Raises:
            Broken: the files are not what mops wrote.
        """
        self._keys, self._places, self.said = keys, dict[int, _Place](), list[str]()
        self._restarted = 0
        self.last = 0
        try:
            files = files_of(place)
        except Broken:
            if place.is_dir() or not part:
                self.files: list[Path] = []
                return
            raise
        self.files, self._part = files, part
        expected = None
        for path in files:
            expected = self._read(path, expected)

    def check(self, seal: Seal) -> bytes | None:
        """Return the leaf lines of a seal as the file has them; None when the file rightly does not have it.

        Raises:
            Broken: it should have it, or has another one.
        """
        place = self._places.get(seal["n"])
        if place is None:
            if self.files and self._part:
                return None
            if seal["n"] <= self._restarted:
                return None
            if seal["n"] < self.last:
                raise Broken(f"Seal {seal['n']} was removed from the seals file.")
            if not self.files:
                raise Broken(f"The seals file is missing, and seal {seal['n']} with it.")
            raise Broken(f"The seals file was cut off: it ends with seal {self.last}, and seal {seal['n']} is missing.")
        if place.seal != seal:
            raise Broken(f"Seal {seal['n']} is another one in the seals file than in the database: one was altered.")
        with place.path.open("rb") as file:
            file.seek(place.start)
            return file.read(place.end - place.start)

    def _read(self, path: Path, expected: int | None) -> int:
        with path.open("rb") as file:
            if path.stat().st_size == 0:
                raise Broken(f"The seals file {path.name} was emptied.")
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
                end = 0
                for found in _CONTROL.finditer(text):
                    self._take(path, found, end)
                    end = found.end()
                if rest := text[end : end + 200]:
                    first = rest.split(b" ", 1)[0]
                    where = f"from entry {first.decode()} on" if first.isdigit() else f"behind seal {self.last}"
                    raise Broken(f"The seals file {path.name} was cut off {where}.")
        number = int(path.stem.split("-")[1]) if "-" in path.stem and path.stem.split("-")[1].isdigit() else 0
        if expected is not None and number != expected:
            raise Broken(f"The seals file seals-{expected:06}.log is missing.")
        return number + 1

    def _take(self, path: Path, found: "re.Match[bytes]", start: int) -> None:
        kind, text = found[1], found[2]
        try:
            said: dict[str, Any] = json.loads(text)
            if kind == b"note":
                self._note(said)
            elif kind == b"seal":
                self._places[int(said["n"])] = _Place(path, start, found.start(), said)
                self.last = int(said["n"])
        except (ValueError, KeyError, TypeError) as error:
            raise Broken(f"A line of the seals file {path.name} was altered, behind seal {self.last}.") from error

    def _note(self, said: dict[str, Any]) -> None:
        content = as_json({name: value for name, value in said.items() if name != "signature"})
        public = self._keys.get(said["key"])
        if public is None or not is_signed(public, NOTE_PURPOSE, content, said["signature"]):
            raise Broken(f"A note of {said['at']} in the seals file is not signed by a trusted key.")
        after = int(said["after"])
        if said.get("kind") == "restart":
            self._places = {n: place for n, place in self._places.items() if n <= after}
            if not self._places or max(self._places) < after:
                self._restarted = max(self._restarted, after)
            self.last = min(self.last, after) or after
        self.said.append(f"{said['at']}, {said['by']}: {said['reason']} (seals begin anew after {after})")
