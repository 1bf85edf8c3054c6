"""Journal notes: what people want to remember about a record, dated and signed."""

import pgtrigger
from django.conf import settings
from django.db import models

from apps.core.records import AboutRecord
from apps.core.workspace.enums import NoteKind

CORRECTION_MINUTES = 15
LONGEST_NOTE = 10_000


class JournalNote(AboutRecord):
    """A dated, signed note about a record. Its author may correct it for a few minutes; then it stays as it is."""

    kind = models.CharField(max_length=10, choices=NoteKind.choices, default=NoteKind.INFO)
    text = models.TextField(max_length=LONGEST_NOTE, help_text="Markdown: **bold**, lists, links, tables.")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", editable=False)

    class Meta(AboutRecord.Meta):
        ordering = ("-created_at", "-id")
        indexes = [models.Index(fields=("content_type", "object_id", "-created_at"), name="note_by_record")]
        triggers = [
            *AboutRecord.Meta.triggers,
            pgtrigger.Trigger(
                name="notes_stay",
                when=pgtrigger.Before,
                operation=pgtrigger.Delete,
                func="RAISE EXCEPTION 'Journal notes are never deleted: write another one that sets it right.';",
            ),
            pgtrigger.Trigger(
                name="notes_settle",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                func=(
                    "IF (NEW.content_type_id, NEW.object_id, NEW.author_id, NEW.created_at) IS DISTINCT FROM "
                    "(OLD.content_type_id, OLD.object_id, OLD.author_id, OLD.created_at) "
                    f"OR OLD.created_at < clock_timestamp() - interval '{CORRECTION_MINUTES} minutes' THEN "
                    f"RAISE EXCEPTION 'A journal note can be corrected for {CORRECTION_MINUTES} minutes; "
                    "after that, write another one.'; END IF; RETURN NEW;"
                ),
            ),
        ]

    def __str__(self) -> str:
        first = self.text.strip().splitlines()[0] if self.text.strip() else ""
        return first if len(first) <= 80 else f"{first[:79]}…"
