"""When a change needs a reason: rules that forms ask by and the database enforces."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from apps.core.governed import GovernedModel


class ReasonRule(GovernedModel):
    """Changes of one kind, or of one of its fields, are made with a reason or not at all."""

    class Operation(models.TextChoices):
        """What is done to the record."""

        INSERT = "insert", "Creating"
        UPDATE = "update", "Changing"
        DELETE = "delete", "Deleting"

    table_name = models.CharField("kind", max_length=63, help_text="Which kind of record.")
    field = models.CharField(
        max_length=63, blank=True, help_text="The column whose change needs the reason. Empty: any change does."
    )
    operations = ArrayField(
        models.CharField(max_length=10, choices=Operation.choices),
        default=list,
        help_text="Creating, changing, deleting.",
    )
    what = models.CharField(
        max_length=200,
        help_text="How the refusal begins, for instance “Changing the annual cost of a tool”. "
        "It goes on: “needs a reason: say why, then try again.”",
    )
    binds_jobs = models.BooleanField(
        "binds jobs, too", default=False, help_text="Otherwise scheduled jobs and synchronisation are exempt."
    )
    is_active = models.BooleanField("active", default=True)

    class Meta(GovernedModel.Meta):
        ordering = ("table_name", "field")
        constraints = [
            models.UniqueConstraint(
                fields=("table_name", "field"),
                condition=models.Q(archived_at__isnull=True),
                name="reason_rule_once",
                violation_error_message="There is already a rule for this field; change that one.",
            ),
            models.CheckConstraint(
                condition=~models.Q(operations=[]),
                name="reason_rule_for_something",
                violation_error_message="Say for which operations: creating, changing or deleting.",
            ),
        ]

    def __str__(self) -> str:
        return self.what
