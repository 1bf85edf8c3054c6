"""The background jobs of import and export."""

from collections.abc import Mapping

from apps.core import clock
from apps.core.errors import DomainError
from apps.core.exchange.admin.lists import rows_of_run
from apps.core.exchange.domain import exporting, pruning, running, schedules, syncing
from apps.core.exchange.enums import BatchState, RunState
from apps.core.exchange.models import ExportRun, FileSource, ImportBatch
from apps.core.jobs.api import JobCancelled, Overlap, Run, job

HOUR = 3600


@job(running.PREVIEW_JOB, title="Preview an import", timeout=HOUR, max_attempts=3, overlap=Overlap.WAIT)
def preview_import(run: Run, *, batch_id: int) -> Mapping[str, int]:
    """Find out what an import would do."""
    batch: ImportBatch = ImportBatch.objects.get(pk=batch_id)

    def tick(done: int, total: int) -> None:
        run.progress(done, total)
        run.raise_if_cancelled()

    try:
        batch = running.carry_out_preview(batch, by=run.actor, tick=tick)
    except DomainError as refusal:
        running.fail_preview(batch, by=run.actor, problem=refusal.message)
        raise
    except JobCancelled:
        running.fail_preview(batch, by=run.actor, problem="The preview was cancelled; nothing was written.")
        raise
    return {str(kind): number for kind, number in batch.preview_counts.items()}


@job(running.RUN_JOB, title="Run an import", timeout=4 * HOUR, max_attempts=3, overlap=Overlap.WAIT)
def run_import(run: Run, *, batch_id: int, reason: str = "", refused_by_run: int = 0) -> Mapping[str, int]:
    """Carry an import out."""
    batch: ImportBatch = ImportBatch.objects.get(pk=batch_id)
    try:
        batch = running.carry_out(
            batch,
            by=run.actor,
            job=str(run.job_run.pk),
            tick=run.progress,
            stop=run.raise_if_cancelled,
            reason=reason,
            refused_by_run=refused_by_run,
        )
    except DomainError as refusal:
        running.finish(batch, BatchState.FAILED, by=run.actor, problem=refusal.message)
        raise
    except JobCancelled:
        running.finish(batch, BatchState.CANCELLED, by=run.actor, problem="Cancelled; the rows below are in.")
        raise
    run.log(running.said(batch))
    return {str(kind): number for kind, number in batch.counts.items()}


@job(syncing.SYNC_JOB, title="Sync a file source", timeout=4 * HOUR, max_attempts=2, overlap=Overlap.WAIT)
def sync_source(run: Run, *, source_id: int, scheduled: bool = False, dry_run: bool = False) -> Mapping[str, int]:
    """Read a source: by the clock in the name of its owner, else in that of whoever asked."""
    source: FileSource = FileSource.objects.select_related("owner").get(pk=source_id)
    synced = syncing.sync_source(
        source,
        by=source.owner if scheduled else run.actor,
        scheduled=scheduled,
        dry_run=dry_run,
        job=str(run.job_run.pk),
        tick=run.progress,
        stop=run.raise_if_cancelled,
    )
    run.log(synced.said)
    counted = ("created", "updated", "unchanged", "refused", "gone")
    return {name: getattr(synced, name) for name in counted}


@job("exchange.sync_due_sources", title="Sync the sources that are due", timeout=60, overlap=Overlap.FORBID)
def sync_due_sources(run: Run) -> Mapping[str, int]:
    """Queue a sync for each source whose time has come."""
    return {"queued": schedules.queue_due_sources(clock.now())}


@job("exchange.prune", title="Remove old previews and export files", timeout=HOUR, overlap=Overlap.FORBID)
def prune(run: Run) -> Mapping[str, int]:
    """Remove what is kept for a while only."""
    return pruning.prune(clock.now())


@job(exporting.EXPORT_JOB, title="Export a list", timeout=HOUR, max_attempts=3, overlap=Overlap.ALLOW)
def run_export(run: Run, *, export_id: int) -> Mapping[str, int]:
    """Write a long list into a file that is kept for the person who asked."""
    export: ExportRun = ExportRun.objects.select_related("requested_by").get(pk=export_id)
    if export.state != RunState.RUNNING:
        return {"rows": export.row_count or 0}
    try:
        rows = rows_of_run(export)
        total = rows.count()

        def tick(done: int) -> None:
            run.progress(done, total)
            run.raise_if_cancelled()

        exporting.keep_file(export, rows, tick=tick)
    except DomainError as refusal:
        if export.state == RunState.RUNNING:
            exporting.complete(export, RunState.FAILED, problem=refusal.message)
        raise
    except JobCancelled:
        exporting.complete(export, RunState.CANCELLED, problem="Cancelled; there is no file.")
        raise
    exporting.tell_ready(export)
    return {"rows": export.row_count or 0}
