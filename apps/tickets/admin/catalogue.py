"""The pages of queues and of types with their forms."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db import models
from django.db.models import Count, Q
from django.http import HttpRequest
from unfold.decorators import display

from apps.core.admin_kit.base import ARCHIVE_BUTTONS, MopsAdmin
from apps.core.admin_kit.buttons import Button
from apps.core.admin_kit.consistency import Check
from apps.core.markdown import render
from apps.core.words import NOTHING
from apps.tickets.domain.forms import publish_form, refuse_form, written
from apps.tickets.enums import ACTIVE, Tier
from apps.tickets.models import Queue, TicketType


def _form_facts(kind: TicketType) -> dict[str, Any]:
    form = kind.current_form
    return {"form": form, "text": written(form.questions) if form is not None else ""}


def _form_panel(request: HttpRequest, kind: TicketType) -> dict[str, Any]:
    return {"template": "admin/tickets/current_form.html", **_form_facts(kind)}


class QuestionsForm(forms.Form):
    """Asks what a form asks."""

    questions = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 10}),
        help_text="One question a line: “Campaign name* | text”. A star makes it required. Kinds: text, long text, "
        "choice, date, number, yes or no. After another bar: for a choice its answers, separated by commas; else a "
        "help text.",
    )


@admin.register(Queue)
class QueueAdmin(MopsAdmin):
    """Queues."""

    list_display = ("name", "team", "waiting", "nobody", "is_default")
    search_fields = ("name", "purpose")
    list_filter = ("team",)
    autocomplete_fields = ("team", "calendar")
    fieldsets = (
        (None, {"fields": ("name", "purpose", "team", "calendar", "address", "is_default")}),
        ("After a ticket is resolved", {"fields": (("reopen_days", "close_days"), ("follow_up_days", "asks_score"))}),
    )
    empty_state = "A queue is where tickets wait for a team. Add the first one and make it the default."
    buttons = ARCHIVE_BUTTONS
    consistency_checks = (
        Check("No active person in its team", lambda rows: rows.exclude(team__memberships__person__is_active=True)),
    )

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Count what waits in each."""
        active = Q(tickets__state__in=ACTIVE, tickets__archived_at=None)
        rows: models.QuerySet[Any] = super().get_queryset(request)
        counted: models.QuerySet[Any] = rows.select_related("team").annotate(
            active=Count("tickets", filter=active), untaken=Count("tickets", filter=active & Q(tickets__assignee=None))
        )
        return counted

    @display(description="Active", ordering="active")
    def waiting(self, queue: Any) -> int:
        """How many tickets are still to be done."""
        return int(queue.active)

    @display(description="Nobody's", ordering="untaken")
    def nobody(self, queue: Any) -> int:
        """How many of them nobody has taken."""
        return int(queue.untaken)


@admin.register(TicketType)
class TicketTypeAdmin(MopsAdmin):
    """The catalogue."""

    list_display = ("name", "help", "queue", "questions", "in_catalogue", "owned_by")
    list_filter = ("tier", "queue", "in_catalogue")
    search_fields = ("name", "summary", "guide")
    autocomplete_fields = ("queue", "process", "owner_person", "owner_team", "backup_person", "backup_team")
    fieldsets = (
        (None, {"fields": ("name", "tier", "summary", "guide", ("queue", "process"), "starts_run", "in_catalogue")}),
        ("Who answers for it", {"fields": (("owner_person", "owner_team"), ("backup_person", "backup_team"))}),
    )
    empty_state = "The catalogue says what colleagues do alone, ask for, or need a project for. Add the first entry."
    buttons = (
        Button(
            "form",
            "Publish a form",
            publish_form,
            refuse_form,
            form=QuestionsForm,
            confirm="Tickets opened from now on are asked this; those opened before keep what they were asked.",
            panel=_form_panel,
        ),
        *ARCHIVE_BUTTONS,
    )

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load the queue and the owner, and count the forms."""
        rows: models.QuerySet[Any] = super().get_queryset(request)
        counted: models.QuerySet[Any] = rows.select_related("queue", "owner_person", "owner_team").annotate(
            published=Count("forms")
        )
        return counted

    @display(description="Help", ordering="tier")
    def help(self, kind: TicketType) -> str:
        """How much help it needs."""
        return Tier(kind.tier).label

    @display(description="Form", ordering="published")
    def questions(self, kind: Any) -> str:
        """Which version of its form is asked."""
        return f"version {kind.published}" if kind.published else NOTHING

    @display(description="Owner", ordering="owner_person__full_name")
    def owned_by(self, kind: TicketType) -> str:
        """Who answers for it."""
        return str(kind.owner or NOTHING)

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show what is asked, and how the guide reads."""
        kind, extra = self.get_object(request, object_id), dict(extra_context or {})
        if kind is not None:
            panel = {"template": "admin/tickets/type_panel.html", "guide": render(kind.guide), **_form_facts(kind)}
            extra["row_panels"] = [*extra.get("row_panels", []), panel]
        return super().change_view(request, object_id, form_url, extra)
