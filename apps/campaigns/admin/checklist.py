"""The pages of launch checklists."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from unfold.decorators import display

from apps.campaigns.domain import checklist
from apps.campaigns.models import ChecklistItem
from apps.core.admin_kit.base import ARCHIVE_BUTTONS, MopsAdmin
from apps.core.admin_kit.buttons import Button, ReasonForm


class EvidenceForm(forms.Form):
    """Asks what shows that it was done."""

    evidence = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="What was looked at, by whom, and where it is kept. Files are attached below on the page.",
    )


@admin.register(ChecklistItem)
class ChecklistItemAdmin(MopsAdmin):
    """Lines of launch checklists."""

    list_display = ("short", "campaign", "sort", "stands", "settled_by", "settled_at")
    list_filter = ("state", "kind", "campaign__state")
    search_fields = ("title", "campaign__name", "evidence")
    autocomplete_fields = ("campaign",)
    allowed_lookups = ("campaign",)
    fieldsets = (
        (None, {"fields": ("campaign", "kind", "title", "position")}),
        ("How it was settled", {"fields": ("stands", "evidence", ("settled_by", "settled_at"))}),
    )
    readonly_fields = ("stands", "evidence", "settled_by", "settled_at")
    kits = ("notes", "attachments")
    buttons = (
        Button(
            "done",
            "Done",
            checklist.settle,
            checklist.refuse_settling,
            form=EvidenceForm,
            confirm="You sign for it with your name; the launch relies on it.",
            style="primary",
            back_to=lambda item: item.campaign,
        ),
        Button(
            "not-needed",
            "Not needed",
            checklist.settle_not_needed,
            checklist.refuse_settling,
            form=ReasonForm,
            confirm="The campaign goes live without it. You sign for that with your name.",
            back_to=lambda item: item.campaign,
        ),
        Button(
            "reopen",
            "Open again",
            checklist.reopen,
            checklist.refuse_reopening,
            form=ReasonForm,
            confirm="Somebody must look again before the launch. What was said stays in the history.",
        ),
        *ARCHIVE_BUTTONS,
    )
    empty_state = "No checklist yet. Each campaign gets one when its work begins."

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load campaigns and people with the rows."""
        return super().get_queryset(request).select_related("campaign", "settled_by")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """A line stays with its campaign."""
        fields = super().get_readonly_fields(request, obj)
        return (*fields, "campaign") if obj is not None else fields

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What is settled is opened again before it is worded otherwise."""
        return super().has_change_permission(request, obj) and (obj is None or obj.state == "open")

    @display(description="What to check", ordering="title")
    def short(self, item: ChecklistItem) -> str:
        """Its title up to the colon."""
        return item.title.partition(":")[0]

    @display(description="Kind", ordering="kind")
    def sort(self, item: ChecklistItem) -> str:
        """What it is about."""
        return item.get_kind_display()

    @display(description="State", ordering="state", label={"Open": "warning", "Done": "success", "Not needed": "info"})
    def stands(self, item: ChecklistItem) -> str:
        """Where it stands."""
        return item.get_state_display()
