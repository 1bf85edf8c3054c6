"""Improvements: from a measured gap to a validated change, the figures before and after captured by the system."""

from typing import Any

from django.contrib.contenttypes.fields import GenericForeignKey
from django.db import models
from django.db.models import Q

from apps.accounts.models import OwnedModel
from apps.core.governed import GovernedModel, append_only_triggers, ledger_triggers
from apps.core.transitions import guarded_columns, written_once
from apps.processes.enums import Gain, ImprovementState, MeasuredOver, ProcessFigure
from apps.processes.models.register import Process

WITH_BASELINE = (
    ImprovementState.GAP,
    ImprovementState.SOLUTION,
    ImprovementState.IMPLEMENT,
    ImprovementState.VALIDATE,
    ImprovementState.CLOSED,
)


def _value(label: str) -> "models.DecimalField[Any, Any]":
    return models.DecimalField(label, max_digits=14, decimal_places=2, null=True, blank=True, editable=False)


class Improvement(OwnedModel, GovernedModel):
    """One improvement of one process, bound to one of its figures."""

    title = models.CharField(max_length=150, help_text="What gets better, in a line: Leads are answered sooner.")
    process = models.ForeignKey(Process, models.PROTECT, related_name="improvements")
    figure = models.CharField(
        "measured by", max_length=15, choices=ProcessFigure.choices, help_text="The figure that has to move."
    )
    measured_over = models.PositiveSmallIntegerField(
        "measured over",
        choices=MeasuredOver.choices,
        default=MeasuredOver.QUARTER,
        help_text="How far back the figure before the change looks.",
    )
    due_on = models.DateField("due", null=True, blank=True, help_text="By when it is validated.")
    gap = models.TextField(blank=True, editable=False, help_text="What keeps the figure where it is.")
    target = _value("target")
    solution = models.TextField(blank=True, editable=False, help_text="What will be different, step by step.")
    state = models.CharField(
        max_length=12, choices=ImprovementState.choices, default=ImprovementState.MEASURE, editable=False
    )
    baseline = _value("before")
    baseline_sample = models.PositiveIntegerField(null=True, editable=False)
    baseline_at = models.DateTimeField(null=True, editable=False)
    implemented_at = models.DateTimeField("implemented", null=True, blank=True, editable=False)
    after = _value("after")
    after_sample = models.PositiveIntegerField(null=True, editable=False)
    after_at = models.DateTimeField(null=True, editable=False)
    gain = models.CharField("came to", max_length=12, choices=Gain.choices, blank=True, editable=False)
    closed_at = models.DateTimeField("closed", null=True, blank=True, editable=False)
    content_type = models.ForeignKey(
        "contenttypes.ContentType", models.PROTECT, null=True, blank=True, related_name="+", editable=False
    )
    object_id = models.BigIntegerField(null=True, blank=True, editable=False)
    source = GenericForeignKey()

    class Meta(GovernedModel.Meta):
        ordering = ("-created_at", "-id")
        constraints = [
            models.CheckConstraint(
                condition=~Q(state__in=WITH_BASELINE) | Q(baseline__isnull=False),
                name="improvement_measured_first",
                violation_error_message="The figure before the change is captured first.",
            ),
            models.CheckConstraint(
                condition=~Q(state=ImprovementState.CLOSED) | (Q(after__isnull=False) & ~Q(gain="")),
                name="improvement_validated_last",
                violation_error_message="An improvement is closed with the figure after the change.",
            ),
        ]
        indexes = [
            models.Index(fields=("state", "-created_at"), name="improvement_by_state"),
            models.Index(fields=("content_type", "object_id"), name="improvement_by_source"),
        ]
        triggers = [
            *GovernedModel.Meta.triggers,
            *guarded_columns(
                *("state", "gap", "target", "solution", "baseline", "baseline_sample", "baseline_at"),
                *("implemented_at", "after", "after_sample", "after_at", "gain", "closed_at"),
                starts={"state": ImprovementState.MEASURE.value},
                sentence="An improvement moves by the buttons on its page, and its figures are captured, never typed.",
            ),
            *written_once(
                ("process_id", "figure", "content_type_id", "object_id"),
                "An improvement keeps its process, its figure and where it came from; start another one.",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_open(self) -> bool:
        """Whether it is still worked on."""
        return self.state not in (ImprovementState.CLOSED, ImprovementState.DROPPED)


class ImprovementEvent(models.Model):
    """One move of an improvement: from where to where, why, and what the system measured at it. Append-only."""

    improvement = models.ForeignKey(Improvement, models.PROTECT, related_name="events")
    before = models.CharField(max_length=12, choices=ImprovementState.choices, blank=True)
    state = models.CharField(max_length=12, choices=ImprovementState.choices)
    reason = models.TextField(blank=True)
    value = models.DecimalField(max_digits=14, decimal_places=2, null=True)
    sample = models.PositiveIntegerField(null=True)
    measured_from = models.DateTimeField(null=True)
    actor = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    actor_label = models.CharField(max_length=254)
    at = models.DateTimeField()

    class Meta:
        ordering = ("-at", "-id")
        triggers = [
            *ledger_triggers(),
            *append_only_triggers("What happened to an improvement is evidence: it is never changed or deleted."),
        ]

    def __str__(self) -> str:
        return f"{self.improvement}: {self.get_state_display()}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Write it once."""
        if self.pk is not None:
            raise TypeError("Events are written once.")
        super().save(*args, **kwargs)
