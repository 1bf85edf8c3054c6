"""Rows in and out: imports, the sources they may come from, and exports."""

from apps.core.exchange.models.exports import ExportRun
from apps.core.exchange.models.imports import ColumnMapping, ImportBatch, PreviewRow, RowOutcome
from apps.core.exchange.models.sources import FileSource, SourceRecord, SyncRun

__all__ = [
    "ColumnMapping",
    "ExportRun",
    "FileSource",
    "ImportBatch",
    "PreviewRow",
    "RowOutcome",
    "SourceRecord",
    "SyncRun",
]
