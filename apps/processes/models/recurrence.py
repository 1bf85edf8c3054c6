"""Processes that come round: when, shifted to working days, and what became of each occurrence."""

from typing import Any

from django.db import models
from django.db.models import F, Q

from apps.accounts.models import OwnedModel
from apps.core.governed import GovernedModel, append_only_triggers, ledger_triggers
from apps.processes.enums import Every, Outcome, Shift
from apps.processes.models.register import Process
from apps.processes.models.runs import Run


class Recurrence(OwnedModel, GovernedModel):
    """A process that is carried out again and again: each time a run is started by itself."""

    title = models.CharField("what for", max_length=150, help_text="Each run is called this, with its date.")
    process = models.ForeignKey(Process, models.PROTECT, related_name="recurrences")
    every = models.PositiveSmallIntegerField("how often", choices=Every.choices, default=Every.MONTH)
    starts_on = models.DateField(
        "first on", help_text="Sets weekday or day of the month too; on the 31st means the last day of shorter months."
    )
    ends_on = models.DateField("last on", null=True, blank=True, help_text="Empty: until it is archived.")
    shift = models.CharField(
        "on a day off", max_length=10, choices=Shift.choices, default=Shift.AFTER, help_text="By the default calendar."
    )
    days_to_finish = models.PositiveSmallIntegerField(
        "days to finish", null=True, blank=True, help_text="The run is due so many days after it starts."
    )

    class Meta(GovernedModel.Meta):
        ordering = ("title",)
        verbose_name = "recurring run"
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on")),
                name="recurrence_ends_after_start",
                violation_error_message="It would end before it begins, so it would never occur.",
            )
        ]

    def __str__(self) -> str:
        return self.title


class Occurrence(models.Model):
    """What became of one date of a recurrence: a run, skipped with a reason, or missed. Written once."""

    recurrence = models.ForeignKey(Recurrence, models.PROTECT, related_name="occurrences")
    planned_on = models.DateField()
    falls_on = models.DateField()
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    run = models.ForeignKey(Run, models.PROTECT, null=True, related_name="+")
    reason = models.TextField(blank=True)
    actor = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    actor_label = models.CharField(max_length=254)
    at = models.DateTimeField()

    class Meta:
        ordering = ("-planned_on",)
        constraints = [
            models.UniqueConstraint(fields=("recurrence", "planned_on"), name="occurrence_once"),
            models.CheckConstraint(
                condition=Q(outcome=Outcome.MADE, run__isnull=False)
                | (~Q(outcome=Outcome.MADE) & Q(run__isnull=True) & ~Q(reason="")),
                name="occurrence_has_run_or_reason",
            ),
        ]
        triggers = [
            *ledger_triggers(),
            *append_only_triggers("What became of an occurrence is evidence: it is never changed or deleted."),
        ]

    def __str__(self) -> str:
        return f"{self.recurrence}, {self.planned_on:%-d %B %Y}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Write it once."""
        if self.pk is not None:
            raise TypeError("Occurrences are written once.")
        super().save(*args, **kwargs)
