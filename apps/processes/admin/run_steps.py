"""The steps of runs: done, assigned, waited for, left out, and what happened to each."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from unfold.decorators import display

from apps.accounts.models import User
from apps.core.admin_kit.base import ReadOnlyAdmin
from apps.core.admin_kit.buttons import Button, ReasonForm
from apps.core.markdown import render
from apps.processes.admin.exceptions import ShowsApproval
from apps.processes.domain import doing, waiving
from apps.processes.domain.checklist import trail_of_step, way_choices, workers
from apps.processes.enums import StepKind, StepState, WaiverState
from apps.processes.models import Run, RunStep, RunStepEvent, StepWaiver

STEP_COLOURS = {
    StepState.TODO.label: "info",
    StepState.DOING.label: "info",
    StepState.WAITING.label: "warning",
    StepState.FAILED.label: "danger",
    StepState.DONE.label: "success",
}
CHIPS = {StepState.DONE: "good", StepState.FAILED: "bad", StepState.WAITING: "warn", StepState.WAIVED: "warn"}


class AssignForm(forms.Form):
    """Asks whose step it is."""

    person = forms.ModelChoiceField(
        workers().none(), label="Whose step it is", help_text="Who is chosen is told, and finds it on the home page."
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the active people."""
        super().__init__(*args, **kwargs)
        field: Any = self.fields["person"]
        field.queryset = workers()


def done_form(row: RunStep) -> type[forms.Form]:
    """Return the form that finishes this step: evidence, and the way taken where several lead on."""
    needed = row.step.kind == StepKind.EVIDENCE
    fields: dict[str, forms.Field] = {
        "evidence": forms.CharField(
            required=needed,
            widget=forms.Textarea(attrs={"rows": 3}),
            help_text="What shows that it was done: a sentence, a figure, an address. Files go under “Files” below.",
        )
    }
    ways = way_choices(row)
    if len(ways) > 1:
        single = row.step.kind == StepKind.DECISION
        kind = forms.ChoiceField if single else forms.MultipleChoiceField
        widget = forms.RadioSelect if single else forms.CheckboxSelectMultiple
        fields["ways"] = kind(
            label="What happens next", choices=ways, widget=widget, error_messages={"required": "Choose what is next."}
        )
    return type("DoneForm", (forms.Form,), fields)


def finish(row: RunStep, *, by: User, evidence: str = "", ways: Any = ()) -> str:
    """Finish a step with what the form says; one way comes as a word, several as a list."""
    return doing.finish_step(row, by=by, evidence=evidence, ways=[ways] if isinstance(ways, str) else list(ways))


def run_of(row: RunStep) -> Run:
    """Return the run of a step: where one goes on after a button."""
    return row.run


