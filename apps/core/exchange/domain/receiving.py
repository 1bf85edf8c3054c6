"""Receiving a file: kept privately, looked into, its columns matched as far as their names tell."""

import hashlib
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.files.base import File
from django.db import transaction

from apps.core.actors import acting_as
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.core.exchange.domain.matching import best_mapping, refuse_map
from apps.core.exchange.domain.places import snapshot
from apps.core.exchange.enums import BatchState
from apps.core.exchange.models import FileSource, ImportBatch
from apps.core.exchange.models.imports import random_place
from apps.core.exchange.permissions import refuse_import
from apps.core.exchange.reading.limits import BYTES, MEGABYTE, PEEK_SECONDS
from apps.core.exchange.reading.table import Line, open_table
from apps.core.exchange.registry import Importer, get_importer
from apps.core.private_files import disk_is_full, no_room, private_files

if TYPE_CHECKING:
    from apps.accounts.models import User

AT_ONCE = 100  # rows; more than these are previewed in the background
SHOWN = 3
OPTIONS = ("encoding", "delimiter", "sheet", "header_line")


@dataclass(frozen=True)
class Peek:
    """What a first look into a file shows.

    Attributes:
        row_count: None when the look ended before the file did.
        sample: the first rows.
    """

    kind: str
    headers: list[str]
    facts: dict[str, Any]
    notes: list[str]
    row_count: int | None
    sample: list[Line] = field(default_factory=list)


def peek(path: Path, options: dict[str, str], *, rows: int = AT_ONCE) -> Peek:
    """Look into a file.

    Raises:
        InvalidInput: it cannot be read.
    """
    with open_table(path, options, seconds=PEEK_SECONDS) as table:
        lines = list(islice(table.rows, rows + 1))
        count = len(lines) if table.ended else table.facts.get("rows")
        return Peek(table.kind, table.headers, table.facts, list(table.notes), count, lines[:SHOWN])


def sample_of(batch: ImportBatch) -> list[Line]:
    """Return the first rows of an import's file; none where it cannot be read any more."""
    path = Path(batch.file.path)
    return peek(path, {**batch.options, "name": batch.file_name}, rows=SHOWN).sample if path.exists() else []


def receive_file(
    file: "File[bytes]",
    *,
    by: "User",
    importer: str,
    name: str = "",
    source: FileSource | None = None,
    options: dict[str, str] | None = None,
) -> ImportBatch:
    """Keep a file that somebody wants to import.

    Args:
        file: the file, open.
        by: who brings it.
        importer: the key of the importer.
        name: the name it came with; the file's own when empty.
        source: the file source it was taken from.
        options: how to read it, where its content does not tell.

    Raises:
        NotAllowed: `by` may not import this.
        InvalidInput: it is too big, or cannot be read.
        NoRoom: the disk is full.
    """
    what = get_importer(importer)
    if refused := refuse_import(by, what):
        raise NotAllowed(refused)
    called = Path(name or file.name or "file").name.replace("\x00", "")[-200:]
    if file.size > max(BYTES.values()):
        limit = max(BYTES.values()) // MEGABYTE
        raise InvalidInput(f"{called} has {file.size // MEGABYTE:,} MB; mops reads up to {limit} MB. Split it.")
    chosen = {key: value for key, value in (options or {}).items() if key in OPTIONS and value}
    place = _keep(file)
    try:
        seen = peek(Path(private_files().path(place)), {**chosen, "name": called})
        with transaction.atomic(), acting_as(by):
            batch = ImportBatch(
                importer=what.key,
                source=source,
                file=place,
                file_name=called,
                size=file.size,
                sha256=digest_of(Path(private_files().path(place))),
                options=chosen,
                requested_by=by,
            )
            _note(batch, seen, what)
            batch.save()
    except BaseException:
        private_files().delete(place)
        raise
    return batch


def receive_from_source(source: FileSource, *, by: "User") -> ImportBatch:
    """Start an import of a source's file as it is now: matched and previewed by a person, once.

    Raises:
        NotAllowed: `by` may not import this.
        InvalidInput: the file cannot be read.
    """
    with acting_as(by), snapshot(source.folder, source.path) as copy, copy.open("rb") as file:
        name = Path(source.path).name
        return receive_file(
            File(file, name=name), by=by, importer=source.importer, source=source, options=dict(source.options)
        )


def read_again(batch: ImportBatch, *, by: "User", **options: str) -> ImportBatch:
    """Read the file of an import in another way: encoding, delimiter, sheet, line of the header.

    Raises:
        NotAllowed: `by` may not import this.
        WrongState: the import is under way or over.
        InvalidInput: it cannot be read that way.
    """
    importer = get_importer(batch.importer)
    chosen = {key: value for key, value in options.items() if key in OPTIONS and value}
    seen = peek(Path(batch.file.path), {**chosen, "name": batch.file_name})
    with transaction.atomic(), acting_as(by):
        row: ImportBatch = ImportBatch.objects.select_for_update(of=("self",)).get(pk=batch.pk)
        if refused := refuse_map(by, row):
            raise (NotAllowed if refuse_import(by, importer) else WrongState)(refused)
        row.options = chosen
        _note(row, seen, importer)
        row.save()
    return row


def _note(batch: ImportBatch, seen: Peek, importer: Importer) -> None:
    batch.kind, batch.headers, batch.facts, batch.notes = seen.kind, seen.headers, seen.facts, seen.notes
    batch.row_count, batch.state = seen.row_count, BatchState.RECEIVED
    batch.mapping = best_mapping(importer, seen.headers)


def _keep(file: "File[bytes]") -> str:
    try:
        return private_files().save(random_place(None, ""), file)
    except OSError as error:
        if not disk_is_full(error):
            raise
        raise no_room() from error


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
