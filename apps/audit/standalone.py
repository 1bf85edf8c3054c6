#!/usr/bin/env python3
r"""Verifies evidence of mops on any machine: exports, samples, inclusion proofs and seals files.

Needs Python 3.11 or newer and the package `cryptography`; neither mops nor its database. mops itself seals and
verifies with the functions of this file, so what an auditor runs is what the product runs.

    python3 verify_evidence.py THING [--seals FILE-OR-FOLDER] [--key FINGERPRINT]

THING is an evidence package (a .zip or the folder it was unpacked into), a proof (.json), or a seals file or folder.
With --seals, every entry of a package is also looked up in your own copy of the seals. With --key, only seals signed
by that key count; without it, the fingerprint is printed for you to compare with the one you noted down.

How entries are sealed (docs/audit.md): the leaf of an entry is SHA-256(0x00 + its line of entries.jsonl), a seal holds
the root of the RFC 9162 Merkle tree over the leaves of its range in the order of their sequence, its digest is SHA-256
of its header as JSON (keys sorted, no spaces), `prev` is the digest of the seal before, the signature is Ed25519 over
"mops seal\n" + header.
"""

import argparse
import base64
import hashlib
import json
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

HEADER = ("v", "n", "from", "to", "count", "root", "prev", "sealed_at", "key")
DAMAGED = (zlib.error, EOFError, NotImplementedError, RuntimeError)  # what zipfile raises where bits fell over
FIRST = "0" * 64  # what the first seal names as the one before it
SEAL_PURPOSE, NOTE_PURPOSE, MANIFEST_PURPOSE = b"mops seal\n", b"mops note\n", b"mops manifest\n"
Seal = dict[str, Any]


class Broken(Exception):
    """What is not as it was sealed, in a sentence."""


# ------------------------------------------------------------------------------------------------ RFC 9162


def leaf_hash(line: bytes) -> bytes:
    """Return the leaf of an entry: the hash of its canonical line, without the line feed."""
    return hashlib.sha256(b"\x00" + line).digest()


def root_of(leaves: list[bytes]) -> bytes:
    """Return the Merkle tree hash over `leaves` (RFC 9162, 2.1.1)."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    sha256, level = hashlib.sha256, leaves
    while len(level) > 1:
        pairs = zip(level[::2], level[1::2], strict=False)
        above = [sha256(b"\x01" + left + right).digest() for left, right in pairs]
        if len(level) % 2:
            above.append(level[-1])  # the same tree as splitting at the largest power of two
        level = above
    return level[0]


def path_of(leaves: list[bytes], index: int) -> list[bytes]:
    """Return the inclusion path of the leaf at `index` (RFC 9162, 2.1.3.1), lowest first."""
    path, level = [], leaves
    while len(level) > 1:
        if index ^ 1 < len(level):
            path.append(level[index ^ 1])
        pairs = zip(level[::2], level[1::2], strict=False)
        above = [hashlib.sha256(b"\x01" + left + right).digest() for left, right in pairs]
        level = [*above, level[-1]] if len(level) % 2 else above
        index //= 2
    return path


def root_from_path(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """Return the root that a path leads to (RFC 9162, 2.1.3.2).

    Raises:
        Broken: the path does not fit the place in the tree.
    """
    if not 0 <= index < size:
        raise Broken("The proof names a place outside its tree.")
    node, last, reached = index, size - 1, leaf
    for step in path:
        if last == 0:
            raise Broken("The proof has more steps than its tree has levels.")
        if node % 2 or node == last:
            reached = hashlib.sha256(b"\x01" + step + reached).digest()
            while node and not node % 2:
                node, last = node // 2, last // 2
        else:
            reached = hashlib.sha256(b"\x01" + reached + step).digest()
        node, last = node // 2, last // 2
    if last:
        raise Broken("The proof has fewer steps than its tree has levels.")
    return reached


# --------------------------------------------------------------------------------------------------- seals


def as_json(thing: Any) -> bytes:
    """Return JSON in the one form that is hashed and signed."""
    return json.dumps(thing, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def header_of(seal: Seal) -> bytes:
    """Return what the digest and the signature of a seal are made over."""
    return as_json({name: seal[name] for name in HEADER})


def digest_of(seal: Seal) -> str:
    """Return the digest of a seal."""
    return hashlib.sha256(header_of(seal)).hexdigest()


def fingerprint(public: bytes) -> str:
    """Return how a public key is named."""
    return hashlib.sha256(public).hexdigest()[:32]


def is_signed(public: bytes, purpose: bytes, content: bytes, signature: str) -> bool:
    """Whether `signature` (base64) is that of the key over the content."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(base64.b64decode(signature), purpose + content)
    except (InvalidSignature, ValueError):
        return False
    return True


