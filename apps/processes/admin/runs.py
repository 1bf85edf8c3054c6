"""Runs: the checklist one works in, on the page of each."""

from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.urls import reverse
from unfold.decorators import display

from apps.accounts.models import User
from apps.core import access
from apps.core.admin_kit.base import MopsAdmin
from apps.core.admin_kit.buttons import Button, ReasonForm, shown_buttons
from apps.core.markdown import render
from apps.core.words import NOTHING
from apps.processes.admin.run_steps import CHIPS
from apps.processes.domain import moving, running
from apps.processes.domain.checklist import steps_of, trail_of
from apps.processes.domain.measuring import strayed
from apps.processes.enums import RunState, StepState
from apps.processes.models import Run, RunStep

RUN_COLOURS = {
    RunState.ACTIVE.label: "info",
    RunState.DONE.label: "success",
    RunState.CANCELLED.label: "warning",
}


def move_panel(request: HttpRequest, run: Run) -> dict[str, Any]:
    """Show what taking the run to the version in force will do to it."""
    version = run.process.effective_version
    assert version is not None  # noqa: S101  # the button is refused without one
    return {
        "template": "admin/processes/move_panel.html",
        "run": run,
        "version": version,
        "plan": moving.plan_move(run, version),
    }


class ConformsFilter(admin.SimpleListFilter):
    """Whether a run followed its process, as the figure conformance counts it."""

    title, parameter_name = "followed its process", "conforms"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Offer yes and no."""
        return [("yes", "Yes"), ("no", "No: a step was left out, or the version changed")]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        """Narrow to what was chosen."""
        if self.value() == "no":
            return queryset.filter(strayed())
        return queryset.exclude(strayed()) if self.value() == "yes" else queryset


@admin.register(Run)
class RunAdmin(MopsAdmin):
    """Processes being carried out."""

    list_display = ("title", "document", "standing", "progress", "owned_by", "due_on", "started_at")
    list_filter = ("state", "process", "process__family", ConformsFilter, "started_at", "due_on")
    search_fields = ("title", "process__title")
    fields = (("title", "due_on"), ("owner_person", "owner_team"), ("backup_person", "backup_team"))
    autocomplete_fields = ("owner_person", "owner_team", "backup_person", "backup_team")
    list_select_related = ("process", "version", "owner_person", "owner_team")
    in_palette = True
    empty_state = "No run yet. Open a process whose version is in force and press “Start a run”."
    buttons = (
        Button(
            "move",
            "Go to the version in force",
            moving.move_run,
            moving.refuse_move,
            form=ReasonForm,
            panel=move_panel,
            icon="move_up",
        ),
        Button(
            "cancel",
            "Call off",
            running.cancel_run,
            running.refuse_cancel,
            form=ReasonForm,
            confirm="What was done stays on record; what was due no longer is. A run that is called off stays so.",
            style="danger",
            icon="event_busy",
        ),
    )

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Runs are started from their process."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What is over stays as it was."""
        return super().has_change_permission(request, obj) and (obj is None or obj.is_active)

    @display(description="Process", ordering="process__title")
    def document(self, run: Run) -> str:
        """What is carried out, on which version."""
        return f"{run.process.title}, version {run.version.number}"

    @display(description="State", ordering="state", label=RUN_COLOURS)
    def standing(self, run: Run) -> str:
        """Where it stands."""
        return RunState(run.state).label

    @display(description="Steps", ordering="steps_closed")
    def progress(self, run: Run) -> str:
        """How many of its steps are closed."""
        return f"{run.steps_closed} of {run.steps_total}"

    @display(description="Owner", ordering="owner_person__full_name")
    def owned_by(self, run: Run) -> str:
        """Who answers for it."""
        return str(run.owner or NOTHING)

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show the checklist to work in, and below it what happened."""
        run, extra = self.get_object(request, object_id), dict(extra_context or {})
        if run is not None:
            extra["row_panels"] = [*extra.get("row_panels", []), *self._panels(request, run)]
        return super().change_view(request, object_id, form_url, extra)

    def _panels(self, request: HttpRequest, run: Run) -> list[dict[str, Any]]:
        steps_admin = self.admin_site._registry[RunStep]
        lines = [
            {
                "row": row,
                "chip": CHIPS.get(StepState(row.state), ""),
                "html": render(row.step.instructions) if row.is_open and row.step.instructions else "",
                "buttons": shown_buttons(steps_admin, request, row) if row.is_open and run.is_active else [],
            }
            for row in steps_of(run)
        ]
        person: Any = request.user
        checklist = {
            "template": "admin/processes/run_panel.html",
            "run": run,
            "lines": lines,
            "percent": round(100 * run.steps_closed / run.steps_total) if run.steps_total else 0,
            **_subject(person, run),
            "newer": run.is_active and run.process.effective_version_id != run.version_id,
            "token": get_token(request),
        }
        return [checklist, {"template": "admin/processes/trail_panel.html", "events": trail_of(run), "run": run}]


def _subject(person: User, run: Run) -> dict[str, Any]:
    """What the run is for and where its page is, where the person may see it."""
    subject: Any = run.subject
    if subject is None or not access.may(person, "view", subject):
        return {"subject": None}
    opts = subject._meta
    has_page = admin.site.is_registered(type(subject))
    page = reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=(subject.pk,)) if has_page else ""
    return {"subject": subject, "subject_page": page}
