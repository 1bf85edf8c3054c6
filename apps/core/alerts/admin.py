"""The page of alerts: the most urgent first, with what can be done about each."""

import datetime as dt
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.timesince import timesince
from unfold.decorators import display

from apps.core import access, clock
from apps.core.admin_kit.base import ReadOnlyAdmin
from apps.core.admin_kit.buttons import Button, NoteForm
from apps.core.alerts.domain import handling
from apps.core.alerts.models import Alert, most_urgent_first

SEVERITIES = {"Info": "info", "Warning": "warning", "Critical": "danger"}
STATES = {"Open": "danger", "Acknowledged": "info", "Snoozed": "default", "Resolved": "success"}
HOURS = ((1, "One hour"), (4, "Four hours"), (24, "One day"), (72, "Three days"), (168, "A week"), (720, "Thirty days"))


class SnoozeForm(forms.Form):
    """Asks for how long."""

    hours = forms.TypedChoiceField(label="For how long", choices=HOURS, coerce=int, initial=24)
    note = forms.CharField(
        required=False, widget=forms.Textarea(attrs={"rows": 3}), help_text="Optional: why it can wait."
    )


class ResolveForm(forms.Form):
    """Asks what was done."""

    note = forms.CharField(
        label="What was done", widget=forms.Textarea(attrs={"rows": 3}), help_text="The next person will read it."
    )


def _snooze(alert: Alert, *, by: Any, hours: int, note: str = "") -> str:
    return handling.snooze(alert, by=by, until=clock.now() + dt.timedelta(hours=hours), note=note)


@admin.register(Alert)
class AlertAdmin(ReadOnlyAdmin):
    """Alerts."""

    list_display = ("title", "severity_chip", "state_chip", "age", "occurrences", "owner_name", "last_seen")
    list_filter = ("state", "severity")
    search_fields = ("title", "fingerprint", "subject_label")
    list_select_related = ("owner_person", "owner_team")
    in_palette = True
    fields = (
        "severity_chip",
        "state_chip",
        "owner_name",
        "occurrences",
        "first_seen",
        "last_seen",
        "acknowledged_by",
        "snoozed_until",
        "resolved_at",
        "fingerprint",
    )
    readonly_fields = ("severity_chip", "state_chip", "owner_name")
    empty_state = "No alert so far. What goes wrong by itself, a job that died or mail that came back, shows up here."
    buttons = (
        Button(
            "acknowledge",
            "I look into it",
            handling.acknowledge,
            handling.refuse_acknowledge,
            NoteForm,
            style="primary",
        ),
        Button("snooze", "Put off", _snooze, handling.refuse_snooze, SnoozeForm),
        Button("resolve", "Resolve", handling.resolve, handling.refuse_resolve, ResolveForm),
    )

    def get_ordering(self, request: HttpRequest) -> list[Any]:
        """Put the most urgent first."""
        return most_urgent_first()

    @display(description="severity", label=SEVERITIES)
    def severity_chip(self, alert: Alert) -> str:
        """Show how bad it is."""
        return alert.get_severity_display()

    @display(
        description="state",
        label={"Open": "danger", "Acknowledged": "info", "Snoozed": "default", "Resolved": "success"},
    )
    def state_chip(self, alert: Alert) -> str:
        """Show where it stands."""
        return alert.get_state_display()

    @display(description="age", ordering="first_seen")
    def age(self, alert: Alert) -> str:
        """Show how long it has been there, or was."""
        return str(timesince(alert.first_seen, alert.resolved_at or clock.now(), depth=1))

    @display(description="owner")
    def owner_name(self, alert: Alert) -> str:
        """Show who is told."""
        return alert.owner_label

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Add what happened so far, and what it is about where this person may see that."""
        alert = self.get_object(request, object_id)
        panels = [self._story(request, alert)] if alert is not None else []
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), "row_panels": panels})

    def _story(self, request: HttpRequest, alert: Alert) -> dict[str, Any]:
        previous = alert.previous_id and reverse("admin:alerts_alert_change", args=(alert.previous_id,))
        return {
            "template": "admin/mops/alert_story.html",
            "alert": alert,
            "events": alert.events.select_related("actor"),
            "link": _subject_link(request, alert),
            "previous": previous,
        }


def _subject_link(request: HttpRequest, alert: Alert) -> str:
    kind = alert.subject_type
    model = kind.model_class() if kind is not None else None
    if kind is None or model is None:
        return ""
    person: Any = request.user
    if not access.visible(person, model).filter(pk=alert.subject_id).exists():
        return ""
    try:
        return reverse(f"admin:{kind.app_label}_{kind.model}_change", args=(alert.subject_id,))
    except NoReverseMatch:
        return ""
