"""An object's history: its versions, what changed between them, by whom; readable, never writable.

simple-history's own admin is not used: its history form lets a view-only user write and ignores row scope
(reproduced on 3.13.0; tests/core/admin_kit/test_history.py keeps it so).
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.utils.formats import date_format
from django.utils.timezone import localtime

from apps.core.access_log import note_read
from apps.core.admin_kit.kits import kits_of
from apps.core.governed import GovernedBase
from apps.core.money import number_in_words
from apps.core.words import NOTHING

VERSIONS_PER_PAGE = 20
UNINTERESTING = ("id", "uuid", "created_at", "updated_at", "row_version")


@dataclass(frozen=True)
class Change:
    """One field that differs between two versions, as a person reads it."""

    label: str
    before: str
    after: str


@dataclass(frozen=True)
class Version:
    """One version of an object, or of something that hangs on it; then `title` says what happened."""

    row: Any
    changes: tuple[Change, ...]
    title: str = ""


@dataclass(frozen=True)
class Companion:
    """History rows of what hangs on a record, and how to tell one: `describe(row, the one before or None)`."""

    rows: models.QuerySet[Any]
    describe: Callable[[Any, Any], Version]


def history_page(model_admin: Any, request: HttpRequest, object_id: str) -> HttpResponse:
    """Show the versions of one row, newest first, to whoever may see the row now.

    Raises:
        Http404: the row is not among those this person sees.
        PermissionDenied: the person may not view rows of this kind.
    """
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(["GET", "HEAD"])
    thing = model_admin.get_object(request, object_id)
    if thing is None:
        raise Http404
    if not model_admin.has_view_permission(request, thing):
        raise PermissionDenied
    note_read(request.user, thing, "history")
    hidden = set(model_admin.history_hidden_fields(request, thing))
    # machines' own rows, runs and log entries, keep no versions
    rows = _named(thing.history.all()) if hasattr(thing, "history") else type(thing).objects.none()
    companions = [each for kit in kits_of(model_admin) for each in kit.companions(model_admin, request, thing)]
    told = sum(each.rows.count() for each in companions)
    page = Paginator(range(rows.count() + told), VERSIONS_PER_PAGE).get_page(request.GET.get("p"))
    first, last = max(0, page.start_index() - 1), page.end_index()
    passed = 0 if told else first  # what comes before this page is known only once all kinds are merged
    versions = _versions(thing, rows[passed:last], rows, hidden)
    for companion in companions:
        versions += _told(companion, last)
    versions.sort(key=lambda version: version.row.history_date, reverse=True)
    context = {
        **model_admin.admin_site.each_context(request),
        "title": f"History of {thing}",
        "opts": model_admin.opts,
        "original": thing,
        "page": page,
        "versions": versions[first - passed : last - passed],
        "versions_url": f"{request.path}versions/",
        "may_restore": isinstance(thing, GovernedBase)
        and not thing.is_archived
        and model_admin.has_change_permission(request),
        "newest_id": next((each.row.history_id for each in versions if not each.title), None)
        if page.number == 1
        else None,
    }
    return TemplateResponse(request, "admin/mops/history.html", context)


def _named(rows: Any) -> Any:
    """History rows, newest first, with the people who wrote them."""
    return rows.select_related("history_user").order_by("-history_id")


def _told(companion: Companion, limit: int) -> list[Version]:
    rows = list(_named(companion.rows)[: limit + 1])
    older = [*rows[1:], None][: len(rows)]
    return [companion.describe(row, before) for row, before in zip(rows, older, strict=True)][:limit]


def _versions(thing: models.Model, shown: Any, rows: Any, hidden: set[str]) -> list[Version]:
    listed = list(shown)
    if not listed:
        return []
    older = rows.filter(history_id__lt=listed[-1].history_id).first()
    pairs = zip(listed, [*listed[1:], older], strict=True)
    names = Names(thing, [*listed, *([older] if older else [])])
    return [Version(row, tuple(changes_between(row, before, names, hidden))) for row, before in pairs]


def changes_between(row: Any, before: Any, names: "Names", hidden: set[str]) -> list[Change]:
    """Return what differs between a version and the one before (None: it is the first), as a person reads it."""
    if row.history_type == "-":
        return []
    found = []
    for field in row.tracked_fields:
        if field.name in UNINTERESTING or field.name in hidden:
            continue
        new = getattr(row, field.attname)
        old = getattr(before, field.attname) if before is not None else None
        if new != old and not (before is None and new in (None, "", False, [], {})):
            label = str(field.verbose_name)
            found.append(
                Change(label[:1].upper() + label[1:], names.show(field, old, before), names.show(field, new, row))
            )
    return found


class Names:
    """The names of everything the versions point to, fetched in one query per kind instead of one per version."""

    def __init__(self, thing: models.Model, rows: list[Any], fields: Any = None) -> None:
        """Look up what `rows` (versions, or with `fields` other rows) point to."""
        self._names: dict[type[models.Model], dict[Any, str]] = {}
        wanted: dict[type[models.Model], set[Any]] = {}
        for row in rows:
            for field in fields or row.tracked_fields:
                if field.is_relation and getattr(row, field.attname) is not None:
                    wanted.setdefault(field.related_model, set()).add(getattr(row, field.attname))
        for model, keys in wanted.items():
            found = model._base_manager.in_bulk(keys)
            self._names[model] = {
                key: each.name.capitalize() if isinstance(each, ContentType) else str(each)
                for key, each in found.items()
            }

    def show(self, field: Any, value: Any, row: Any = None) -> str:
        """Return one value as a person reads it; `row` is where the currency of an amount stands."""
        if value in (None, ""):
            return NOTHING
        if field.is_relation:
            return self._names.get(field.related_model, {}).get(value, f"#{value}")
        if field.choices:
            return str(dict(field.flatchoices).get(value, value))
        if isinstance(value, bool):
            return "Yes" if value else "No"
        if isinstance(value, dt.datetime):
            return date_format(localtime(value), "j M Y, H:i:s")
        if isinstance(value, dt.date):
            return date_format(value, "j M Y")
        if isinstance(value, Decimal):
            return number_in_words(field, value, row)
        return str(value)
