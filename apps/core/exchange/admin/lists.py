"""The rows and columns of a list exactly as its page shows them to one person, for exports."""

import copy
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import ValidationError
from django.db import models
from django.http import HttpRequest, QueryDict

from apps.core.admin_kit.searching import reach_all
from apps.core.errors import InvalidInput
from apps.core.exchange.domain.exporting import default_fields, is_secret
from apps.core.exchange.models import ExportRun

CHOSEN = "chosen"
PAGING = ("p", "all", "e", CHOSEN)
MOST_CHOSEN = 500


def export_fields(model_admin: Any) -> tuple[str, ...]:
    """Return the columns a list may be exported with: those its admin class declares, or all that are no secret."""
    declared: Sequence[str] = getattr(model_admin, "export_fields", ())
    return tuple(name for name in declared if not is_secret(name)) or default_fields(model_admin.model)


def chosen_of(request: HttpRequest) -> list[str]:
    """Return the keys of the rows that were chosen on the page; none means all that the filter shows."""
    return [key for key in request.GET.get(CHOSEN, "").split(",") if key][:MOST_CHOSEN]


def filters_of(request: HttpRequest) -> str:
    """Return the list's query string: filters, search and order alone."""
    query = request.GET.copy()
    for name in PAGING:
        query.pop(name, None)
    return query.urlencode()


def rows_of(model_admin: Any, request: HttpRequest, *, filters: str, chosen: Sequence[str]) -> models.QuerySet[Any]:
    """Return the rows that the list shows this person under these filters, in its order.

    Raises:
        InvalidInput: the filter cannot be read.
    """
    asked = copy.copy(request)
    asked.GET = QueryDict(filters)  # type: ignore[assignment]  # immutable, as a request's own
    asked.method = "GET"
    reach_all(asked)
    try:
        rows: models.QuerySet[Any] = model_admin.get_changelist_instance(asked).get_queryset(asked)
    except IncorrectLookupParameters as error:
        raise InvalidInput(
            "The filter of the list cannot be read; open the list again and export from there."
        ) from error
    return rows.filter(pk__in=_keys(model_admin.model, chosen)) if chosen else rows


def _keys(model: type[models.Model], chosen: Sequence[str]) -> list[Any]:
    """Return the keys that can be keys of this model; what somebody else typed into the address is left out."""
    keys = []
    for text in chosen:
        with suppress(ValidationError):
            keys.append(model._meta.pk.to_python(text))
    return keys


def rows_of_run(run: ExportRun) -> models.QuerySet[Any]:
    """Return the rows of a background export, as the person who asked sees them now.

    Raises:
        InvalidInput: there is no such list any more.
    """
    for model, model_admin in admin.site._registry.items():
        if model._meta.label_lower == run.model:
            request = HttpRequest()
            request.method, request.user = "GET", run.requested_by  # type: ignore[assignment]
            return rows_of(model_admin, request, filters=run.filters, chosen=run.selection)
    raise InvalidInput(f"There is no list of {run.title} any more.")
