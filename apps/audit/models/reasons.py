"""When a change needs a reason: rules that forms ask by and the database enforces."""

from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
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

    def clean(self) -> None:
        """Refuse a column that the kind does not have: the rule would never ask."""
        model = next((each for each in apps.get_models() if each._meta.db_table == self.table_name), None)
        columns = [str(field.column) for field in model._meta.concrete_fields] if model is not None else [self.field]
        if self.field and self.field not in columns:
            raise ValidationError({"field": f"There is no such column; these are: {', '.join(columns)}."})
