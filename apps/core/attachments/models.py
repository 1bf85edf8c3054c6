"""Files on records: what was attached, by whom, and the proof that it is still the same."""

import uuid
from typing import Any

import pgtrigger
from django.conf import settings
from django.db import models

from apps.core.personal import EVERYWHERE
from apps.core.private_files import private_files
from apps.core.records import AboutRecord
from apps.core.transitions import guarded_columns

NAME_LENGTH = 150
EVIDENCE = ("content_type", "object_id", "version", "file", "media_type", "size", "sha256", "attached_by")


def random_place(instance: Any, filename: str) -> str:
    """Return a name on disk that says nothing about the file and cannot be guessed."""
    name = uuid.uuid4().hex
    return f"attachments/{name[:2]}/{name}"


class Attachment(AboutRecord):
    """One version of one file on one record. Evidence: it can be removed from view, never changed or deleted."""

    name = models.CharField(max_length=NAME_LENGTH, editable=False)
    version = models.PositiveSmallIntegerField(default=1, editable=False)
    description = models.CharField(max_length=300, blank=True, editable=False)
    file = models.FileField(storage=private_files, upload_to=random_place, editable=False)
    media_type = models.CharField("type", max_length=100, editable=False)
    size = models.BigIntegerField("size in bytes", editable=False)
    sha256 = models.CharField("SHA-256", max_length=64, editable=False)
    attached_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", editable=False)

    # what a file is called may name a person: it goes when the person it is about is erased, and its content with it
    personal_fields = ("name", "description")
    personal_subject = EVERYWHERE

    class Meta(AboutRecord.Meta):
        ordering = ("name", "-version")
        indexes = [models.Index(fields=("content_type", "object_id"), name="attachment_by_record")]
        constraints = [
            models.UniqueConstraint(
                fields=("content_type", "object_id", "name", "version"),
                name="attachment_version_once",
                violation_error_message="This version of the file is attached already.",
            ),
        ]
        triggers = [
            *AboutRecord.Meta.triggers,
            *guarded_columns(
                "name", sentence="An attached file is evidence and never changes: attach a new version instead."
            ),
            pgtrigger.Trigger(
                name="file_stays_the_same",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange(*EVIDENCE),
                func="RAISE EXCEPTION 'An attached file is evidence and never changes: attach a new version instead.';",
            ),
            pgtrigger.Trigger(
                name="file_stays",
                when=pgtrigger.Before,
                operation=pgtrigger.Delete,
                func="RAISE EXCEPTION 'Attachments are removed from view, never deleted: they are evidence.';",
            ),
        ]

    def __str__(self) -> str:
        return self.name if self.version == 1 else f"{self.name} (version {self.version})"

    def erased_values(self) -> dict[str, str]:
        """What stands here once the person the file is about is erased."""
        return {"name": f"erased file {self.pk}", "description": ""}
