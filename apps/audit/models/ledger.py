"""The ledger: one append-only row for every change of a governed row, written by the database's own triggers."""

from typing import Any

from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex
from django.db import models

from apps.audit.kinds import kind_of
from apps.core.actors import Channel
from apps.core.governed import append_only_triggers


class AuditEventQuerySet(models.QuerySet["AuditEvent"]):
    """Filters over the ledger."""

    def of_object(self, thing: models.Model) -> "AuditEventQuerySet":
        """What happened to one row."""
        return self.filter(table_name=thing._meta.db_table, object_id=str(thing.pk))

    def unattributed(self) -> "AuditEventQuerySet":
        """Changes that nobody signed for."""
        return self.filter(actor_label="unattributed")


class AuditEvent(models.Model):
    """Who changed what, when, through which door and why: append-only, the record of all that is governed.

    The table is partitioned by month on `at`, its key in the database is (id, at). Values of personal columns are
    commitments, `{"commitment": …}`; what is behind them is in `PersonalValue` until it is erased.
    """

    class Action(models.TextChoices):
        """What was done to the row."""

        INSERT = "insert", "Created"
        UPDATE = "update", "Changed"
        DELETE = "delete", "Deleted"

    at = models.DateTimeField("when")
    txid = models.BigIntegerField("transaction")
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.DO_NOTHING,
        null=True,
        db_constraint=False,
        related_name="+",
        verbose_name="who",
    )
    actor_label = models.CharField("who", max_length=254)
    on_behalf_of_label = models.CharField("on behalf of", max_length=254, blank=True)
    channel = models.CharField(max_length=10, choices=Channel.choices)
    request_id = models.CharField("request", max_length=64, blank=True)
    job_id = models.CharField("job", max_length=64, blank=True)
    reason = models.TextField(blank=True)
    db_role = models.CharField(
        "database role", max_length=63, help_text="Which database account the change came in by."
    )
    action = models.CharField(max_length=10, choices=Action.choices)
    table_name = models.CharField("kind", max_length=63)
    object_id = models.CharField("object", max_length=40)
    object_label = models.TextField("what", blank=True)
    changes = models.JSONField(help_text="For each changed column the value before and after.")

    objects = AuditEventQuerySet.as_manager()

    class Meta:
        verbose_name = "ledger entry"
        verbose_name_plural = "ledger entries"
        ordering = ("-id",)
        permissions = [("export_auditevent", "Can take evidence out of the ledger")]
        indexes = [
            models.Index(fields=("table_name", "object_id", "-id"), name="ledger_by_object"),
            models.Index(fields=("actor", "-id"), name="ledger_by_actor"),
            BrinIndex(fields=("at",), name="ledger_at", pages_per_range=32),
            models.Index(fields=("txid",), condition=models.Q(actor_label="unattributed"), name="ledger_unattributed"),
        ]
        triggers = append_only_triggers("The ledger is append-only: entries are never changed, deleted or truncated.")

    def __str__(self) -> str:
        return f"{self.get_action_display()}: {kind_of(self.table_name)} {self.object_label or f'#{self.object_id}'}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Refuse: only the triggers of governed tables write here."""
        raise TypeError("Ledger entries are written by the database alone.")


class LedgerReader(models.Model):
    """How far a job has read the ledger. A plain row: where it stands follows from the ledger alone."""

    name = models.CharField(max_length=50, unique=True)
    snapshot = models.TextField(
        blank=True, help_text="PostgreSQL's snapshot of the last look: the transactions that were over by then."
    )

    def __str__(self) -> str:
        return self.name
