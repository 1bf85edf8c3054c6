"""Seals over the ledger: each signs the entries of one range and, through its predecessor, everything before."""

from django.db import models

from apps.core.governed import append_only_triggers


class AuditSeal(models.Model):
    """One seal. Its range begins where the one before ended, so no entry can be put between two seals.

    Append-only, written by the sealer: `apps/audit/domain/sealing.py`. How it is made: `apps/audit/standalone.py`.
    """

    n = models.BigIntegerField("number", unique=True)
    from_id = models.BigIntegerField("from entry", unique=True)
    to_id = models.BigIntegerField("to entry", unique=True)
    count = models.PositiveIntegerField("entries", help_text="Fewer than the range where writes were given up.")
    merkle_root = models.CharField("Merkle root", max_length=64, help_text="RFC 9162, over the entries' contents.")
    prev_digest = models.CharField("digest of the seal before", max_length=64)
    digest = models.CharField(max_length=64)
    key = models.CharField(max_length=32, help_text="The fingerprint of the key that signed.")
    signature = models.CharField(max_length=100, help_text="Ed25519.")
    sealed_at = models.DateTimeField("sealed")

    class Meta:
        verbose_name = "seal"
        ordering = ("-n",)
        default_permissions = ("view",)
        triggers = append_only_triggers("Seals are append-only: they are never changed, deleted or truncated.")

    def __str__(self) -> str:
        return f"Seal {self.n}"
