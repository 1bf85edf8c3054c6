"""What was taken out of the ledger as evidence: who, what population, which files."""

import uuid

from django.conf import settings
from django.db import models
from django.utils.timezone import localtime

from apps.core.governed import append_only_triggers


class EvidencePackage(models.Model):
    """One package that was handed out: written once, when its last byte had left. The files themselves are not kept:
    the same filter, bounds and seed give the same entries again.
    """

    class Kind(models.TextChoices):
        """How its entries were chosen."""

        EVERYTHING = "everything", "Every entry of the population"
        SAMPLE = "sample", "A random sample"

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name="by")
    made_at = models.DateTimeField("when")
    purpose = models.CharField(max_length=300, blank=True, help_text="For instance the engagement and the control.")
    query = models.TextField("filter", blank=True, help_text="The list's address.")
    filters = models.JSONField(default=list, help_text="The same in words.")
    population = models.PositiveBigIntegerField("population", help_text="How many entries the filter shows.")
    first_id = models.BigIntegerField("first entry", null=True)
    last_id = models.BigIntegerField("last entry", null=True)
    seed = models.CharField(max_length=64, blank=True)
    entries = models.PositiveBigIntegerField(help_text="How many entries are in the package.")
    manifest = models.JSONField(help_text="What the package says about itself, word by word.")
    sha256 = models.CharField("SHA-256 of the manifest", max_length=64)

    class Meta:
        verbose_name = "evidence package"
        ordering = ("-made_at",)
        default_permissions = ("view",)
        triggers = append_only_triggers("That evidence was handed out is never changed or deleted.")

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {localtime(self.made_at):%d %B %Y, %H:%M}"
