"""The page of segments in use: how many leads are in each, as of when, and what comparing them took."""

from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from unfold.decorators import display

from apps.core import access
from apps.core.admin_kit.base import ReadOnlyAdmin
from apps.core.admin_kit.buttons import Button
from apps.core.rules.models import RuleDocument
from apps.leads.domain.segmenting import refresh_by_button, refuse_refresh
from apps.leads.models import SegmentState
from apps.leads.segments import KIND


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
        "No segment is in use. A segment is a condition on leads, for campaigns, lists and reports: whoever fits it is "
        "in it. It is written as rules, approved and activated; its members are compared within five minutes."
    )
    list_before_template = "admin/leads/segments_before.html"
    buttons = (
        Button(
            "refresh",
            "Compare all leads now",
            refresh_by_button,
            refuse_refresh,
            confirm="Every lead is asked; the page says who came in and who dropped out.",
        ),
    )

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """Offer a new segment to those who may write rules; it begins as a rule document of its kind."""
        person: Any = request.user
        begin = f"{reverse('admin:rules_ruledocument_add')}?{urlencode({'kind': KIND})}"
        may = access.has_model_permission(person, "add", RuleDocument)
        return super().changelist_view(request, {**(extra_context or {}), "begin_segment": begin if may else ""})

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
