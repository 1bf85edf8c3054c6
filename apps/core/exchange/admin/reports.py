"""What a report shows: rows by outcome, links to the records that the reader may see, and the same as CSV."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from apps.core import access
from apps.core.exchange.domain import running
from apps.core.exchange.enums import OutcomeKind
from apps.core.exchange.models import ImportBatch, SyncRun
from apps.core.exchange.registry import get_importer
from apps.core.words import NOTHING

Report = ImportBatch | SyncRun
CHIPS = {"created": "good", "updated": "warn", "unchanged": "", "refused": "bad", "gone": "bad"}
WOULD = {
    "created": "Would be created",
    "updated": "Would be updated",
    "unchanged": "Unchanged",
    "refused": "Refused",
}
FETCHED = 2_000


def is_preview(report: Report) -> bool:
    """Whether the report tells what would be."""
    return isinstance(report, ImportBatch) and not report.run_number


def run_of(report: Report, request: HttpRequest) -> int:
    """Return which run of an import is asked for: the last one, unless an earlier one is."""
    last = report.run_number if isinstance(report, ImportBatch) else 0
    asked = request.GET.get("run", "")
    return min(int(asked), last) if asked.isdecimal() and len(asked) < 10 and int(asked) else last


def rows(report: Report, kind: str, run: int = 0) -> models.QuerySet[Any]:
    """Return the rows of the report, of one outcome or of all; of the last run, or of the one named."""
    found: models.QuerySet[Any]
    if isinstance(report, SyncRun):
        found = report.outcomes.all()
    elif is_preview(report):
        found = report.preview_rows.all()
    else:
        found = report.outcomes.filter(run_number=run or report.run_number)
    return found.filter(kind=kind) if kind in OutcomeKind.values else found


def counts(report: Report, run: int = 0) -> dict[str, int]:
    """Return how many rows ended how, in the last run or in the one named."""
    if isinstance(report, SyncRun):
        return {kind: getattr(report, kind) for kind in OutcomeKind.values if kind != OutcomeKind.UNCHANGED}
    if run and run != report.run_number:
        return running.counts_of(report, run)
    return dict(report.preview_counts if is_preview(report) else report.counts)


def tabs(report: Report, kind: str, run: int = 0) -> list[dict[str, Any]]:
    """Return the filter above the report."""
    numbers = counts(report, run)
    known = [(each, OutcomeKind(each).label, numbers[each]) for each in OutcomeKind.values if numbers.get(each)]
    everything = [("", "All", sum(numbers.values()))]
    return [{"kind": each, "label": label, "count": n, "now": each == kind} for each, label, n in everything + known]


def shown(report: Report, page: Iterable[Any], request: HttpRequest) -> list[dict[str, Any]]:
    """Return the rows of one page as the template draws them."""
    listed = list(page)
    preview = is_preview(report)
    links = _links(report, listed, request)
    return [
        {
            "row": row,
            "label": WOULD.get(row.kind, row.get_kind_display()) if preview else row.get_kind_display(),
            "chip": CHIPS[row.kind],
            "url": links.get(row.object_id, ""),
            "changes": list(row.changes.items()) if preview else [],
            "fields": [] if preview else row.fields,
        }
        for row in listed
    ]


def lines(report: Report, kind: str, run: int = 0) -> tuple[list[str], Iterator[list[Any]]]:
    """Return the header and the rows of the report as a file."""
    preview = is_preview(report)
    names = ["Row", "Outcome", "Record", "Reason", "Changes" if preview else "Changed fields"]

    def each() -> Iterator[list[Any]]:
        for row in rows(report, kind, run).iterator(FETCHED):
            changes = _changes(row.changes) if preview else ", ".join(row.fields)
            yield [row.line or None, row.get_kind_display(), row.key, row.reason, changes]

    return names, each()


def _changes(changes: dict[str, list[str]]) -> str:
    return "; ".join(f"{label}: {before or NOTHING} → {after or NOTHING}" for label, (before, after) in changes.items())


def _links(report: Report, listed: list[Any], request: HttpRequest) -> dict[str, str]:
    """Return the address of each record that the reader may see, in one query."""
    keys = {row.object_id for row in listed if row.object_id}
    importer = get_importer(report.source.importer if isinstance(report, SyncRun) else report.importer)
    model: Any = importer.model
    if not keys or model not in admin.site._registry:
        return {}
    user: Any = request.user
    seen = access.visible(user, model).filter(pk__in=keys).values_list("pk", flat=True)
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}_change"
    try:
        return {str(key): reverse(name, args=(key,)) for key in seen}
    except NoReverseMatch:
        return {}