def check_seal(seal: Seal, before: Seal | None, keys: dict[str, bytes]) -> None:
    """Check one seal by itself and as the one after `before`.

    Raises:
        Broken: what is wrong with it.
    """
    try:
        name, digest, content = f"Seal {seal['n']}", digest_of(seal), header_of(seal)
    except (KeyError, TypeError) as error:
        raise Broken(f"A seal is not complete: {error} is missing.") from error
    if seal.get("digest") != digest:
        raise Broken(f"{name} was altered: its digest does not fit what it says.")
    if seal["key"] not in keys:
        raise Broken(f"{name} is signed by the key {seal['key']}, which is none of those trusted here.")
    if not is_signed(keys[seal["key"]], SEAL_PURPOSE, content, seal.get("signature", "")):
        raise Broken(f"{name} was altered: its signature is not that of the key {seal['key']}.")
    if before is None:
        return
    if seal["n"] != before["n"] + 1:
        raise Broken(f"Seal {before['n'] + 1} was removed: after seal {before['n']} comes seal {seal['n']}.")
    if seal["prev"] != before["digest"] or seal["from"] != before["to"] + 1:
        raise Broken(f"{name} does not follow seal {before['n']}: one of them was put there afterwards.")


# ---------------------------------------------------------------------------------------------- seals files


def read_lines(files: Iterable[IO[bytes]]) -> Iterator[tuple[str, Any]]:
    """Yield ("leaf", (sequence, hash)), ("seal", …), ("key", …), ("note", …) and ("begin", …) from seals files.

    Raises:
        Broken: a line that is none of these.
    """
    for file in files:
        for number, line in enumerate(file, 1):
            word, _, rest = line.rstrip(b"\n").partition(b" ")
            try:
                if word.isdigit():
                    yield "leaf", (int(word), bytes.fromhex(rest.decode()))
                elif word in (b"seal", b"key", b"note", b"begin"):
                    yield word.decode(), json.loads(rest)
                else:
                    raise ValueError
            except ValueError as error:
                raise Broken(f"Line {number} of the seals file {getattr(file, 'name', '')} was altered.") from error


def files_of(place: Path) -> list[Path]:
    """Return the seals files of a folder in their order, or the one file.

    Raises:
        Broken: there is none.
    """
    found = sorted(place.glob("seals-*.log")) if place.is_dir() else [place] if place.is_file() else []
    if not found:
        raise Broken(f"There is no seals file at {place}.")
    return found


class Sealed:
    """What a seals file says, checked as it is read."""

    def __init__(self, trusted: str | None = None) -> None:
        """Expect nothing yet; with `trusted`, one key alone."""
        self.trusted, self.keys = trusted, dict[str, bytes]()
        self.seals: list[Seal] = []
        self.leaves: dict[int, bytes] = {}
        self.said: list[str] = []

    def read(self, lines: Iterable[tuple[str, Any]], *, wanted: Callable[[int], bool] = lambda _: False) -> "Sealed":
        """Check seal after seal; keep the leaves that are `wanted`.

        Raises:
            Broken: the first thing that is not as it was written.
        """
        block: list[tuple[int, bytes]] = []
        for kind, said in lines:
            if kind == "leaf":
                block.append(said)
            elif kind == "key":
                self._learn(said)
            elif kind == "note":
                self._note(said)
            elif kind == "seal":
                self._take(said, block)
                self.leaves.update({number: leaf for number, leaf in block if wanted(number)})
                block = []
        if block:
            raise Broken(f"The seals file was cut off: entries from {block[0][0]} on have no seal.")
        return self

    def _learn(self, said: dict[str, str]) -> None:
        public = bytes.fromhex(said["public"])
        if self.trusted in (None, fingerprint(public)):
            self.keys[fingerprint(public)] = public

    def _note(self, said: dict[str, Any]) -> None:
        content = as_json({name: value for name, value in said.items() if name != "signature"})
        key = self.keys.get(said["key"], b"")
        if not key or not is_signed(key, NOTE_PURPOSE, content, said["signature"]):
            raise Broken(f"A note of {said.get('at')} in the seals file is not signed by a trusted key.")
        self.said.append(
            f"Note of {said['at']} by {said['by']}: {said['reason']} (seals after {said['after']} begin anew)"
        )
        self.seals = [seal for seal in self.seals if seal["n"] <= said["after"]]

    def _take(self, seal: Seal, block: list[tuple[int, bytes]]) -> None:
        check_seal(seal, self.seals[-1] if self.seals else None, self.keys)
        check_block(seal, block)
        self.seals.append(seal)


