"""Who must have read a version, and who says they have: the one is a rule, the other evidence."""

from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from apps.core.governed import GovernedModel, append_only_triggers, ledger_triggers
from apps.processes.models.register import Process, ProcessRole
from apps.processes.models.versions import SOPVersion


class TrainingRequirement(GovernedModel):
    """Everybody who plays a role must have read and understood a process before they carry out its gated steps."""

    process = models.ForeignKey(Process, models.CASCADE, related_name="requirements")
    role = models.ForeignKey(ProcessRole, models.PROTECT, related_name="requirements")
    quota = models.PositiveSmallIntegerField(
        "quota in %",
        default=100,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
        help_text="How many of them must have read a material version before it comes into force.",
    )

    class Meta(GovernedModel.Meta):
        verbose_name = "required reading"
        verbose_name_plural = "required reading"
        ordering = ("process", "role")
        constraints = [
            models.UniqueConstraint(
                fields=("process", "role"),
                name="requirement_once",
                violation_error_message="This role is required to read it already.",
            ),
            models.CheckConstraint(
                condition=Q(quota__gte=1, quota__lte=100),
                name="requirement_quota_is_share",
                violation_error_message="The quota is a share between 1 and 100 %.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.role}: {self.quota} % of them"


class Acknowledgement(models.Model):
    """One person says they have read and understood one exact version. Written once; not a governed row."""

    version = models.ForeignKey(SOPVersion, models.PROTECT, related_name="acknowledgements")
    person = models.ForeignKey("accounts.User", models.PROTECT, related_name="+")
    person_label = models.CharField("who", max_length=254)
    digest = models.CharField(max_length=64, help_text="SHA-256 of what was read, as it was approved.")
    statement = models.CharField(max_length=250)
    questions = models.PositiveSmallIntegerField(default=0, help_text="How many questions were answered rightly.")
    at = models.DateTimeField("when")

    class Meta:
        ordering = ("-at", "-id")
        constraints = [
            models.UniqueConstraint(
                fields=("version", "person"),
                name="acknowledgement_once",
                violation_error_message="You have said so already.",
            )
        ]
        triggers = [
            *ledger_triggers(),
            *append_only_triggers("Who has read what is evidence: it is never changed or deleted."),
        ]

    def __str__(self) -> str:
        return f"{self.person_label} read {self.version}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Write it once."""
        if self.pk is not None:
            raise TypeError("Acknowledgements are written once.")
        super().save(*args, **kwargs)
