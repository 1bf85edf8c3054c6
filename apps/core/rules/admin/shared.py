"""What both lists of rules share: the filter by kind, and kinds in words."""

from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest

from apps.core.rules.kinds import kinds
from apps.core.rules.models import RuleDocument


class KindFilter(admin.SimpleListFilter):
    """Rules of one kind."""

    title = "kind"
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The kinds there are."""
        return [(each.key, each.title) for each in kinds()]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        """Narrow the list."""
        column = "kind" if queryset.model is RuleDocument else "document__kind"
        return queryset.filter(**{column: self.value()}) if self.value() else queryset


def kind_title(key: str) -> str:
    """Return a kind in words; its key where the app that brings it is gone."""
    return next((each.title for each in kinds() if each.key == key), key)
