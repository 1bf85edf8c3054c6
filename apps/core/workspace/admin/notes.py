"""Journal notes: the panel on a record's page, and the list of all notes on all records a person sees."""

from collections.abc import Sequence
from html import unescape
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db import models
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.html import strip_tags
from django.utils.text import Truncator
from unfold.decorators import display

from apps.core import access, clock
from apps.core.admin_kit.base import ReadOnlyAdmin
from apps.core.admin_kit.kits import Call, Kit, Verb, ask, record_url, register_kit, submit
from apps.core.admin_kit.links import link_to
from apps.core.errors import NotAllowed
from apps.core.governed import GovernedBase
from apps.core.markdown import render
from apps.core.records import kind_of
from apps.core.workspace.domain import journal
from apps.core.workspace.enums import NoteKind
from apps.core.workspace.models import JournalNote

KEY = "notes"
SHOWN = 5
LABELS = {
    NoteKind.INFO.label: "info",
    NoteKind.SUCCESS.label: "success",
    NoteKind.WARNING.label: "warning",
    NoteKind.DANGER.label: "danger",
}


class NoteForm(forms.Form):
    """A note as people write it."""

    kind = forms.ChoiceField(choices=NoteKind.choices, required=False)
    text = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 5}), help_text="Markdown: **bold**, - lists, [links](https://…), tables."
    )


def plain_line(text: str) -> str:
    """Return the first line of a note as plain text, shortened."""
    lines = (line.strip() for line in unescape(strip_tags(render(text))).splitlines())
    return Truncator(next((line for line in lines if line), "")).chars(100)


def write_note(call: Call) -> HttpResponseBase | str:
    """Write a note; where it is refused the text comes back in a form."""
    if refused := journal.refuse_add_note(call.person, call.thing):
        raise NotAllowed(refused)
    form = NoteForm(call.request.POST)

    def write(kind: str, text: str) -> None:
        journal.add_note(call.thing, text, kind=kind or NoteKind.INFO, by=call.person)

    if submit(call, form, write) is not None:
        return "The note is written."
    return ask(call, form, title=f"Note about {call.thing}", label="Add note")


def correct_note(call: Call) -> HttpResponseBase | str:
    """Let the author correct a fresh note."""
    note = next((row for row in JournalNote.objects.about(call.thing) if str(row.uuid) == call.item), None)
    if note is None:
        raise Http404
    if refused := journal.refuse_correct_note(call.person, note):
        raise NotAllowed(refused)
    form = NoteForm(call.request.POST or None, initial={"kind": note.kind, "text": note.text})

    def correct(kind: str, text: str) -> None:
        journal.correct_note(note, text, kind=kind, by=call.person)

    if call.request.method == "POST" and submit(call, form, correct) is not None:
        return "The note is corrected."
    return ask(call, form, title=f"Correct a note about {call.thing}", label="Save correction")


class NotesKit(Kit):
    """Journal notes on governed records."""

    key = KEY
    order = 25
    record_verbs: ClassVar[dict[str, Verb]] = {
        "write": Verb(write_note),
        "correct": Verb(correct_note, methods=("GET", "POST")),
    }

    def applies(self, model_admin: Any) -> bool:
        """Whether this admin class shows notes on its records."""
        return super().applies(model_admin) and issubclass(model_admin.model, GovernedBase)

    def panels(self, model_admin: Any, request: HttpRequest, thing: Any) -> Sequence[dict[str, Any]]:
        """Show the newest notes to whoever may see notes, and the form to whoever may write."""
        user: Any = request.user
        if not access.has_model_permission(user, "view", JournalNote):
            return ()
        may_write = journal.refuse_add_note(user, thing) is None
        notes = JournalNote.objects.about(thing)
        newest = list(notes.select_related("author")[: SHOWN + 1])
        now = clock.now()
        panel = {
            "template": "admin/mops/notes.html",
            "notes": [
                {
                    "note": note,
                    "html": render(note.text),
                    "correct": record_url(model_admin, thing, KEY, "correct", str(note.uuid))
                    if may_write and note.author_id == user.pk and journal.can_still_correct(note.created_at, now)
                    else "",
                }
                for note in newest[:SHOWN]
            ],
            "all": _all_notes_of(thing) if len(newest) > SHOWN else "",
            "kinds": NoteKind.choices,
            "write": record_url(model_admin, thing, KEY, "write") if may_write else "",
        }
        return (panel,)


def _all_notes_of(thing: models.Model) -> str:
    about = f"content_type__exact={kind_of(thing).pk}&object_id__exact={thing.pk}"
    return f"{reverse('admin:workspace_journalnote_changelist')}?{about}"


@admin.register(JournalNote)
class JournalNoteAdmin(ReadOnlyAdmin):
    """What people noted about records."""

    list_display = ("created_at", "meant_as", "shortened", "about", "author")
    list_filter = ("kind", ("created_at", admin.DateFieldListFilter))
    list_display_links = ("shortened",)
    search_fields = ("text", "author__full_name")
    list_select_related = ("author", "content_type")
    allowed_lookups = ("content_type", "object_id")
    fields = ("about", "meant_as", "formatted", "author", "created_at", "updated_at")
    empty_state = "No note yet. Notes are written on the page of the record they are about."

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load the records with the notes, in one query per kind."""
        return super().get_queryset(request).prefetch_related("record")

    @display(description="kind", ordering="kind", label=LABELS)
    def meant_as(self, note: JournalNote) -> str:
        """Tell how it is meant."""
        return str(note.get_kind_display())

    @display(description="note")
    def shortened(self, note: JournalNote) -> str:
        """Show its first line, without the marks of Markdown."""
        return plain_line(note.text)

    @display(description="record")
    def about(self, note: JournalNote) -> str:
        """Name the record."""
        return link_to(note.record)

    @display(description="note")
    def formatted(self, note: JournalNote) -> str:
        """Show the whole note."""
        return render(note.text)


register_kit(NotesKit())
