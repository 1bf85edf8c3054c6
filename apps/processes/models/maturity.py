"""How mature processes are: levels computed from evidence, overrides that a second person approved, the roadmap."""

from typing import Any

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q

from apps.core.governed import GovernedModel, append_only_triggers, ledger_triggers
from apps.processes.enums import MaturityLevel
from apps.processes.models.exceptions import OPEN_EXCEPTION, ApprovedException, exception_triggers
from apps.processes.models.register import Process


class MaturityOverride(ApprovedException):
    """Another level than the computed one, until a day, because a second person agreed to the reason."""

    process = models.ForeignKey(
        Process, models.PROTECT, null=True, blank=True, related_name="maturity_overrides", editable=False
    )
    level = models.PositiveSmallIntegerField(choices=MaturityLevel.choices)

    class Meta(ApprovedException.Meta):
        verbose_name = "override of a maturity level"
        verbose_name_plural = "overrides of maturity levels"
        ordering = ("-id",)
        constraints = [
            models.UniqueConstraint(
                fields=("process",),
                condition=OPEN_EXCEPTION,
                nulls_distinct=False,
                name="maturity_override_one_open",
                violation_error_message="An override waits for a decision already.",
            )
        ]
        triggers = exception_triggers(
            *("process_id", "level"), sentence="An override says for good what it is about, why, and until when."
        )

    def __str__(self) -> str:
        return f"{MaturityLevel(self.level).label}: {self.process or 'Marketing operations'}"


class MaturityAssessment(models.Model):
    """The level of a process, or of the whole, each time it or its evidence changed. Append-only."""

    process = models.ForeignKey(
        Process, models.PROTECT, null=True, blank=True, related_name="maturity_assessments", editable=False
    )
    level = models.PositiveSmallIntegerField(choices=MaturityLevel.choices)
    computed = models.PositiveSmallIntegerField("computed level", choices=MaturityLevel.choices)
    override = models.ForeignKey(
        MaturityOverride, models.PROTECT, null=True, blank=True, related_name="assessments", editable=False
    )
    criteria = models.JSONField()
    at = models.DateTimeField("since")

    class Meta:
        verbose_name = "maturity assessment"
        ordering = ("-at", "-id")
        indexes = [models.Index(fields=("process", "-at"), name="maturity_by_process")]
        triggers = [
            *ledger_triggers(),
            *append_only_triggers("How mature a process was is evidence: it is never changed or deleted."),
        ]

    def __str__(self) -> str:
        return f"{self.process or 'Marketing operations'}: {MaturityLevel(self.level).label}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Write it once."""
        if self.pk is not None:
            raise TypeError("Assessments are written once.")
        super().save(*args, **kwargs)


class RoadmapPhase(GovernedModel):
    """One phase of the roadmap: from when to when, what it is about, and what must be reached to leave it."""

    title = models.CharField(max_length=100)
    position = models.PositiveSmallIntegerField(default=1, help_text="Its place in the order of the phases.")
    starts_on = models.DateField("from")
    ends_on = models.DateField("until")
    focus = models.TextField(blank=True, help_text="What the phase is about, one point a line.")

    class Meta(GovernedModel.Meta):
        ordering = ("position", "pk")
        constraints = [
            models.UniqueConstraint(
                fields=("title",),
                name="roadmap_phase_once",
                violation_error_message="There is already a phase of this title.",
            ),
            models.CheckConstraint(
                condition=Q(ends_on__gte=F("starts_on")),
                name="roadmap_phase_ends_after_start",
                violation_error_message="The phase would end before it begins.",
            ),
        ]

    def __str__(self) -> str:
        return self.title


class ExitCriterion(GovernedModel):
    """One thing a phase must reach: a measure and the value it needs."""

    phase = models.ForeignKey(RoadmapPhase, models.CASCADE, related_name="criteria")
    title = models.CharField(max_length=150, help_text="As it was agreed: Half of the core processes standardised.")
    measure = models.CharField(max_length=80)
    at_least = models.DecimalField(
        max_digits=12, decimal_places=2, validators=[MinValueValidator(0, "A measure is nothing or more.")]
    )

    class Meta(GovernedModel.Meta):
        verbose_name_plural = "exit criteria"
        ordering = ("phase", "pk")

    def __str__(self) -> str:
        return self.title
