"""Who looked at or took out what: read-only, for auditors and administrators."""

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils.text import capfirst
from unfold.decorators import display

from apps.core.admin_kit.base import ReadOnlyAdmin
from apps.core.words import NOTHING
from apps.rights.models import AccessLog


@admin.register(AccessLog)
class AccessLogAdmin(ReadOnlyAdmin):
    """Accesses."""

    list_display = ("at", "person", "kind", "what", "how")
    list_filter = ("kind", "model", "at", "person")
    search_fields = ("object_label", "object_id", "person__full_name", "person__email", "request_id")
    fields = ("at", "person", "kind", "what", "how", "request_id")
    readonly_fields = ("what", "how")
    empty_state = (
        "Nothing yet. Exports, looking on as somebody else, and personal data that auditors read are written down here."
    )

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load the people with the rows."""
        return super().get_queryset(request).select_related("person")

    @display(description="Record", ordering="model")
    def what(self, access: AccessLog) -> str:
        """Which record, or which list."""
        number = f" #{access.object_id}" if access.object_id else ""
        return access.object_label or f"{_kind(access.model)}{number}"

    @display(description="How")
    def how(self, access: AccessLog) -> str:
        """The columns of an export, the filter of a list, the page."""
        told = (
            f"{key}: {', '.join(map(str, each)) if isinstance(each, list) else each}"
            for key, each in access.detail.items()
        )
        return " · ".join(each for each in told if not each.endswith(": ")) or NOTHING


def _kind(label: str) -> str:
    """What people call such records; the label itself where the kind is gone."""
    try:
        return capfirst(str(apps.get_model(label)._meta.verbose_name))
    except (LookupError, ValueError):
        return label
