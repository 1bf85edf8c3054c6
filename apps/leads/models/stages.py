"""Stages over time: one stretch after the other, written by the database whatever moves a lead."""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Func, Q, Value

from apps.core.transitions import written_once
from apps.leads.enums import Stage
from apps.leads.models.lead import Lead


class _Span(Func):
    """A range of the columns named."""

    function = "tstzrange"
    output_field = models.TextField()


class _One(Func):
    """The range that holds one number, so that equality can stand in an exclusion constraint without an extension."""

    template = "int8range(%(expressions)s, %(expressions)s, '[]')"
    output_field = models.TextField()


class StageInterval(models.Model):
    """How long a lead stood in a stage, and why it came there. Derived from the lead by its triggers."""

    lead = models.ForeignKey(Lead, models.CASCADE, related_name="stages")
    stage = models.CharField(max_length=20, choices=Stage.choices)
    entered_at = models.DateTimeField("since")
    exited_at = models.DateTimeField("until", null=True, blank=True)
    reason = models.CharField(max_length=500, blank=True)
    actor_label = models.CharField("moved by", max_length=150, blank=True)

    class Meta:
        ordering = ("-entered_at", "-id")
        constraints = [
            models.UniqueConstraint(fields=("lead",), condition=Q(exited_at__isnull=True), name="stage_one_open"),
            ExclusionConstraint(
                name="stage_no_overlap",
                expressions=[
                    (_One(F("lead")), RangeOperators.OVERLAPS),
                    (_Span(F("entered_at"), F("exited_at"), Value("[)")), RangeOperators.OVERLAPS),
                ],
                violation_error_message="A lead is in one stage at a time.",
            ),
        ]
        indexes = [models.Index(fields=("stage", "entered_at"), name="stage_by_entry")]
        triggers = [
            *written_once(
                ("lead_id", "stage", "entered_at", "reason", "actor_label"),
                "What stage a lead was in stays as it was; move the lead instead.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_stage_display()} since {self.entered_at:%-d %b %Y}"
