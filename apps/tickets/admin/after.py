"""The pages after the answer: follow-ups, and what requesters thought."""

import datetime as dt
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from unfold.decorators import display

from apps.core import access, clock
from apps.core.admin_kit.base import ARCHIVE_BUTTONS, MopsAdmin
from apps.core.admin_kit.buttons import Button
from apps.tickets.domain import satisfaction
from apps.tickets.domain.follow_ups import record_outcome, refuse_outcome
from apps.tickets.enums import FollowUpOutcome
from apps.tickets.models import FollowUp, Survey

DAYS = (30, 90, 365)
SHOWN = 20


class OutcomeForm(forms.Form):
    """Asks what a follow-up found."""

    outcome = forms.ChoiceField(choices=FollowUpOutcome.choices)
    note = forms.CharField(required=False, widget=forms.Textarea(attrs={"rows": 4}))


@admin.register(FollowUp)
class FollowUpAdmin(MopsAdmin):
    """Follow-ups."""

    list_display = ("what", "about", "due", "assignee", "came_of_it")
    list_filter = ("outcome", "assignee", "due_on")
    search_fields = ("question", "ticket__title")
    autocomplete_fields = ("assignee",)
    fields = ("ticket", "question", ("due_on", "assignee"), "came_of_it", "note", ("done_at", "done_by"))
    readonly_fields = ("ticket", "came_of_it", "note", "done_at", "done_by")
    empty_state = "A follow-up is a task to look at a ticket again. Plan one on the page of a ticket."
    buttons = (
        Button(
            "outcome",
            "Record the outcome",
            record_outcome,
            refuse_outcome,
            form=OutcomeForm,
            confirm="“Not solved” opens the ticket again.",
            style="primary",
        ),
        *ARCHIVE_BUTTONS,
    )

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load ticket and person with the rows."""
        found: models.QuerySet[Any] = super().get_queryset(request).select_related("ticket", "assignee", "done_by")
        return found

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """They are planned on the page of a ticket."""
        return False

    @display(description="Follow-up", ordering="question")
    def what(self, follow_up: FollowUp) -> str:
        """What to find out."""
        return follow_up.question

    @display(description="Ticket", ordering="ticket__title")
    def about(self, follow_up: FollowUp) -> str:
        """Which ticket."""
        return str(follow_up.ticket)

    @display(description="Due", ordering="due_on", label={"late": "danger"})
    def due(self, follow_up: FollowUp) -> Any:
        """When."""
        words = f"{follow_up.due_on:%-d %b %Y}"
        late = not follow_up.outcome and follow_up.due_on < clock.today()
        return ("late", f"{words}, late") if late else words

    @display(description="Outcome", ordering="outcome")
    def came_of_it(self, follow_up: FollowUp) -> str:
        """What came of it."""
        return FollowUpOutcome(follow_up.outcome).label if follow_up.outcome else "open"


@admin.site.admin_view
def satisfaction_page(request: HttpRequest) -> HttpResponse:
    """Show who was asked, who answered and what they said."""
    person: Any = request.user
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(["GET", "HEAD"])
    if not access.has_model_permission(person, "view", Survey):
        raise PermissionDenied
    wanted = request.GET.get("days", "")
    days = int(wanted) if wanted in [str(each) for each in DAYS] else DAYS[1]
    rows = satisfaction.surveys_of(person, since=clock.now() - dt.timedelta(days=days))
    said = rows.filter(answered_at__isnull=False).select_related("ticket", "agent").order_by("-answered_at")
    context = {
        **admin.site.each_context(request),
        "title": "Satisfaction",
        "days": days,
        "choices": DAYS,
        "whole": satisfaction.lines(rows)[0],
        "tables": [(label, satisfaction.lines(rows, by)) for by, label in satisfaction.BY.items()],
        "sides": satisfaction.sides(rows),
        "said": said[:SHOWN],
    }
    return TemplateResponse(request, "admin/tickets/satisfaction.html", context)
