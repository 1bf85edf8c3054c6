"""When a person is erased: what reports, previews, sources and uploaded files say of them.

A report keeps its line without the key and the reason. A file that named the person goes as a whole, once its import
has ended; its name, size and SHA-256 stay as evidence of what was imported.
"""

from functools import partial
from typing import Any

from django.db import connection, models, transaction

from apps.core.exchange.enums import BatchState
from apps.core.exchange.models import ImportBatch, PreviewRow, RowOutcome, SourceRecord
from apps.core.exchange.registry import all_importers
from apps.core.personal import Traces

OPEN = (BatchState.PREVIEWING, BatchState.RUNNING)


def erase_from_exchange(traces: Traces) -> int:
    """Erase the person from everything that imports have left behind; returns how many places were emptied."""
    named = _names(traces)
    outcomes = RowOutcome.objects.filter(named | _of_rows(traces))
    numbers = list(outcomes.values_list("pk", flat=True))
    batches = set(outcomes.exclude(batch=None).values_list("batch_id", flat=True))
    previews = PreviewRow.objects.filter(named | _of_rows(traces, ("batch__importer",)))
    batches |= set(previews.values_list("batch_id", flat=True))
    emptied, _ = previews.delete()
    known, _ = SourceRecord.objects.filter(key__in=traces.values).delete()
    with connection.cursor() as cursor:
        cursor.execute("SELECT mops_erase_row_outcomes(%s)", [numbers])
        (reports,) = cursor.fetchone() or (0,)
    return int(emptied + known + reports) + _drop_files(batches)


def _names(traces: Traces) -> models.Q:
    return models.Q(key__in=traces.values) | models.Q(key__in={value.lower() for value in traces.values})


def _of_rows(traces: Traces, kinds: tuple[str, ...] = ("batch__importer", "sync_run__source__importer")) -> models.Q:
    """What was imported into the person's own rows."""
    found = models.Q(pk__in=())
    for row in traces.rows:
        keys = [each.key for each in all_importers() if getattr(each, "model", None) is type(row)]
        for kind in kinds:
            found |= models.Q(**{f"{kind}__in": keys, "object_id": str(row.pk)})
    return found


def _drop_files(batches: set[Any]) -> int:
    ended = list(ImportBatch.objects.filter(pk__in=batches).exclude(state__in=OPEN))
    for batch in ended:
        transaction.on_commit(partial(batch.file.storage.delete, batch.file.name))
    return len(ended)
