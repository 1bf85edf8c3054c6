"""All files on all records, for whoever looks for one; and the kit that shows them on each record's page."""

from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.html import format_html
from unfold.decorators import display

from apps.core.admin_kit.base import ReadOnlyAdmin
from apps.core.admin_kit.consistency import Check
from apps.core.admin_kit.kits import register_kit
from apps.core.admin_kit.links import link_to, url_of
from apps.core.attachments.domain.files import is_intact
from apps.core.attachments.models import Attachment
from apps.core.attachments.views import KEY, AttachmentsKit
from apps.core.words import NOTHING

register_kit(AttachmentsKit())


def not_intact(rows: models.QuerySet[Attachment]) -> models.QuerySet[Attachment]:
    """Return the rows whose file is gone from the disk, or is not the one that was attached."""
    return rows.filter(pk__in=[row.pk for row in rows if not is_intact(row)])


@admin.register(Attachment)
class AttachmentAdmin(ReadOnlyAdmin):
    """Files on records."""

    list_display = ("name", "version", "about", "readable_size", "attached_by", "created_at")
    list_filter = ("media_type", ("created_at", admin.DateFieldListFilter))
    search_fields = ("name", "description", "attached_by__full_name", "=sha256")
    list_select_related = ("attached_by", "content_type")
    ordering = ("-created_at", "-id")
    fields = (
        "name",
        "download",
        "version",
        "description",
        "about",
        "media_type",
        "readable_size",
        "sha256",
        "attached_by",
        "created_at",
        "archived_at",
    )
    consistency_checks = (Check("The file is gone or is not the one that was attached", not_intact),)
    empty_state = "No file is attached to anything yet. Files are attached on the page of the record they belong to."

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load the records with the files, in one query per kind."""
        return super().get_queryset(request).prefetch_related("record")

    @display(description="record")
    def about(self, row: Attachment) -> str:
        """Name the record."""
        return link_to(row.record)

    @display(description="size", ordering="size")
    def readable_size(self, row: Attachment) -> str:
        """Tell the size as people do."""
        return filesizeformat(row.size)

    @display(description="file")
    def download(self, row: Attachment) -> str:
        """Offer the file."""
        if not url_of(row.record):
            return NOTHING
        kind = row.content_type
        given = {"object_id": row.object_id, "kit": KEY, "verb": "download", "item": row.uuid}
        url = reverse(f"admin:{kind.app_label}_{kind.model}_kit", kwargs=given)
        return format_html('<a class="mops-link" href="{}">Download {}</a>', url, row.name)
