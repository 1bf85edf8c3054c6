"""Journal notes: written by whoever may change the record, corrected by their author for a few minutes."""

import datetime as dt
from typing import TYPE_CHECKING

from django.db import transaction

from apps.core import access, clock
from apps.core.actors import acting_as
from apps.core.errors import InvalidInput, NotAllowed
from apps.core.governed import GovernedBase
from apps.core.records import kind_of, refuse_write
from apps.core.workspace.enums import NoteKind
from apps.core.workspace.models import JournalNote
from apps.core.workspace.models.note import CORRECTION_MINUTES, LONGEST_NOTE

if TYPE_CHECKING:
    from apps.accounts.models import User


def checked_text(text: str) -> str:
    """Return the text of a note without blank ends.

    Raises:
        InvalidInput: it is empty or too long.
    """
    text = text.replace("\x00", "").strip()
    if not text:
        raise InvalidInput("Write something first: an empty note says nothing.")
    if len(text) > LONGEST_NOTE:
        raise InvalidInput(
            f"The note has {len(text):,} characters; {LONGEST_NOTE:,} fit. Attach longer texts as a file."
        )
    return text


def can_still_correct(written_at: dt.datetime, now: dt.datetime) -> bool:
    """Whether a note written at `written_at` is still open for its author."""
    return now - written_at < dt.timedelta(minutes=CORRECTION_MINUTES)


def refuse_add_note(user: "User", record: GovernedBase) -> str | None:
    """Return why `user` cannot write a note about `record`, None when it works."""
    if not access.has_model_permission(user, "add", JournalNote):
        return "Your roles do not let you write journal notes."
    return refuse_write(user, record)


def refuse_correct_note(user: "User", note: JournalNote) -> str | None:
    """Return why `user` cannot correct `note` now, None when it works."""
    record: GovernedBase = note.record  # type: ignore[assignment]  # records are never deleted
    if refused := refuse_add_note(user, record):
        return refused
    if note.author_id != user.pk:
        return "Only its author can correct a note; write another one."
    if not can_still_correct(note.created_at, clock.now()):
        return f"A journal note can be corrected for {CORRECTION_MINUTES} minutes; after that, write another one."
    return None


def add_note(record: GovernedBase, text: str, *, by: "User", kind: str = NoteKind.INFO) -> JournalNote:
    """Write a note about `record`.

    Raises:
        NotAllowed: `by` may not change the record, or it is archived.
        InvalidInput: the text is empty or too long.
    """
    if refused := refuse_add_note(by, record):
        raise NotAllowed(refused)
    text = checked_text(text)
    with transaction.atomic(), acting_as(by):
        note: JournalNote = JournalNote.objects.create(
            content_type=kind_of(record), object_id=record.pk, kind=NoteKind(kind), text=text, author=by
        )
    return note


def correct_note(note: JournalNote, text: str, *, by: "User", kind: str | None = None) -> JournalNote:
    """Change the text of a fresh note; the history keeps what it said before.

    Raises:
        NotAllowed: `by` did not write it, or it is too late.
        InvalidInput: the text is empty or too long.
    """
    with transaction.atomic(), acting_as(by):
        row: JournalNote = JournalNote.objects.select_for_update(of=("self",)).get(pk=note.pk)
        if refused := refuse_correct_note(by, row):
            raise NotAllowed(refused)
        row.text = checked_text(text)
        row.kind = NoteKind(kind) if kind else row.kind
        row.save(update_fields=["text", "kind"])
    return row
