"""Exports: who took which rows out, in which form, when."""

import uuid

from django.conf import settings
from django.db import models

from apps.core.exchange.enums import RunState
from apps.core.exchange.models.sources import evidence_triggers


class ExportRun(models.Model):
    """One list taken out: written when it begins, completed once, then append-only evidence."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    model = models.CharField("what", max_length=100, help_text="The kind of record, as app.model.")
    title = models.CharField("list", max_length=200)
    format = models.CharField(max_length=10)
    filters = models.TextField("filter", blank=True, help_text="The list's address: filters, search and order.")
    selection = models.JSONField(default=list, help_text="The chosen rows; empty: everything the filter shows.")
    columns = models.JSONField()
    state = models.CharField(max_length=10, choices=RunState.choices, default=RunState.RUNNING)
    background = models.BooleanField("in the background", default=False)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name="by")
    started_at = models.DateTimeField("when")
    finished_at = models.DateTimeField(null=True)
    row_count = models.PositiveIntegerField("rows", null=True)
    size = models.BigIntegerField("size in bytes", null=True)
    sha256 = models.CharField("SHA-256", max_length=64, blank=True)
    problem = models.TextField(blank=True)

    class Meta:
        verbose_name = "export"
        ordering = ("-id",)
        triggers = evidence_triggers(
            fixed=("uuid", "model", "format", "filters", "selection", "columns", "requested_by", "started_at")
        )

    def __str__(self) -> str:
        return f"{self.title} #{self.pk}"

    @property
    def file_name(self) -> str:
        """What the download is called."""
        slug = self.title.lower().replace(" ", "-")
        return f"{slug}-{self.started_at:%Y%m%d-%H%M}.{self.format}"

    @property
    def place(self) -> str:
        """Where the file of a background export lies."""
        return f"exports/{self.uuid.hex[:2]}/{self.uuid.hex}"
