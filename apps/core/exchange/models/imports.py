"""An import: the file, how its columns are matched, what would become of its rows, and what became of them."""

import uuid
from typing import Any

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models

from apps.core.exchange.enums import BatchState, FileKind, OutcomeKind
from apps.core.governed import GovernedModel, append_only_triggers
from apps.core.private_files import private_files

KEY_LENGTH = 200


def random_place(instance: Any, filename: str) -> str:
    """Return a name on disk that says nothing about the file and cannot be guessed."""
    name = uuid.uuid4().hex
    return f"imports/{name[:2]}/{name}"


class ImportBatch(GovernedModel):
    """One file on its way in: received, matched, previewed, run. The file itself is kept, private, as evidence."""

    importer = models.CharField("what", max_length=100, editable=False)
    source = models.ForeignKey(
        "exchange.FileSource", models.PROTECT, null=True, blank=True, related_name="batches", editable=False
    )
    file = models.FileField(storage=private_files, upload_to=random_place, editable=False)
    file_name = models.CharField("file", max_length=200, editable=False)
    size = models.BigIntegerField("size in bytes", editable=False)
    sha256 = models.CharField("SHA-256", max_length=64, editable=False)
    kind = models.CharField("read as", max_length=10, choices=FileKind.choices, editable=False)
    options = models.JSONField("how to read it", default=dict, blank=True, editable=False)
    facts = models.JSONField("how it was read", default=dict, blank=True, editable=False)
    notes = models.JSONField(default=list, blank=True, editable=False)
    headers = models.JSONField("columns of the file", default=list, editable=False)
    mapping = models.JSONField(
        "matched columns", default=dict, blank=True, editable=False, help_text="Column of the importer → of the file."
    )
    state = models.CharField(max_length=12, choices=BatchState.choices, default=BatchState.RECEIVED, editable=False)
    row_count = models.PositiveIntegerField("rows", null=True, blank=True, editable=False)
    preview_counts = models.JSONField("preview", default=dict, blank=True, editable=False)
    preview_job = models.BigIntegerField(null=True, blank=True, editable=False)
    previewed_at = models.DateTimeField(null=True, blank=True, editable=False)
    run_number = models.PositiveSmallIntegerField("runs", default=0, editable=False)
    run_job = models.BigIntegerField(null=True, blank=True, editable=False)
    counts = models.JSONField("result", default=dict, blank=True, editable=False)
    finished_at = models.DateTimeField(null=True, blank=True, editable=False)
    problem = models.TextField(blank=True, editable=False)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", editable=False, verbose_name="by"
    )

    class Meta(GovernedModel.Meta):
        verbose_name = "import"
        ordering = ("-id",)
        triggers = [
            *GovernedModel.Meta.triggers,
            pgtrigger.Trigger(
                name="file_stays_the_same",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange("importer", "file", "sha256", "requested_by"),
                func="RAISE EXCEPTION 'The file of an import is evidence and never changes: start another import.';",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.file_name} #{self.pk}"

    @property
    def job(self) -> int | None:
        """The number of the job run that works on it, or did last."""
        return self.preview_job if self.state == BatchState.PREVIEWING else self.run_job


class ColumnMapping(GovernedModel):
    """A matching that a person confirmed, remembered for the next file with the same header."""

    importer = models.CharField(max_length=100, editable=False)
    signature = models.CharField(max_length=64, editable=False, help_text="SHA-256 of the header.")
    headers = models.JSONField(editable=False)
    mapping = models.JSONField(editable=False)

    class Meta(GovernedModel.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=("importer", "signature"),
                name="columnmapping_once",
                violation_error_message="The matching of this header is remembered already.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.importer}: {len(self.mapping)} columns"


class _Reported(models.Model):
    """What a report says of one row."""

    line = models.PositiveIntegerField()
    kind = models.CharField("outcome", max_length=10, choices=OutcomeKind.choices)
    key = models.CharField("record", max_length=KEY_LENGTH, blank=True)
    object_id = models.CharField(max_length=40, blank=True)
    reason = models.TextField(blank=True)

    class Meta:
        abstract = True


class PreviewRow(_Reported):
    """What would become of a row. Derived: made anew by each preview, pruned after a month, never evidence."""

    batch = models.ForeignKey(ImportBatch, models.CASCADE, related_name="preview_rows")
    changes = models.JSONField(default=dict)

    class Meta:
        ordering = ("line", "id")
        indexes = [models.Index(fields=("batch", "kind", "line"), name="previewrow_by_kind")]

    def __str__(self) -> str:
        return f"{self.line}: {self.get_kind_display()}"


class RowOutcome(_Reported):
    """What became of a row. Append-only evidence; the values before and after stand in the record's own history."""

    # found by the indexes below, which begin with them: another one each would be written for every row of a file
    batch = models.ForeignKey(ImportBatch, models.PROTECT, null=True, db_index=False, related_name="outcomes")
    run_number = models.PositiveSmallIntegerField(default=0)
    sync_run = models.ForeignKey("exchange.SyncRun", models.PROTECT, null=True, db_index=False, related_name="outcomes")
    fields = ArrayField(models.CharField(max_length=200), default=list)

    class Meta:
        ordering = ("line", "id")
        indexes = [
            models.Index(
                fields=("batch", "run_number", "kind", "line"),
                condition=models.Q(batch__isnull=False),
                name="rowoutcome_of_batch",
            ),
            models.Index(
                fields=("sync_run", "kind", "line"),
                condition=models.Q(sync_run__isnull=False),
                name="rowoutcome_of_sync",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(batch__isnull=False, sync_run__isnull=True)
                | models.Q(batch__isnull=True, sync_run__isnull=False),
                name="rowoutcome_of_one",
                violation_error_message="An outcome belongs to an import or to a sync.",
            ),
        ]
        triggers = append_only_triggers("What became of a row is evidence: it is never changed or deleted.")

    def __str__(self) -> str:
        return f"{self.line}: {self.get_kind_display()}"