def check_block(seal: Seal, block: list[tuple[int, bytes]]) -> None:
    """Check the leaves of one seal.

    Raises:
        Broken: what is wrong with them.
    """
    numbers = [number for number, _ in block]
    if numbers != sorted(set(numbers)) or (numbers and not seal["from"] <= numbers[0] <= numbers[-1] <= seal["to"]):
        raise Broken(f"The leaves of seal {seal['n']} in the seals file were reordered or put there afterwards.")
    if len(block) != seal["count"] or root_of([leaf for _, leaf in block]).hex() != seal["root"]:
        raise Broken(
            f"The leaves of seal {seal['n']} (entries {seal['from']} to {seal['to']}) were altered in the file."
        )


def check_proof(proof: dict[str, Any], trusted: str | None = None) -> str:
    """Check an inclusion proof; returns what it proves, in a sentence.

    Raises:
        Broken: it proves nothing.
    """
    try:
        seal, public = proof["seal"], bytes.fromhex(proof["public_key"])
        keys = {fingerprint(public): public} if trusted in (None, fingerprint(public)) else {}
        check_seal(seal, None, keys)
        path = [bytes.fromhex(step) for step in proof["path"]]
        entry = json.loads(proof["entry"])
        root = root_from_path(leaf_hash(proof["entry"].encode()), proof["index"], seal["count"], path)
    except (KeyError, TypeError, ValueError) as error:
        raise Broken(f"This is no proof of mops: {error}.") from error
    if root.hex() != seal["root"]:
        raise Broken(f"Entry {entry['seq']} is not what seal {seal['n']} holds.")
    return f"Entry {entry['seq']} is in seal {seal['n']} of {seal['sealed_at']}, signed by the key {seal['key']}."


# ------------------------------------------------------------------------------------------------- packages


class Package:
    """An evidence package: a zip, or the folder it was unpacked into."""

    def __init__(self, place: Path) -> None:
        """Look what is in it."""
        self._zip = zipfile.ZipFile(place) if place.is_file() else None
        self._folder = place

    def open(self, name: str) -> IO[bytes]:
        """Open one file.

        Raises:
            Broken: it is missing.
        """
        try:
            if self._zip is not None:
                return self._zip.open(name)
            return (self._folder / name).open("rb")
        except (KeyError, FileNotFoundError) as error:
            raise Broken(f"{name} is missing from the package.") from error

    def names(self) -> set[str]:
        """Return the names of the files in it."""
        if self._zip is not None:
            return {each for each in self._zip.namelist() if not each.endswith("/")}
        return {str(each.relative_to(self._folder).as_posix()) for each in self._folder.rglob("*") if each.is_file()}


def check_package(place: Path, trusted: str | None = None, own: Sealed | None = None) -> list[str]:
    """Check a whole package; returns what it proves.

    Raises:
        Broken: the first thing that is not as it was written.
    """
    package = Package(place)
    with package.open("manifest.json") as file:
        text = file.read()
    manifest = json.loads(text)
    keys = {fingerprint(bytes.fromhex(public)): bytes.fromhex(public) for public in manifest["keys"]}
    keys = {name: public for name, public in keys.items() if trusted in (None, name)}
    _check_files(package, manifest, text, keys)
    said = [f"All {len(manifest['files'])} files are those the manifest of {manifest['made_at']} names."]
    if "entries.jsonl" in manifest["files"]:
        said += _check_entries(package, manifest, keys, own)
    proofs = sorted(name for name in manifest["files"] if name.endswith("proof.json"))
    for name in proofs:
        with package.open(name) as file:
            check_proof(json.load(file), trusted)
    if proofs:
        said.append(f"All {len(proofs)} inclusion proofs hold.")
    return [*said, *(f"Signed by the key {name}." for name in keys)]


