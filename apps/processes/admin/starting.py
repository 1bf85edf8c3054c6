"""Starting a run from the page of its process, and the runs it had so far."""

from typing import Any

from django import forms
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminSingleDateWidget

from apps.core import access
from apps.core.admin_kit.buttons import Button
from apps.processes.domain.checklist import runs_of
from apps.processes.domain.running import refuse_start, start_from_page
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


def runs_panel(request: HttpRequest, process: Process) -> list[dict[str, Any]]:
    """Return the box with the runs of `process`; none for people who see no runs."""
    person: Any = request.user
    if not access.has_model_permission(person, "view", Run):
        return []
    return [
        {"template": "admin/processes/process_runs_panel.html", "process": process, **runs_of(process, person)},
    ]
