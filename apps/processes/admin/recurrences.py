"""Processes that come round: the rule, its next dates, and what became of those before."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from unfold.decorators import display

from apps.core import clock
from apps.core.admin_kit.base import ARCHIVE_BUTTONS, MopsAdmin
from apps.core.admin_kit.buttons import Button, ReasonForm
from apps.core.admin_kit.locking import RowVersionForm
from apps.core.words import NOTHING
from apps.processes.domain.recurring import next_dates, refuse_rule, refuse_skip, skip_next
from apps.processes.models import Recurrence

SHOWN = 12


class RecurrenceForm(RowVersionForm):
    """Refuses a rule that never occurs."""

    def clean(self) -> Any:
        """Look whether any date comes."""
        data = super().clean()
        needed = ("every", "starts_on", "shift")
        if all(self.cleaned_data.get(name) is not None for name in needed):
            given = {name: self.cleaned_data.get(name) for name in (*needed, "ends_on")}
            if refused := refuse_rule(Recurrence(**given)):
                raise ValidationError(refused)
        return data


@admin.register(Recurrence)
class RecurrenceAdmin(MopsAdmin):
    """What comes round, and how often."""

    form = RecurrenceForm
    list_display = ("title", "process", "every", "starts_on", "ends_on", "shift", "owned_by")
    list_filter = ("every", "process", "shift")
    search_fields = ("title", "process__title")
    autocomplete_fields = ("process", "owner_person", "owner_team", "backup_person", "backup_team")
    fields = (
        *("title", "process", ("every", "shift"), ("starts_on", "ends_on"), "days_to_finish"),
        *(("owner_person", "owner_team"), ("backup_person", "backup_team")),
    )
    list_select_related = ("process", "owner_person", "owner_team")
    empty_state = "Nothing comes round yet. Add the monthly report or the quarterly review, and its runs start alone."
    buttons = (
        Button(
            "skip",
            "Skip the next one",
            skip_next,
            refuse_skip,
            form=ReasonForm,
            confirm="The next date starts no run; why stays on record.",
            icon="skip_next",
        ),
        *ARCHIVE_BUTTONS,
    )

    @display(description="Owner", ordering="owner_person__full_name")
    def owned_by(self, recurrence: Recurrence) -> str:
        """Who answers for the runs."""
        return str(recurrence.owner or NOTHING)

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show the next dates, and what became of those before."""
        row, extra = self.get_object(request, object_id), dict(extra_context or {})
        if row is not None:
            panel = {
                "template": "admin/processes/recurrence_panel.html",
                "next": next_dates(row, clock.today()) if row.archived_at is None else [],
                "past": row.occurrences.select_related("run")[:SHOWN],
            }
            extra["row_panels"] = [*extra.get("row_panels", []), panel]
        return super().change_view(request, object_id, form_url, extra)