@admin.register(RunStep)
class RunStepAdmin(ReadOnlyAdmin):
    """The steps of runs; worked on by their buttons, here or on the run's page."""

    list_display = ("what", "carried_out", "standing", "whose", "opened_at", "closed_at", "round")
    list_filter = ("state", "assignee", "run__process", "step__kind", "step__mode", "opened_at")
    search_fields = ("step__title", "run__title", "evidence")
    fields = ("what", "carried_out", "standing", "whose", "evidence", "opened_at", "closed_at", "closed_by", "round")
    list_select_related = ("step", "run", "assignee", "closed_by")
    kits = ("notes", "attachments")
    empty_state = "No step yet: steps come with the runs they belong to."
    buttons = (
        Button(
            "begin", "Start", doing.begin_step, doing.refuse_begin, style="primary", icon="play_arrow", back_to=run_of
        ),
        Button(
            "resume",
            "Go on",
            doing.resume_step,
            doing.refuse_resume,
            style="primary",
            icon="play_arrow",
            back_to=run_of,
        ),
        Button(
            "done", "Done", finish, doing.refuse_done, form_for=done_form, style="primary", icon="check", back_to=run_of
        ),
        Button(
            "assign",
            "Assign",
            doing.assign_step,
            doing.refuse_assign,
            form=AssignForm,
            icon="person_add",
            back_to=run_of,
        ),
        Button(
            "wait",
            "Wait",
            doing.wait_step,
            doing.refuse_wait,
            form=ReasonForm,
            confirm="Say what it waits for. The time until it goes on counts as waiting.",
            icon="pause",
            back_to=run_of,
        ),
        Button("fail", "Failed", doing.fail_step, doing.refuse_fail, form=ReasonForm, icon="error", back_to=run_of),
        Button(
            "waive",
            "Leave out",
            waiving.waive_step,
            waiving.refuse_waive,
            form=ReasonForm,
            confirm="The step blocks nothing; it is left out at once, and why stays on record.",
            icon="block",
            back_to=run_of,
        ),
        Button(
            "ask_waiver",
            "Ask to leave out",
            waiving.ask_waiver,
            waiving.refuse_ask_waiver,
            form=ReasonForm,
            confirm="The step is blocking; it stays open until a second person has approved leaving it out.",
            icon="gpp_maybe",
            back_to=run_of,
        ),
        Button(
            "reopen",
            "Reopen",
            doing.reopen_step,
            doing.refuse_reopen,
            form=ReasonForm,
            confirm="This step and all that comes after it are to be done again; what was done stays in the trail.",
            style="danger",
            icon="undo",
            back_to=run_of,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load what a step says of itself."""
        rows = super().get_queryset(request)
        joined: models.QuerySet[Any] = rows.select_related("step__role", "run__version", "run__process", "assignee")
        return joined

    @display(description="Step", ordering="step__title")
    def what(self, row: RunStep) -> str:
        """What is done."""
        return row.step.title

    @display(description="Run", ordering="run__title")
    def carried_out(self, row: RunStep) -> str:
        """In which run."""
        return row.run.title

    @display(description="State", ordering="state", label=STEP_COLOURS)
    def standing(self, row: RunStep) -> str:
        """Where it stands."""
        return StepState(row.state).label

    @display(description="Whose", ordering="assignee__full_name")
    def whose(self, row: RunStep) -> str:
        """Who works on it."""
        return str(row.assignee or "Nobody yet")

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Show how the step is done, and what happened to it."""
        row, extra = self.get_object(request, object_id), dict(extra_context or {})
        if row is not None:
            panel = {
                "template": "admin/processes/run_step_panel.html",
                "row": row,
                "chip": CHIPS.get(StepState(row.state), ""),
                "html": render(row.step.instructions),
                "waivers": row.waivers.select_related("asked_by"),
            }
            trail = {"template": "admin/processes/trail_panel.html", "events": trail_of_step(row)}
            extra["row_panels"] = [*extra.get("row_panels", []), panel, trail]
        return super().change_view(request, object_id, form_url, extra)


@admin.register(RunStepEvent)
class RunStepEventAdmin(ReadOnlyAdmin):
    """What happened in runs: the rows that every figure is counted from."""

    list_display = ("at", "what", "deed", "state", "carried_out", "who", "round")
    list_filter = ("deed", "run__process", "at")
    allowed_lookups = ("key", "run__started_at")
    search_fields = ("run__title", "run_step__step__title", "reason")
    fields = ("at", "what", "deed", "state", "carried_out", "who", "reason", "round")
    list_select_related = ("run_step__step", "run", "actor")
    ordering = ("-at", "-id")
    empty_state = "Nothing happened yet. Each step of a run that is started, done or reopened leaves a line here."

    @display(description="Step", ordering="run_step__step__title")
    def what(self, event: RunStepEvent) -> str:
        """Which step."""
        return event.run_step.step.title

    @display(description="Who", ordering="actor_label")
    def who(self, event: RunStepEvent) -> str:
        """Who did it; an account that is gone is told as it was called then."""
        return str(event.actor or event.actor_label)

    @display(description="Run", ordering="run__title")
    def carried_out(self, event: RunStepEvent) -> str:
        """In which run."""
        return event.run.title


@admin.register(StepWaiver)
class StepWaiverAdmin(ShowsApproval, ReadOnlyAdmin):
    """Who asked to leave out which blocking step, and what became of it."""

    list_display = ("what", "carried_out", "standing", "asked_by", "created_at")
    list_filter = ("state", "run_step__run__process", "created_at")
    search_fields = ("reason", "run_step__step__title", "run_step__run__title")
    fields = ("what", "carried_out", "standing", "asked_by", "reason")
    list_select_related = ("run_step__step", "run_step__run", "asked_by")
    empty_state = "No waiver yet. “Ask to leave out” on a blocking step of a run asks for one."

    @display(description="Step", ordering="run_step__step__title")
    def what(self, waiver: StepWaiver) -> str:
        """Which step."""
        return waiver.run_step.step.title

    @display(description="Run", ordering="run_step__run__title")
    def carried_out(self, waiver: StepWaiver) -> str:
        """In which run."""
        return waiver.run_step.run.title

    @display(
        description="State",
        ordering="state",
        label={WaiverState.IN_REVIEW.label: "info", WaiverState.APPROVED.label: "success"},
    )
    def standing(self, waiver: StepWaiver) -> str:
        """What became of it."""
        return WaiverState(waiver.state).label
