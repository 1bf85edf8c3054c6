"""The page of segments in use: how many leads are in each, as of when, and what comparing them took."""

from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from unfold.decorators import display

from apps.core.admin_kit.base import ReadOnlyAdmin
from apps.core.admin_kit.buttons import Button
from apps.leads.domain.segmenting import refresh_by_button, refuse_refresh
from apps.leads.models import SegmentState


@admin.register(SegmentState)
class SegmentAdmin(ReadOnlyAdmin):
    """Segments in use and how fresh they are."""

    list_display = ("segment", "held", "as_of", "came", "went", "looked_at", "whole_at", "milliseconds")
    list_filter = ("as_of",)
    search_fields = ("document__title", "document__key")
    fields = (
        ("document", "version"),
        ("held", "as_of"),
        ("came", "went", "looked_at"),
        ("whole_at", "milliseconds"),
    )
    readonly_fields = ("held",)
    empty_state = (
        "No segment is in use. Start rules of the kind “Lead segment”, have them approved and activate them; their "
        "members are compared within five minutes."
    )
    buttons = (
        Button(
            "refresh",
            "Compare all leads now",
            refresh_by_button,
            refuse_refresh,
            confirm="Every lead is asked; the page says who came in and who dropped out.",
        ),
    )

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load rules with the rows."""
        rows: models.QuerySet[Any] = super().get_queryset(request)
        return rows.select_related("document", "version__document")

    @display(description="Segment", ordering="document__title")
    def segment(self, state: SegmentState) -> str:
        """Its title."""
        return str(state.document)

    @display(description="Leads", ordering="members")
    def held(self, state: SegmentState) -> str:
        """How many leads are in it, with a link to those the reader sees."""
        query = urlencode({"segment": state.document.key})
        address = f"{reverse('admin:leads_lead_changelist')}?{query}"
        return format_html('<a class="mops-link" href="{}">{}</a>', address, f"{state.members:,}")
