"""What the ledger knows of the tables it records."""

from django.db import models


class RecordedColumn(models.Model):
    """Since which entry a column is recorded, and what rows older than that hold in it.

    Not governed: written when migrations are settled; lets the ledger be replayed over changes of the schema.
    """

    table_name = models.CharField(max_length=63)
    column_name = models.CharField(max_length=63)
    since_event = models.BigIntegerField()
    filled_with = models.JSONField(null=True)

    class Meta:
        default_permissions = ("view",)
        constraints = [models.UniqueConstraint(fields=("table_name", "column_name"), name="recorded_column_once")]

    def __str__(self) -> str:
        return f"{self.table_name}.{self.column_name}"
