"""Which column of a file is which column of the importer: guessed by name, confirmed by a person, remembered."""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from django.db import transaction

from apps.core.actors import acting_as
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.core.exchange import values
from apps.core.exchange.enums import BatchState
from apps.core.exchange.models import ColumnMapping, FileSource, ImportBatch
from apps.core.exchange.permissions import refuse_import
from apps.core.exchange.registry import Importer, get_importer

if TYPE_CHECKING:
    from apps.accounts.models import User

MATCHABLE = (BatchState.RECEIVED, BatchState.PREVIEWED, BatchState.FAILED)


def plain(header: str) -> str:
    """Return a header as it is compared: letters and digits alone, in lower case."""
    return re.sub(r"[\W_]+", "", header).casefold()


def suggest(importer: Importer, headers: Sequence[str]) -> dict[str, str]:
    """Return column → header for every column that a header names; no header is given twice."""
    known = {plain(header): header for header in reversed(headers)}
    mapping: dict[str, str] = {}
    for column in importer.columns:
        names = (plain(name) for name in column.headers())
        found = next((known[name] for name in names if name in known and known[name] not in mapping.values()), None)
        if found is not None:
            mapping[column.name] = found
    return mapping


def signature(headers: Iterable[str]) -> str:
    """Return what tells one header from another, whatever the order and case of its columns."""
    return hashlib.sha256("\x1f".join(sorted(plain(header) for header in headers)).encode()).hexdigest()


def remembered(importer: Importer, headers: Sequence[str]) -> dict[str, str]:
    """Return the matching confirmed for such a header before, as far as it still fits; empty where there is none."""
    kept = ColumnMapping.objects.filter(importer=importer.key, signature=signature(headers)).first()
    if kept is None:
        return {}
    now = {plain(header): header for header in headers}
    names = {column.name for column in importer.columns}
    return {name: now[plain(header)] for name, header in kept.mapping.items() if name in names and plain(header) in now}


def best_mapping(importer: Importer, headers: Sequence[str]) -> dict[str, str]:
    """Return the remembered matching, else the suggested one."""
    return remembered(importer, headers) or suggest(importer, headers)


def check_mapping(importer: Importer, headers: Sequence[str], mapping: Mapping[str, str]) -> dict[str, str]:
    """Return `mapping` without unmatched columns.

    Raises:
        InvalidInput: a column or header that does not exist, one header for two columns, or a required column left.
    """
    names = {column.name for column in importer.columns}
    kept = {name: header for name, header in mapping.items() if header}
    for name, header in kept.items():
        if name not in names:
            raise InvalidInput(f"{importer.title} know no column {values.quoted(name)}.")
        if header not in headers:
            raise InvalidInput(f"The file has no column {values.quoted(header)} (any more); match its columns again.")
    taken: dict[str, str] = {}
    for name, header in kept.items():
        if (other := taken.setdefault(header, name)) != name:
            both = f"{importer.column(other).title} and {importer.column(name).title}"
            raise InvalidInput(f"The column {values.quoted(header)} is matched twice, with {both}; choose one.")
    if refused := importer.refuse_mapping(kept):
        raise InvalidInput(refused)
    return kept


def refuse_map(user: "User", batch: ImportBatch) -> str | None:
    """Return why `user` cannot match the columns of this import now, None when it works."""
    if refused := refuse_import(user, get_importer(batch.importer)):
        return refused
    if batch.state not in MATCHABLE or batch.run_number:
        return f"This import is {batch.get_state_display().lower()}; start another one to match the columns anew."
    return None


def map_columns(batch: ImportBatch, mapping: Mapping[str, str], *, by: "User") -> ImportBatch:
    """Keep a confirmed matching with the import, its source, and for the next file with the same header.

    Raises:
        NotAllowed: `by` may not import this.
        WrongState: the import is under way or over.
        InvalidInput: the matching does not fit.
    """
    importer = get_importer(batch.importer)
    with transaction.atomic(), acting_as(by):
        row: ImportBatch = ImportBatch.objects.select_for_update(of=("self",)).get(pk=batch.pk)
        if refused := refuse_map(by, row):
            raise (NotAllowed if refuse_import(by, importer) else WrongState)(refused)
        row.mapping = check_mapping(importer, row.headers, mapping)
        row.state = BatchState.RECEIVED
        row.save(update_fields=["mapping", "state"])
        _remember(row)
        if row.source_id:
            source = FileSource.objects.select_for_update(of=("self",)).get(pk=row.source_id)
            if source.mapping != row.mapping:
                source.mapping = row.mapping
                source.save(update_fields=["mapping"])
    return row


def _remember(batch: ImportBatch) -> None:
    known = {"importer": batch.importer, "signature": signature(batch.headers)}
    kept = ColumnMapping.objects.select_for_update(of=("self",)).filter(**known).first()
    if kept is None:
        ColumnMapping.objects.create(**known, headers=batch.headers, mapping=batch.mapping)
    elif kept.mapping != batch.mapping:
        kept.mapping, kept.headers = batch.mapping, batch.headers
        kept.save(update_fields=["mapping", "headers"])