def _check_files(package: Package, manifest: dict[str, Any], text: bytes, keys: dict[str, bytes]) -> None:
    with package.open("manifest.sig") as file:
        signature = json.load(file)
    if signature["key"] not in keys or not is_signed(
        keys[signature["key"]], MANIFEST_PURPOSE, text, signature["signature"]
    ):
        raise Broken("The manifest is not signed by a trusted key: it was altered, or comes from somebody else.")
    for name, facts in manifest["files"].items():
        with package.open(name) as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != facts["sha256"]:  # type: ignore[arg-type]
                raise Broken(f"{name} was altered: its SHA-256 is not the one in the manifest.")
    if strange := package.names() - set(manifest["files"]) - {"manifest.json", "manifest.sig"}:
        raise Broken(f"{min(strange)} is in the package, but not in its manifest.")


def _check_entries(package: Package, manifest: dict[str, Any], keys: dict[str, bytes], own: Sealed | None) -> list[str]:
    """Find every entry among the leaves of its seal."""
    theirs = {seal["n"]: seal for seal in own.seals} if own else {}
    others = found = 0
    with package.open("entries.jsonl") as entries, package.open("seals.log") as seals:
        lines = ((int(json.loads(line)["seq"]), line.rstrip(b"\n")) for line in entries)
        upcoming, block = next(lines, None), list[tuple[int, bytes]]()
        for kind, said in read_lines([seals]):
            if kind == "leaf":
                block.append(said)
            elif kind == "seal":
                check_seal(said, None, keys)
                check_block(said, block)
                if own is not None and theirs.get(said["n"]) != said:
                    raise Broken(f"Seal {said['n']} of the package is not the one in your seals file.")
                leaves, block = dict(block), []
                others += len(leaves)
                while upcoming is not None and upcoming[0] <= said["to"]:
                    number, line = upcoming
                    if leaves.get(number) != leaf_hash(line):
                        raise Broken(f"Entry {number} is not what was sealed in seal {said['n']}.")
                    found, others, upcoming = found + 1, others - 1, next(lines, None)
        if upcoming is not None:
            raise Broken(f"Entry {upcoming[0]} is in none of the seals of the package.")
    if found != manifest["entries"]["count"]:
        raise Broken(f"There are {found} entries, the manifest says {manifest['entries']['count']}.")
    return [f"All {found} entries are what was sealed; the same seals hold {others} entries that are not in here."]


# ------------------------------------------------------------------------------------------------- command


def check(thing: Path, trusted: str | None = None, seals: Path | None = None) -> list[str]:
    """Check a package, a proof or seals files; returns what holds, in sentences.

    Raises:
        Broken: the first thing that does not.
    """
    own = None
    if seals is not None:
        own = _read_seals(seals, trusted)
    if thing.suffix == ".zip" or (thing / "manifest.json").is_file():
        return check_package(thing, trusted, own)
    if thing.suffix == ".json":
        return [check_proof(json.loads(thing.read_text()), trusted)]
    read = _read_seals(thing, trusted)
    last = read.seals[-1] if read.seals else None
    up_to = f", up to entry {last['to']}" if last else ""
    return [f"{len(read.seals)} seals hold{up_to}.", *read.said, *(f"Signed by the key {name}." for name in read.keys)]


def _read_seals(place: Path, trusted: str | None) -> Sealed:
    opened = [path.open("rb") for path in files_of(place)]
    try:
        return Sealed(trusted).read(read_lines(opened))
    finally:
        for file in opened:
            file.close()


def main(arguments: list[str] | None = None) -> int:
    """Say what holds, or what is broken; the exit code tells programs."""
    parser = argparse.ArgumentParser(description="Verify evidence of mops: a package, a proof or seals files.")
    parser.add_argument("thing", type=Path, help="a .zip, an unpacked package, a proof (.json), a seals file or folder")
    parser.add_argument("--seals", type=Path, help="your own copy of the seals, to compare with")
    parser.add_argument("--key", help="the fingerprint of the key you trust")
    options = parser.parse_args(arguments)
    try:
        for line in check(options.thing, options.key, options.seals):
            sys.stdout.write(f"{line}\n")
    except (Broken, OSError, KeyError, TypeError, ValueError, zipfile.BadZipFile, *DAMAGED) as error:
        sys.stderr.write(f"NOT VERIFIED: {error}\n")
        return 1
    sys.stdout.write("VERIFIED\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
