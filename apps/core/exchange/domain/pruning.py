"""Removes what is kept for a while only: previews and the files of exports. Reports and records of both stay."""

import datetime as dt

from apps.core.exchange.models import ExportRun, PreviewRow
from apps.core.private_files import private_files

KEEP_PREVIEWS = dt.timedelta(days=30)
KEEP_EXPORT_FILES = dt.timedelta(days=7)


def prune(now: dt.datetime) -> dict[str, int]:
    """Remove previews older than `KEEP_PREVIEWS` and export files older than `KEEP_EXPORT_FILES`.

    Returns:
        How many preview rows and files went.
    """
    rows, _ = PreviewRow.objects.filter(batch__previewed_at__lt=now - KEEP_PREVIEWS).delete()
    storage, files = private_files(), 0
    oldest = now - KEEP_EXPORT_FILES
    old = ExportRun.objects.filter(background=True, started_at__lt=oldest, started_at__gt=oldest - KEEP_PREVIEWS)
    for run in old.iterator():
        if storage.exists(run.place):
            storage.delete(run.place)
            files += 1
    return {"preview_rows": rows, "files": files}
