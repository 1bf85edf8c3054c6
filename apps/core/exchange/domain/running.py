"""Previewing and running an import: the same walk through the file, taken back in one case and kept in the other."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Count

from apps.core import clock
from apps.core.actors import Channel, acting_as, current_actor
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.core.exchange.domain.matching import check_mapping
from apps.core.exchange.domain.receiving import AT_ONCE
from apps.core.exchange.engine import Walk, summary
from apps.core.exchange.enums import BatchState, FileKind, OutcomeKind
from apps.core.exchange.models import ImportBatch, PreviewRow, RowOutcome
from apps.core.exchange.permissions import refuse_import
from apps.core.exchange.reading.table import open_table
from apps.core.exchange.registry import get_importer
from apps.core.exchange.storing import store_outcomes, store_preview
from apps.core.jobs.api import JobRun, enqueue
from apps.core.jobs.domain import runs
from apps.core.jobs.registry import LONGEST_TEXT
from apps.core.reasons import demanded_reason

if TYPE_CHECKING:
    from apps.accounts.models import User

PREVIEW_JOB, RUN_JOB = "exchange.preview_import", "exchange.run_import"
UNDER_WAY = (BatchState.PREVIEWING, BatchState.RUNNING)
Tick = Callable[[int, int], None]


def job_of(batch: ImportBatch) -> JobRun | None:
    """Return the job run that works on the import, or did last; None when there was none, or it is pruned."""
    return JobRun.objects.filter(pk=batch.job).first() if batch.job else None


def is_under_way(batch: ImportBatch) -> bool:
    """Whether a job works on the import now; one whose worker is gone for good does not count."""
    if batch.state not in UNDER_WAY:
        return False
    job = job_of(batch)
    return job is not None and not job.is_over


def standing(batch: ImportBatch) -> tuple[BatchState, str]:
    """Return how far the import has come and what went wrong, also where its job ended without a last word."""
    state = BatchState(batch.state)
    if state not in UNDER_WAY or is_under_way(batch):
        return state, batch.problem
    job = job_of(batch)
    return BatchState.FAILED, (job.error if job else "") or "Its job ended before it was done; start it again."


def refuse_cancel(user: "User", batch: ImportBatch) -> str | None:
    """Return why `user` cannot stop this import now, None when it works."""
    if refused := refuse_import(user, get_importer(batch.importer)):
        return refused
    job = job_of(batch)
    if job is None or not is_under_way(batch):
        return "This import is not under way."
    return runs.refuse_cancel(user, job)


def cancel_batch(batch: ImportBatch, *, by: "User") -> str:
    """Stop the preview or the run; what is in stays in.

    Raises:
        NotAllowed: `by` may not.
        WrongState: it is not under way.
    """
    with transaction.atomic(), acting_as(by):
        row = _locked(batch)
        job = job_of(row)
        if refused := refuse_cancel(by, row):
            raise (NotAllowed if refuse_import(by, get_importer(row.importer)) else WrongState)(refused)
        if job is not None:
            runs.cancel(job, by=by)
    return "The import has been asked to stop; what is in stays in."


def refuse_preview(user: "User", batch: ImportBatch) -> str | None:
    """Return why `user` cannot have this import previewed now, None when it works."""
    if refused := refuse_import(user, get_importer(batch.importer)):
        return refused
    if is_under_way(batch):
        return "This import is under way; wait until it has finished, or cancel it."
    return "This import has run already; its report tells what became of each row." if batch.run_number else None


def refuse_run(user: "User", batch: ImportBatch) -> str | None:
    """Return why `user` cannot run this import now, None when it works."""
    if refused := refuse_import(user, get_importer(batch.importer)):
        return refused
    if is_under_way(batch):
        return "This import is under way; wait until it has finished, or cancel it."
    if batch.previewed_at is None or batch.state in (BatchState.RECEIVED, BatchState.PREVIEWING):
        return "Look at the preview first: it says what the import would write."
    return None


def preview_batch(batch: ImportBatch, *, by: "User") -> ImportBatch:
    """Find out what an import would do: at once when the file is small, else in the background.

    Raises:
        NotAllowed: `by` may not import this.
        WrongState: it is under way, or has run.
        InvalidInput: the file or its matching cannot be used.
    """
    with transaction.atomic(), acting_as(by):
        row = _locked(batch)
        if refused := refuse_preview(by, row):
            raise (NotAllowed if refuse_import(by, get_importer(row.importer)) else WrongState)(refused)
        check_mapping(get_importer(row.importer), row.headers, row.mapping)
        if row.row_count is None or row.row_count > AT_ONCE:
            row.state = BatchState.PREVIEWING
            row.preview_job = enqueue(PREVIEW_JOB, args={"batch_id": row.pk}, by=by).pk
            row.save(update_fields=["state", "preview_job"])
            return row
        return carry_out_preview(row, by=by)


def carry_out_preview(batch: ImportBatch, *, by: "User", tick: Tick | None = None) -> ImportBatch:
    """Walk through the file without keeping anything, and store what would become of each row.

    Raises:
        InvalidInput: the file cannot be read to its end.
    """
    walk = Walk(get_importer(batch.importer), batch.mapping, by, dry=True, unit=unit_of(batch.kind))
    total = batch.row_count or count_rows(batch)
    PreviewRow.objects.filter(batch=batch).delete()
    options = {**batch.options, "name": batch.file_name}
    with acting_as(by, channel=Channel.IMPORT), open_table(Path(batch.file.path), options) as table:
        after = partial(_tell, tick, total) if tick else None
        walk.carry(table.rows, partial(store_preview, batch), after=after)
        notes = list(table.notes)
    with transaction.atomic(), acting_as(by):
        row = _locked(batch)
        row.row_count, row.notes, row.preview_counts = sum(walk.counts.values()), notes, dict(walk.counts)
        row.state, row.previewed_at, row.problem = BatchState.PREVIEWED, clock.now(), ""
        row.save()
    return row


def count_rows(batch: ImportBatch) -> int:
    """Return how many rows the file has, reading it to its end.

    Raises:
        InvalidInput: it cannot be read to its end.
    """
    with open_table(Path(batch.file.path), {**batch.options, "name": batch.file_name}) as table:
        return sum(1 for _ in table.rows)


def run_batch(batch: ImportBatch, *, by: "User") -> str:
    """Have a previewed import carried out in the background; running it again writes only what differs.

    Raises:
        NotAllowed: `by` may not import this.
        WrongState: it is under way, or nobody has seen a preview.
        InvalidInput: a rule wants a reason for writing such records, and none is given.
    """
    reason = current_actor().reason.strip()
    with transaction.atomic(), acting_as(by):
        row = _locked(batch)
        if refused := refuse_run(by, row):
            raise (NotAllowed if refuse_import(by, get_importer(row.importer)) else WrongState)(refused)
        queue_run(row, by=by, reason=reason)
    return "The import is running in the background; this page shows how far it is."


def queue_run(row: ImportBatch, *, by: "User", reason: str, refused_by_run: int = 0) -> None:
    """Begin one more run of a locked import.

    Args:
        row: the import.
        by: in whose name.
        reason: why, as the person said.
        refused_by_run: carry out only the rows that the run of this number refused; 0: all.

    Raises:
        InvalidInput: a rule wants a reason for writing such records, and none is given.
    """
    model = get_importer(row.importer).model
    if not reason and (demand := demanded_reason(model, "insert") or demanded_reason(model, "update")):
        raise InvalidInput(demand, fields={"change_reason": demand})
    told: dict[str, Any] = {"reason": reason[:LONGEST_TEXT]} if reason else {}
    told |= {"refused_by_run": refused_by_run} if refused_by_run else {}
    row.state, row.run_number = BatchState.RUNNING, row.run_number + 1
    row.counts, row.problem, row.finished_at = {}, "", None
    row.run_job = enqueue(RUN_JOB, args={"batch_id": row.pk, **told}, by=by).pk
    row.save()


def carry_out(
    batch: ImportBatch,
    *,
    by: "User",
    job: str,
    tick: Tick,
    stop: Callable[[], None],
    reason: str = "",
    refused_by_run: int = 0,
) -> ImportBatch:
    """Carry the rows out, batch by batch, each with its outcomes in one transaction; begun again it goes on.

    Args:
        batch: the import.
        by: in whose name.
        job: the number of the job run, for the ledger.
        tick: told how far it is.
        reason: why, as the person who began it said.
        stop: asked after each batch whether to go on; raises when not.
        refused_by_run: carry out only the rows that the run of this number refused; 0: all.

    Raises:
        InvalidInput: the file cannot be read.
    """
    walk = Walk(get_importer(batch.importer), batch.mapping, by, unit=unit_of(batch.kind))
    done = set(batch.outcomes.filter(run_number=batch.run_number).values_list("line", flat=True))
    total, only = batch.row_count or 0, None
    if refused_by_run:
        refused = batch.outcomes.filter(run_number=refused_by_run, kind=OutcomeKind.REFUSED)
        only = set(refused.values_list("line", flat=True))

    def after(number: int) -> None:
        tick(number, total)
        stop()

    with (
        acting_as(by, channel=Channel.IMPORT, job_id=job, reason=reason or f"Import {batch}"),
        open_table(Path(batch.file.path), {**batch.options, "name": batch.file_name}) as table,
    ):
        walk.carry(table.rows, partial(store_outcomes, batch), skip=done, only=only, after=after)
    return finish(batch, BatchState.DONE, by=by)


def finish(batch: ImportBatch, state: BatchState, *, by: Any, problem: str = "") -> ImportBatch:
    """Write how an import ended, with what became of its rows so far."""
    with transaction.atomic(), acting_as(by):
        row = _locked(batch)
        row.state, row.counts, row.problem, row.finished_at = state, counts_of(row), problem, clock.now()
        row.save(update_fields=["state", "counts", "problem", "finished_at"])
    return row


def fail_preview(batch: ImportBatch, *, by: Any, problem: str) -> None:
    """Write that a preview could not be made; the columns can be matched again."""
    with transaction.atomic(), acting_as(by):
        row = _locked(batch)
        row.state, row.problem = BatchState.FAILED, problem
        row.save(update_fields=["state", "problem"])


def counts_of(batch: ImportBatch, run: int = 0) -> dict[str, int]:
    """Return how many rows of the last run, or of the one named, ended how."""
    rows = RowOutcome.objects.filter(batch=batch, run_number=run or batch.run_number).order_by()
    return dict(rows.values_list("kind").annotate(number=Count("id")))


def said(batch: ImportBatch) -> str:
    """Return the result, or what is to be expected, as a sentence."""
    if batch.counts:
        return summary(batch.counts)
    return summary(batch.preview_counts, would=True) if batch.preview_counts else ""


def unit_of(kind: str) -> str:
    """Return what a row of such a file is called: records of a list have no line of their own."""
    return "Record" if kind in (FileKind.YAML, FileKind.JSON) else "Line"


def _tell(tick: Tick, total: int, done: int) -> None:
    tick(done, total)


def _locked(batch: ImportBatch) -> ImportBatch:
    found: ImportBatch = ImportBatch.objects.select_for_update(of=("self",)).get(pk=batch.pk)
    return found
