"""Starting a run from the page of its process or of the record it is for, and the runs there were so far."""

from typing import Any

from django import forms
from django.db import models
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminSelect2Widget, UnfoldAdminSingleDateWidget

from apps.core import access
from apps.core.actors import current_actor
from apps.core.admin_kit.buttons import Button
from apps.processes.domain.checklist import runs_about, runs_of
from apps.processes.domain.running import (
    can_be_started,
    refuse_start,
    refuse_start_about,
    start_about,
    start_from_page,
)
from apps.processes.models import Process, Run


class StartForm(forms.Form):
    """Asks what the run is for and when it is due."""

    title = forms.CharField(
        label="What for", required=False, max_length=200, help_text="Empty: the process and today's date."
    )
    due_on = forms.DateField(label="Due", required=False, widget=UnfoldAdminSingleDateWidget)


START = Button(
    "start_run",
    "Start a run",
    start_from_page,
    refuse_start,
    form=StartForm,
    confirm="A checklist of the steps in force is made; it stays on this version, whatever comes after.",
    icon="play_circle",
)


class StartAboutForm(StartForm):
    """Asks which process is carried out for a record, too."""

    process = forms.ModelChoiceField(
        Process.objects.none(),
        widget=UnfoldAdminSelect2Widget,
        help_text="Those with steps in force that you may see.",
    )
    field_order = ("process", "title", "due_on")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer what the person who asks may start."""
        super().__init__(*args, **kwargs)
        person, field = current_actor().user, self.fields["process"]
        if person is not None and isinstance(field, forms.ModelChoiceField):
            field.queryset = can_be_started(person)


START_ABOUT = Button(
    "start_run",
    "Start a run",
    start_about,
    refuse_start_about,
    form=StartAboutForm,
    confirm="A checklist of the steps in force is made for this record; it stays on this version.",
    icon="play_circle",
)


def runs_about_panel(request: HttpRequest, thing: models.Model, occasion: str = "") -> list[dict[str, Any]]:
    """Return the box with the runs for a record, for the page of that record; none for people who see no runs.

    Args:
        request: who asks.
        thing: the record.
        occasion: what starts runs for such records by itself (`triggers.register_occasion`).
    """
    person: Any = request.user
    if not access.has_model_permission(person, "view", Run):
        return []
    waiting = access.visible(person, Process).filter(archived_at=None, starts_with=occasion) if occasion else []
    shown = {"runs": runs_about(thing, person), "by_itself": [str(each) for each in waiting]}
    return [{"template": "admin/processes/runs_about_panel.html", **shown}]


def runs_panel(request: HttpRequest, process: Process) -> list[dict[str, Any]]:
    """Return the box with the runs of `process`; none for people who see no runs."""
    person: Any = request.user
    if not access.has_model_permission(person, "view", Run):
        return []
    return [
        {"template": "admin/processes/process_runs_panel.html", "process": process, **runs_of(process, person)},
    ]
