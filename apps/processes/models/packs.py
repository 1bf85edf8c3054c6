"""Quarterly governance packs: what the rows said at one moment, frozen."""

from django.db import models

from apps.core.governed import append_only_triggers, ledger_triggers
from apps.core.packs import quarter_words

FROZEN = "The figures of a governance pack are frozen; make another pack to tell newer ones."


class GovernancePack(models.Model):
    """One pack: its parts with their lines, and the digest of them. Append-only."""

    quarter = models.DateField(help_text="Its first day.")
    number = models.PositiveSmallIntegerField(help_text="The how-manieth pack of the quarter.")
    ends_on = models.DateField("told until", help_text="The last day that counts.")
    known_at = models.DateTimeField("as known at")
    parts = models.JSONField()
    digest = models.CharField(max_length=64)
    made_by = models.ForeignKey("accounts.User", models.PROTECT, related_name="+")

    class Meta:
        verbose_name = "governance pack"
        ordering = ("-quarter", "-number")
        constraints = [models.UniqueConstraint(fields=("quarter", "number"), name="governance_pack_number_once")]
        triggers = [*ledger_triggers(), *append_only_triggers(FROZEN)]

    def __str__(self) -> str:
        return f"Governance {quarter_words(self.quarter)}{f', pack {self.number}' if self.number > 1 else ''}"
