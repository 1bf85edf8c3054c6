"""The personal values behind the ledger's commitments, and who has been erased."""

from typing import Any

from django.db import models

from apps.core.governed import append_only_triggers


class PersonalValue(models.Model):
    """The value behind one commitment of the ledger: commitment = sha256(salt || value as JSON text).

    Written by the recording triggers, deleted by `mops_erase_subject` and by a purge, changed by nobody:
    not governed itself.
    """

    pk = models.CompositePrimaryKey("event_id", "column_name", "side")
    event_id = models.BigIntegerField()
    column_name = models.CharField(max_length=63)
    side = models.CharField(max_length=3, choices=[("old", "Before"), ("new", "After")])
    at = models.DateTimeField()
    table_name = models.CharField(max_length=63)
    object_id = models.CharField(max_length=40)
    salt = models.BinaryField()
    value = models.JSONField()

    class Meta:
        default_permissions = ("view",)

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Refuse: only the database itself writes here."""
        raise TypeError("Personal values are written by the database alone.")


class ErasedSubject(models.Model):
    """The tombstone of an erased person: enough to erase again after a restore, nothing to recognise anybody by.

    Not governed: the erasing function alone writes it, once.
    """

    kind = models.CharField(max_length=63)
    object_id = models.CharField("record", max_length=40)
    salt = models.BinaryField()
    identity = models.CharField(
        max_length=64, help_text="Salted SHA-256 of what the person was known by, to recognise a returning copy."
    )
    erased_at = models.DateTimeField("erased")
    erased_by_label = models.CharField("erased by", max_length=254)
    reason = models.TextField()
    values_erased = models.BigIntegerField(help_text="Values behind ledger entries that were deleted.")
    versions_cleared = models.BigIntegerField(help_text="Versions in the history whose personal columns were emptied.")

    class Meta:
        ordering = ("-erased_at",)
        default_permissions = ("view",)
        permissions = [("erase_subject", "Can erase a person"), ("export_subject", "Can export a person's data")]
        triggers = append_only_triggers("That somebody has been erased is never changed or deleted.")

    def __str__(self) -> str:
        return f"{self.kind} {self.object_id}"
