"""Refused rows: given back as a file to correct, and judged once more where what stood in their way is gone."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.db import models, transaction

from apps.core import access_log
from apps.core.actors import acting_as, current_actor
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.core.exchange.domain.running import is_under_way, queue_run
from apps.core.exchange.enums import OutcomeKind
from apps.core.exchange.models import ImportBatch
from apps.core.exchange.permissions import refuse_import
from apps.core.exchange.reading.table import open_table
from apps.core.exchange.registry import get_importer

if TYPE_CHECKING:
    from apps.accounts.models import User

WHY = "Why it was refused"


def refused_rows(batch: ImportBatch) -> "models.QuerySet[Any]":
    """Return what was refused: by the last run, by the preview where none has run."""
    rows: models.QuerySet[Any] = (
        batch.outcomes.filter(run_number=batch.run_number) if batch.run_number else batch.preview_rows.all()
    )
    return rows.filter(kind=OutcomeKind.REFUSED)


def refuse_retry(user: "User", batch: ImportBatch) -> str | None:
    """Return why `user` cannot have the refused rows tried again, None when it works."""
    if refused := refuse_import(user, get_importer(batch.importer)):
        return refused
    if is_under_way(batch):
        return "This import is under way; wait until it has finished, or cancel it."
    if not batch.run_number:
        return "It has not run yet."
    return None if batch.counts.get(OutcomeKind.REFUSED) else "The last run refused nothing."


def retry_refused(batch: ImportBatch, *, by: "User") -> str:
    """Have the rows that the last run refused carried out again, in the background; the others are left alone.

    Raises:
        NotAllowed: `by` may not import this.
        WrongState: it is under way, or the last run refused nothing.
        InvalidInput: a rule wants a reason for writing such records, and none is given.
    """
    reason = current_actor().reason.strip()
    with transaction.atomic(), acting_as(by):
        row: ImportBatch = ImportBatch.objects.select_for_update(of=("self",)).get(pk=batch.pk)
        if refused := refuse_retry(by, row):
            raise (NotAllowed if refuse_import(by, get_importer(row.importer)) else WrongState)(refused)
        number = row.counts[OutcomeKind.REFUSED]
        queue_run(row, by=by, reason=reason, refused_by_run=row.run_number)
    rows = "The refused row is" if number == 1 else f"The {number:,} refused rows are"
    return f"{rows} tried again in the background; this page shows how far it is."


def refuse_take_out(user: "User", batch: ImportBatch) -> str | None:
    """Return why `user` cannot have the refused rows as a file, None when they can: as whoever imports them."""
    if refused := refuse_import(user, get_importer(batch.importer)):
        return refused
    return None if Path(batch.file.path).exists() else "The file was erased, because it named a person who was."


def rejects_of(batch: ImportBatch, *, by: "User") -> tuple[list[str], Iterator[list[Any]]]:
    """Return the header of the file and its refused rows as they came, each with the reason, to be corrected.

    That they were taken out is written down. Rows that another person's erasure removed are not among them.

    Raises:
        NotAllowed: `by` may not import such records.
        WrongState: the file is gone.
        InvalidInput: it cannot be read any more, or nothing was refused.
    """
    if refused := refuse_take_out(by, batch):
        raise (NotAllowed if refuse_import(by, get_importer(batch.importer)) else WrongState)(refused)
    reasons = dict(refused_rows(batch).values_list("line", "reason"))
    if not reasons:
        raise InvalidInput("Nothing was refused.")
    access_log.log_access("export", by=by, thing=batch, detail={"rows": len(reasons), "what": "refused rows"})
    headers = [each for each in batch.headers if each.casefold() != WHY.casefold()]  # of rejects brought once more
    return [*headers, WHY], _rows(batch, headers, reasons)


def _rows(batch: ImportBatch, headers: list[str], reasons: dict[int, str]) -> Iterator[list[Any]]:
    with open_table(Path(batch.file.path), {**batch.options, "name": batch.file_name}) as table:
        for line in table.rows:
            if line.number in reasons:
                yield [*(line.cells.get(header, "") for header in headers), reasons[line.number]]
