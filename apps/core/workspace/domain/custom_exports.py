"""Custom fields in exports: a column for each field in use, typed, read in the same query as the rows."""

from typing import TYPE_CHECKING, Any

from django.db import models

from apps.core import access
from apps.core.exchange.domain.exporting import ExportColumn, Extra, register_extra
from apps.core.governed import GovernedBase
from apps.core.records import kind_of
from apps.core.workspace.domain.custom_values import fields_of, typed
from apps.core.workspace.models import CustomField, CustomValues

if TYPE_CHECKING:
    from apps.accounts.models import User

PREFIX, LOADED = "custom.", "mops_custom_values"


def register() -> None:
    """Let every export offer the custom fields of its kind."""
    register_extra(Extra(PREFIX, columns, load, refuse))


def columns(model: type[models.Model]) -> list[ExportColumn]:
    """Return a column for each custom field in use on records of this kind."""
    return [_column(each) for each in fields_of(model)] if issubclass(model, GovernedBase) else []


def load(rows: "models.QuerySet[Any]") -> "models.QuerySet[Any]":
    """Put the stored values into the rows."""
    about = CustomValues.objects.filter(content_type=kind_of(rows.model), object_id=models.OuterRef("pk"))
    loaded: models.QuerySet[Any] = rows.annotate(**{LOADED: models.Subquery(about.values("values")[:1])})
    return loaded


def refuse(user: "User") -> str | None:
    """Return why `user` sees no values of custom fields, None when they do."""
    return None if access.has_model_permission(user, "view", CustomValues) else "You do not see custom fields."


def _column(field: CustomField) -> ExportColumn:
    return ExportColumn(
        f"{PREFIX}{field.key}", field.label, lambda row: typed(field, (getattr(row, LOADED) or {}).get(field.key))
    )
