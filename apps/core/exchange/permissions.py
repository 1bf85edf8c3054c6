"""Who imports and exports what."""

from typing import TYPE_CHECKING, Any

from django.db import models

from apps.core import access
from apps.core.exchange.models import ExportRun, ImportBatch
from apps.core.exchange.registry import Importer, all_importers

if TYPE_CHECKING:
    from apps.accounts.models import User


def refuse_import(user: "User", importer: Importer) -> str | None:
    """Return why `user` may not bring files in through `importer`, None when it is allowed."""
    if not access.has_model_permission(user, "add", ImportBatch):
        return "Your roles do not let you import."
    return importer.refuse(user)


def refuse_export(user: "User", model: type[models.Model]) -> str | None:
    """Return why `user` may not take out lists of `model`, None when it is allowed."""
    if not access.may_open(user, "view", model):
        return f"You may not view {model._meta.verbose_name_plural}."
    if not access.has_model_permission(user, "add", ExportRun):
        return "Your roles do not let you export; ask somebody of Marketing Operations."
    return None


def scope_by_importer(user: "User", rows: "models.QuerySet[Any]") -> "models.QuerySet[Any]":
    """Narrow imports and sources to those whose records `user` may view; a scope for `access.register_scope`."""
    return rows.filter(importer__in=_viewable(user))


def scope_by_source(user: "User", rows: "models.QuerySet[Any]") -> "models.QuerySet[Any]":
    """Narrow syncs to those of sources whose records `user` may view."""
    return rows.filter(source__importer__in=_viewable(user))


def _viewable(user: "User") -> list[str]:
    return [each.key for each in all_importers() if access.has_model_permission(user, "view", each.model)]
