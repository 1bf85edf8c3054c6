"""Columns that a person must not see: out of lists, forms, filters, searches, lookups, orders and history alike.

Which they are says `access.hidden_columns`; this is the one place where admin pages obey it.
"""

from collections.abc import Sequence
from typing import Any

from django.contrib.admin.utils import flatten
from django.db import models
from django.http import HttpRequest

from apps.core import access


def hidden_from(request: HttpRequest, model: type[models.Model]) -> frozenset[str]:
    """Return the hidden fields of `model`, asked once per request."""
    person: Any = request.user
    known: dict[type[models.Model], frozenset[str]] = request.__dict__.setdefault("_mops_hidden_columns", {})
    if model not in known:
        known[model] = access.hidden_columns(person, model)
    return known[model]


class LimitsColumns:
    """The part of an admin class that leaves hidden columns out."""

    model: type[models.Model]

    def is_hidden(self, request: HttpRequest, path: Any) -> bool:
        """Whether a field, lookup, column or order shows or reads a hidden column of this or a related model."""
        if not isinstance(path, str):
            return self._reads_hidden(request, path)
        plain = path.lstrip("-^=@")
        if access.is_hidden_path(lambda model: hidden_from(request, model), self.model, plain):
            return True
        column = getattr(self, plain, None) or getattr(self.model, plain, None)
        return callable(column) and self._reads_hidden(request, column)

    def _reads_hidden(self, request: HttpRequest, column: Any) -> bool:
        order = getattr(column, "admin_order_field", None)
        return isinstance(order, str) and access.is_hidden_path(
            lambda model: hidden_from(request, model), self.model, order.lstrip("-")
        )

    def _shown(self, request: HttpRequest, names: Any) -> list[Any]:
        if not names:
            return list(names or ())
        return [each for each in names if not self.is_hidden(request, each[0] if isinstance(each, tuple) else each)]

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """Leave hidden columns out of the list."""
        return self._shown(request, super().get_list_display(request))  # type: ignore[misc]  # a mix-in of ModelAdmin

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        """Leave filters by hidden columns out."""
        return self._shown(request, super().get_list_filter(request))  # type: ignore[misc]

    def get_search_fields(self, request: HttpRequest) -> list[Any]:
        """Search no hidden column: an answer would tell its value."""
        return self._shown(request, super().get_search_fields(request))  # type: ignore[misc]

    def get_ordering(self, request: HttpRequest) -> list[Any]:
        """Order by no hidden column: the order would tell it."""
        return self._shown(request, super().get_ordering(request))  # type: ignore[misc]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Leave hidden columns out of the form, and with them out of what a forged form can set."""
        kept = []
        for name, options in super().get_fieldsets(request, obj):  # type: ignore[misc]
            rows = [self._row(request, each) for each in options["fields"]]
            fields = [each for each in rows if each]
            if fields or not options["fields"]:
                kept.append((name, {**options, "fields": fields}))
        return kept

    def _row(self, request: HttpRequest, row: Any) -> Any:
        if isinstance(row, str) or callable(row):
            return None if self.is_hidden(request, row) else row
        shown = tuple(each for each in flatten(row) if not self.is_hidden(request, each))
        return shown[0] if len(shown) == 1 else shown

    def history_hidden_fields(self, request: HttpRequest, obj: Any) -> Sequence[str]:
        """Return the fields whose history this person does not see."""
        return tuple(hidden_from(request, self.model))
