"""How long the ledger is kept: its months, the policies per kind, and the holds that stop every purge."""

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models

from apps.core.governed import GovernedModel, ledger_triggers
from apps.core.transitions import guarded_columns, written_once

EVERYTHING = "*"
SHORTEST_MONTHS = 3


class LedgerMonth(models.Model):
    """One month of the ledger. Written by the database's own functions alone; its changes are in the ledger, too."""

    month = models.DateField(unique=True)
    partition = models.CharField(max_length=63, help_text="The table that holds it.")
    made_at = models.DateTimeField("prepared")
    sealed_at = models.DateTimeField(
        "sealed", null=True, help_text="Since when everything in it is sealed; empty: not as a whole yet."
    )
    seal_digest = models.CharField("last seal", max_length=64, blank=True)
    purged_at = models.DateTimeField("purged", null=True)
    purged_by_label = models.CharField("purged by", max_length=254, blank=True)
    purge_reason = models.TextField("why purged", blank=True)
    rows = models.BigIntegerField("entries purged", default=0)
    first_id = models.BigIntegerField("first entry", null=True)
    last_id = models.BigIntegerField("last entry", null=True)

    class Meta:
        verbose_name = "month of the ledger"
        verbose_name_plural = "months of the ledger"
        ordering = ("-month",)
        permissions = [("purge_ledgermonth", "Can purge months of the ledger")]
        triggers = ledger_triggers()

    def __str__(self) -> str:
        return f"{self.month:%B %Y}"


class RetentionPolicy(GovernedModel):
    """How long the changes of one kind are kept; without a policy, for ever."""

    kind = models.CharField(
        max_length=63, help_text="Whose changes: a kind of record, or * for all kinds without a policy of their own."
    )
    months = models.PositiveIntegerField(
        "months kept",
        null=True,
        blank=True,
        validators=[MinValueValidator(SHORTEST_MONTHS)],
        help_text="Counted from the end of the month in which it happened. Empty: for ever.",
    )
    basis = models.TextField("why so long", help_text="The law, contract or decision behind the figure.")

    class Meta(GovernedModel.Meta):
        ordering = ("kind",)
        verbose_name = "ledger retention policy"
        verbose_name_plural = "ledger retention policies"
        constraints = [
            models.UniqueConstraint(
                fields=("kind",),
                condition=models.Q(archived_at__isnull=True),
                name="retention_once_a_kind",
                violation_error_message="There is already a policy for this kind; change that one.",
            ),
            models.CheckConstraint(
                condition=models.Q(months__isnull=True) | models.Q(months__gte=SHORTEST_MONTHS),
                name="retention_at_least_a_quarter",
                violation_error_message=f"Changes are kept for at least {SHORTEST_MONTHS} months.",
            ),
        ]

    def __str__(self) -> str:
        kept = f"{self.months} months" if self.months else "for ever"
        return f"{'Everything else' if self.kind == EVERYTHING else self.kind}: {kept}"


class LegalHold(GovernedModel):
    """What must stay as it is because of a dispute or an investigation: neither purged nor erased until released."""

    matter = models.CharField(max_length=200, help_text="The case, for instance its file number.")
    kind = models.CharField(max_length=63, blank=True, help_text="Which kind of record it covers. Empty: every kind.")
    object_id = models.CharField(
        "record", max_length=40, blank=True, help_text="The number of the one record it covers. Empty: all of the kind."
    )
    reason = models.TextField(help_text="Why it is placed, for whoever asks later.")
    placed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", editable=False)
    placed_at = models.DateTimeField(editable=False)
    released_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, editable=False
    )
    released_at = models.DateTimeField(null=True, editable=False)
    release_reason = models.TextField(blank=True, editable=False)

    class Meta(GovernedModel.Meta):
        ordering = ("-placed_at",)
        constraints = [
            models.CheckConstraint(
                condition=models.Q(object_id="") | ~models.Q(kind=""),
                name="hold_on_a_record_names_its_kind",
                violation_error_message="To hold one record, say of which kind it is.",
            ),
            models.CheckConstraint(
                condition=models.Q(released_at__isnull=True, released_by__isnull=True, release_reason="")
                | (models.Q(released_at__isnull=False, released_by__isnull=False) & ~models.Q(release_reason="")),
                name="hold_released_by_somebody",
                violation_error_message="Who releases a hold says why.",
            ),
        ]
        triggers = [
            *GovernedModel.Meta.triggers,
            *guarded_columns(
                "released_at",
                "released_by_id",
                "release_reason",
                sentence="A legal hold is released by the button on its page, with a reason.",
            ),
            *written_once(
                ("kind", "object_id", "placed_by_id", "placed_at"),
                "What a legal hold covers never changes: release it, and place another one.",
            ),
        ]

    def __str__(self) -> str:
        return self.matter

    @property
    def is_active(self) -> bool:
        """Whether it stops purges and erasures now."""
        return self.released_at is None
