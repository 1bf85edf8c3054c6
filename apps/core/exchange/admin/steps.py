"""The steps of an import: which one it is at, and what can be done there."""

from typing import Any

from django.urls import reverse

from apps.core.admin_kit.buttons import Button
from apps.core.exchange.domain import rejects, running
from apps.core.exchange.enums import BatchState
from apps.core.exchange.models import ImportBatch
from apps.core.exchange.registry import get_importer
from apps.core.jobs.domain.watching import clusters_alive

STEPS = ("Upload", "Match columns", "Preview", "Report")
UPLOAD, MATCH, PREVIEW, REPORT = range(4)


def _refuse_first(user: Any, batch: ImportBatch) -> str | None:
    return "It has run already." if batch.run_number else running.refuse_run(user, batch)


def _refuse_again(user: Any, batch: ImportBatch) -> str | None:
    return running.refuse_run(user, batch) if batch.run_number else "It has not run yet."


def _refuse_new_preview(user: Any, batch: ImportBatch) -> str | None:
    if batch.previewed_at is None and batch.state != BatchState.PREVIEWING:
        return "Match the columns first."
    return running.refuse_preview(user, batch)


def _preview(batch: ImportBatch, *, by: Any) -> str:
    return running.said(running.preview_batch(batch, by=by)) or "The preview is being made in the background."


def _written(batch: ImportBatch) -> Any:
    return get_importer(batch.importer).model


BUTTONS = (
    Button("run", "Import now", running.run_batch, _refuse_first, style="primary", icon="upload", writes=_written),
    Button(
        "run-again",
        "Run again",
        running.run_batch,
        _refuse_again,
        confirm="Every row is compared again, and only what differs is written.",
        writes=_written,
    ),
    Button(
        "retry",
        "Try the refused rows again",
        rejects.retry_refused,
        rejects.refuse_retry,
        confirm="Only the rows that were refused are judged again, by what is there now; the others are left alone.",
        writes=_written,
    ),
    Button("preview", "Preview again", _preview, _refuse_new_preview),
    Button(
        "cancel",
        "Cancel",
        running.cancel_batch,
        running.refuse_cancel,
        style="danger",
        confirm="It stops after the rows it is at; what is in stays in.",
    ),
)


def step_of(batch: ImportBatch) -> int:
    """Return the step an import is at."""
    if batch.run_number:
        return REPORT
    if batch.state == BatchState.RECEIVED or (batch.state == BatchState.FAILED and batch.previewed_at is None):
        return MATCH if batch.state == BatchState.RECEIVED else PREVIEW
    return PREVIEW


def progress_of(batch: ImportBatch) -> dict[str, Any]:
    """Return what the bar shows."""
    job = running.job_of(batch)
    over = job is None or job.is_over
    waiting = job is not None and job.started_at is None
    return {
        "url": reverse("admin:exchange_importbatch_progress", args=(batch.pk,)),
        "over": over,
        "waiting": waiting,
        "no_worker": waiting and job is not None and not clusters_alive(job.queue),
        "done": job.done if job else 0,
        "total": (job.total if job else 0) or batch.row_count or 0,
        "percent": job.percent if job else None,
        "what": "Preview" if batch.state == BatchState.PREVIEWING else "Import",
    }
