"""Runs: a process carried out once, step by step, on the version that was in force when it began."""

from typing import Any

import pgtrigger
from django.contrib.contenttypes.fields import GenericForeignKey
from django.db import models
from django.db.models import F, Q

from apps.accounts.models import OwnedModel
from apps.core.governed import GovernedModel, GovernedQuerySet, append_only_triggers, ledger_triggers
from apps.core.transitions import guarded_columns, refusal, written_once
from apps.processes.enums import OPEN_STEPS, RunState, StepDeed, StepState, WaiverState
from apps.processes.models.flow import Step
from apps.processes.models.register import Process
from apps.processes.models.versions import SOPVersion

_CLOSED_RUN = "This run is over; what happened in it stays as it was."


class RunQuerySet(GovernedQuerySet):
    """Filters over runs."""

    def under_way(self) -> "RunQuerySet":
        """Runs with something left to do."""
        return self.filter(state=RunState.ACTIVE)


class Run(OwnedModel, GovernedModel):
    """One time that a process is carried out, pinned to one version: a later version changes nothing in it."""

    title = models.CharField("what for", max_length=200)
    process = models.ForeignKey(Process, models.PROTECT, related_name="runs")
    version = models.ForeignKey(SOPVersion, models.PROTECT, related_name="runs")
    content_type = models.ForeignKey(
        "contenttypes.ContentType", models.PROTECT, null=True, blank=True, related_name="+", editable=False
    )
    object_id = models.BigIntegerField(null=True, blank=True, editable=False)
    subject = GenericForeignKey()
    due_on = models.DateField("due", null=True, blank=True)
    state = models.CharField(max_length=12, choices=RunState.choices, default=RunState.ACTIVE, editable=False)
    started_by = models.ForeignKey("accounts.User", models.PROTECT, related_name="+", editable=False)
    started_at = models.DateTimeField("started", editable=False)
    ended_at = models.DateTimeField("ended", null=True, blank=True, editable=False)
    steps_total = models.PositiveSmallIntegerField(default=0, editable=False)
    steps_closed = models.PositiveSmallIntegerField(default=0, editable=False)

    objects = RunQuerySet.as_manager()  # type: ignore[misc]  # knows more filters than the one it replaces

    class Meta(GovernedModel.Meta):
        ordering = ("-started_at", "-id")
        constraints = [
            models.CheckConstraint(
                condition=Q(state=RunState.ACTIVE, ended_at__isnull=True)
                | (~Q(state=RunState.ACTIVE) & Q(ended_at__isnull=False)),
                name="run_ended_when_over",
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True) | Q(ended_at__gte=F("started_at")), name="run_ends_after_start"
            ),
        ]
        indexes = [
            models.Index(fields=("state", "-started_at", "-id"), name="run_by_state"),
            models.Index(fields=("process", "-started_at"), name="run_by_process"),
            models.Index(fields=("content_type", "object_id"), name="run_by_subject"),
            models.Index(fields=("-started_at", "-id"), name="run_newest"),
        ]
        triggers = [
            *GovernedModel.Meta.triggers,
            *guarded_columns(
                *("state", "ended_at", "version_id", "steps_total", "steps_closed"),
                starts={"state": RunState.ACTIVE.value},
                sentence="A run moves by its steps and by the buttons on its page, not by an edit.",
            ),
            *written_once(
                ("process_id", "started_by_id", "started_at", "content_type_id", "object_id"),
                "A run keeps its process, what it is for, and who started it when.",
            ),
            pgtrigger.Trigger(
                name="over_is_over",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(
                    "OLD.state <> 'active' AND (OLD.state IS DISTINCT FROM NEW.state OR OLD.title IS DISTINCT FROM "
                    "NEW.title OR OLD.due_on IS DISTINCT FROM NEW.due_on OR OLD.version_id IS DISTINCT FROM "
                    "NEW.version_id OR OLD.ended_at IS DISTINCT FROM NEW.ended_at)"
                ),
                func=refusal(_CLOSED_RUN),
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_active(self) -> bool:
        """Whether something is left to do."""
        return self.state == RunState.ACTIVE


class RunStepQuerySet(GovernedQuerySet):
    """Filters over the steps of runs."""

    def open(self) -> "RunStepQuerySet":
        """Steps that somebody has to do something about now."""
        return self.filter(state__in=OPEN_STEPS, run__state=RunState.ACTIVE)


_STEP_OF_OPEN_RUN = f"""
    SELECT state INTO standing FROM processes_run WHERE id = NEW.run_id;
    IF standing <> 'active' THEN {refusal(_CLOSED_RUN)} END IF;
    RETURN NEW;
"""


class RunStep(GovernedModel):
    """One step in one run: whose it is, where it stands, what proves it."""

    run = models.ForeignKey(Run, models.PROTECT, related_name="steps")
    step = models.ForeignKey(Step, models.PROTECT, related_name="+")
    key = models.SlugField(max_length=60, editable=False)
    position = models.PositiveSmallIntegerField(editable=False)
    state = models.CharField(max_length=12, choices=StepState.choices, default=StepState.LATER, editable=False)
    assignee = models.ForeignKey("accounts.User", models.PROTECT, null=True, blank=True, related_name="run_steps")
    evidence = models.TextField(blank=True, help_text="What shows that it was done: a sentence, a figure, an address.")
    ways_taken = models.JSONField(default=list, blank=True, editable=False, help_text="Keys of the steps it led to.")
    waits_for = models.CharField(max_length=200, blank=True, editable=False)
    round = models.PositiveSmallIntegerField(default=1, editable=False, help_text="How many times it was to be done.")
    opened_at = models.DateTimeField("due to be done since", null=True, blank=True, editable=False)
    closed_at = models.DateTimeField("closed", null=True, blank=True, editable=False)
    closed_by = models.ForeignKey(
        "accounts.User", models.PROTECT, null=True, blank=True, related_name="+", editable=False
    )

    objects = RunStepQuerySet.as_manager()  # type: ignore[misc]  # knows more filters than the one it replaces

    class Meta(GovernedModel.Meta):
        verbose_name = "step of a run"
        verbose_name_plural = "steps of runs"
        ordering = ("run", "position")
        constraints = [
            models.UniqueConstraint(fields=("run", "key"), name="run_step_once"),
        ]
        indexes = [
            models.Index(
                fields=("assignee", "opened_at"), name="run_step_waiting_for", condition=Q(state__in=OPEN_STEPS)
            ),
        ]
        triggers = [
            *GovernedModel.Meta.triggers,
            *guarded_columns(
                *("state", "evidence", "ways_taken", "waits_for", "round"),
                *("opened_at", "closed_at", "closed_by_id", "step_id", "position"),
                starts={"state": StepState.LATER.value},
                sentence="A step moves by the buttons on its page, not by an edit.",
            ),
            *written_once(("run_id", "key"), "A step stays in its run and keeps its key."),
            pgtrigger.Trigger(
                name="run_is_open",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update,
                declare=[("standing", "text")],
                func=_STEP_OF_OPEN_RUN,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.step.title} · {self.run.title}"

    @property
    def is_open(self) -> bool:
        """Whether somebody has to do something about it now."""
        return self.state in OPEN_STEPS


class RunStepEvent(models.Model):
    """What happened to a step, when and by whom: evidence that every figure is counted from. Not a governed row."""

    run = models.ForeignKey(Run, models.PROTECT, related_name="events")
    run_step = models.ForeignKey(RunStep, models.PROTECT, related_name="events")
    key = models.SlugField(max_length=60)
    deed = models.CharField(max_length=12, choices=StepDeed.choices)
    state = models.CharField(max_length=12, choices=StepState.choices)
    round = models.PositiveSmallIntegerField()
    actor = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    actor_label = models.CharField(max_length=254)
    reason = models.TextField(blank=True)
    at = models.DateTimeField()

    class Meta:
        verbose_name = "event of a step"
        verbose_name_plural = "events of steps"
        ordering = ("at", "id")
        indexes = [models.Index(fields=("run", "at"), name="run_event_by_run")]
        triggers = [
            *ledger_triggers(),
            *append_only_triggers("What happened in a run is evidence: it is never changed or deleted."),
        ]

    def __str__(self) -> str:
        return f"{self.key} {self.get_deed_display()}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Write it once."""
        if self.pk is not None:
            raise TypeError("Events are written once.")
        super().save(*args, **kwargs)


class StepWaiver(GovernedModel):
    """The wish to leave out a blocking step of one run; a second person decides."""

    run_step = models.ForeignKey(RunStep, models.PROTECT, related_name="waivers", editable=False)
    reason = models.TextField(help_text="Why the step can be left out this time, and what stands in for it.")
    asked_by = models.ForeignKey("accounts.User", models.PROTECT, related_name="+", editable=False)
    state = models.CharField(max_length=12, choices=WaiverState.choices, default=WaiverState.DRAFT, editable=False)

    class Meta(GovernedModel.Meta):
        verbose_name = "waiver of a step"
        verbose_name_plural = "waivers of steps"
        ordering = ("-id",)
        constraints = [
            models.UniqueConstraint(
                fields=("run_step",),
                condition=Q(state__in=(WaiverState.DRAFT, WaiverState.IN_REVIEW)),
                name="step_waiver_one_open",
                violation_error_message="A waiver of this step waits for a decision already.",
            )
        ]
        triggers = [
            *GovernedModel.Meta.triggers,
            *guarded_columns(
                "state",
                starts={"state": WaiverState.DRAFT.value},
                sentence="A waiver is decided by its approval, not by an edit.",
            ),
            *written_once(
                ("run_step_id", "reason", "asked_by_id"), "A waiver says for good which step it is about, and why."
            ),
        ]

    def __str__(self) -> str:
        return f"Leave out “{self.run_step.step.title}” in {self.run_step.run.title}"
