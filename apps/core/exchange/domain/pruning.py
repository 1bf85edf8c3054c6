"""Removes what is kept for a while only: previews and the files of exports. Reports and records of both stay."""

import datetime as dt

from apps.core.exchange.models import ExportRun, PreviewRow
from apps.core.private_files import private_files
from apps.core.retention.domain.periods import kept
from apps.core.retention.registry import Period, register_period

PREVIEWS = register_period(Period("exchange.previews", "Previews of imports", 30, 1, 365, "the preview"))
FILES = register_period(Period("exchange.files", "Files of exports", 7, 1, 90, "the export"))


def prune(now: dt.datetime) -> dict[str, int]:
    """Remove previews and export files that are older than their periods.

    Returns:
        How many preview rows and files went.
    """
    rows, _ = PreviewRow.objects.filter(batch__previewed_at__lt=now - kept(PREVIEWS)).delete()
    storage, files = private_files(), 0
    oldest = now - kept(FILES)
    # as far back as a file may lie from the time of a longer period, and a month during which no worker ran
    reach = now - dt.timedelta(days=FILES.most + 30)
    old = ExportRun.objects.filter(background=True, started_at__lt=oldest, started_at__gt=reach)
    for run in old.iterator():
        if storage.exists(run.place):
            storage.delete(run.place)
            files += 1
    return {"preview_rows": rows, "files": files}
