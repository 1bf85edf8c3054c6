"""Outcomes into their tables by COPY: a report of a million rows takes seconds."""

import json
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from django.db import connection

from apps.core.exchange.enums import OutcomeKind
from apps.core.exchange.models import ImportBatch, PreviewRow, RowOutcome, SyncRun
from apps.core.exchange.registry import Outcome

_COMMON = ("line", "kind", "key", "object_id", "reason")
Values = tuple[Any, ...]


def store_preview(batch: ImportBatch, outcomes: Sequence[Outcome]) -> None:
    """Keep what would become of rows."""
    rows = ((*_common(each), batch.pk, json.dumps(_pairs(each))) for each in outcomes)
    _copy(PreviewRow._meta.db_table, (*_COMMON, "batch_id", "changes"), rows)


def store_outcomes(batch: ImportBatch, outcomes: Sequence[Outcome]) -> None:
    """Keep what became of the rows of an import."""
    rows = ((*_common(each), batch.pk, batch.run_number, None, _array(tuple(each.changes))) for each in outcomes)
    _copy_outcomes(rows)


def store_sync_outcomes(run: SyncRun, outcomes: Sequence[Outcome]) -> None:
    """Keep what became of the records of a sync; those that are unchanged are only counted."""
    told = (each for each in outcomes if each.kind != OutcomeKind.UNCHANGED)
    _copy_outcomes((*_common(each), None, 0, run.pk, _array(tuple(each.changes))) for each in told)


def _copy_outcomes(rows: Iterable[Values]) -> None:
    _copy(RowOutcome._meta.db_table, (*_COMMON, "batch_id", "run_number", "sync_run_id", "fields"), rows)


def _common(outcome: Outcome) -> Values:
    return (outcome.line, str(outcome.kind), outcome.key, outcome.object_id, outcome.reason)


@lru_cache(maxsize=1_000)
def _array(names: tuple[str, ...]) -> str:
    """Return names as PostgreSQL writes an array; most rows of a file change the same fields."""
    return "{" + ",".join('"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"' for name in names) + "}"


def _pairs(outcome: Outcome) -> dict[str, list[str]]:
    return {label: [before, after] for label, (before, after) in outcome.changes.items()}


def _copy(table: str, columns: tuple[str, ...], rows: Iterable[Values]) -> None:
    statement = f"COPY {table} ({', '.join(columns)}) FROM STDIN"
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)
