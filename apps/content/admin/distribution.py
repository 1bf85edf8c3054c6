"""Where content is shown, what it achieves there, what it is used for."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils.text import capfirst
from unfold.decorators import display

from apps.content.domain import publishing
from apps.content.enums import DistributionState
from apps.content.models import ContentLink, ContentMetric, Distribution, MaterialUse
from apps.core.admin_kit.base import MopsAdmin, ReadOnlyAdmin
from apps.core.admin_kit.buttons import Button, ReasonForm

STATES = {DistributionState.PLANNED.label: "warning", DistributionState.PUBLISHED.label: "success"}


class PublishedForm(forms.Form):
    """Asks what is out, and where."""

    address = forms.URLField(required=False, assume_scheme="https", help_text="Where people see it.")
    sha256 = forms.CharField(
        required=False,
        max_length=64,
        label="SHA-256 of what is out",
        help_text="Where the tool tells it. It must be that of what was approved.",
    )


@admin.register(Distribution)
class DistributionAdmin(MopsAdmin):
    """Distributions."""

    list_display = ("content", "place", "standing", "main_channel", "tool", "published_at", "taken_down_at")
    list_filter = ("state", "main_channel", "tool")
    search_fields = ("version__asset__title", "place")
    fields = (
        *("version", "tool", "main_channel", "place", "address", "standing", "sha256"),
        *("planned_by", "published_by", "published_at", "taken_down_at"),
    )
    readonly_fields = (
        *("version", "tool", "standing", "sha256", "planned_by", "published_by", "published_at", "taken_down_at"),
    )
    empty_state = "Nothing is distributed yet. Press “Plan a distribution” on the page of a version."
    buttons = (
        Button(
            "publish",
            "Mark as published",
            publishing.mark_published,
            publishing.refuse_publish,
            form=PublishedForm,
            confirm="You say that exactly what was approved is out. The version published before ends.",
            style="primary",
            icon="publish",
            hide_when_refused=False,
        ),
        Button(
            "take_down",
            "Taken down",
            publishing.take_down,
            publishing.refuse_take_down,
            form=ReasonForm,
            confirm="You say that it is not shown there any more.",
            icon="visibility_off",
        ),
    )

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load version, content and tool with the rows."""
        rows: models.QuerySet[Any] = super().get_queryset(request).select_related("version__asset", "tool")
        return rows.select_related("version__asset", "version__author", "tool", "planned_by", "published_by")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Distributions are planned on the page of a version."""
        return False

    @display(description="Content", ordering="version__asset__title")
    def content(self, distribution: Distribution) -> str:
        """What is shown."""
        return str(distribution.version)

    @display(description="State", ordering="state", label=STATES)
    def standing(self, distribution: Distribution) -> str:
        """Where it stands."""
        return DistributionState(distribution.state).label


@admin.register(ContentMetric)
class ContentMetricAdmin(ReadOnlyAdmin):
    """Daily figures."""

    list_display = ("content", "main_channel", "day", "source", "shown", "opened", "clicked", "converted", "bounced")
    list_filter = ("main_channel", "source", "day")
    search_fields = ("version__asset__title",)
    fields = (
        *("content", "main_channel", "day", "source", ("shown", "delivered", "bounced")),
        *(("opened", "clicked", "converted"), ("complained", "unsubscribed"), "recorded_by", "recorded_at"),
    )
    empty_state = "No figures yet. Import a file (Work → Imports, “Daily figures of content”)."

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load what the figures are of."""
        found: models.QuerySet[Any] = super().get_queryset(request).select_related("version__asset")
        return found

    @display(description="Content", ordering="version__asset__title")
    def content(self, metric: ContentMetric) -> str:
        """Of which version."""
        return str(metric.version)


@admin.register(MaterialUse)
class MaterialUseAdmin(ReadOnlyAdmin):
    """Uses of sales material."""

    list_display = ("version", "occasion", "person", "helped", "at")
    list_filter = ("helped", "at")
    search_fields = ("version__asset__title", "occasion")
    fields = ("version", "occasion", "person", "helped", "note", "at")
    empty_state = "Nothing was used yet. “I used this” stands on the page of approved sales material."

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load what was used and by whom."""
        found: models.QuerySet[Any] = super().get_queryset(request).select_related("version__asset", "person")
        return found


@admin.register(ContentLink)
class ContentLinkAdmin(MopsAdmin):
    """Which records show which content."""

    list_display = ("asset", "kind_of_record", "stands", "created_at")
    list_filter = ("content_type",)
    search_fields = ("asset__title",)
    fields = ("asset", "record_shown", "stands")
    readonly_fields = ("asset", "record_shown", "stands")
    kits = ()
    empty_state = "No record shows content yet. A campaign that does cannot launch before the content is approved."

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load the content and the kind of record."""
        found: models.QuerySet[Any] = super().get_queryset(request).select_related("asset", "content_type")
        return found

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Links are made on the page of the content."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A link stays as it is until it is taken away."""
        return False

    @display(description="Kind of record", ordering="content_type")
    def kind_of_record(self, link: ContentLink) -> str:
        """What shows it."""
        return capfirst(link.content_type.name)

    @display(description="Shown by")
    def record_shown(self, link: ContentLink) -> str:
        """Which record shows it."""
        return str(link.record)

    @display(description="Stands", ordering="asset__stage")
    def stands(self, link: ContentLink) -> str:
        """Where the content stands."""
        return str(link.asset.get_stage_display())
