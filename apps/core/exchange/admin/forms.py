"""The forms of imports and file sources."""

from typing import Any

from django import forms
from django.conf import settings
from unfold.widgets import UnfoldAdminSelectWidget

from apps.core import access
from apps.core.admin_kit.locking import RowVersionForm
from apps.core.errors import InvalidInput, NotAllowed
from apps.core.exchange import values
from apps.core.exchange.domain.places import allowed_folders, locate
from apps.core.exchange.models import FileSource, ImportBatch
from apps.core.exchange.permissions import refuse_import
from apps.core.exchange.reading.delimited import DELIMITERS
from apps.core.exchange.reading.limits import BYTES, MEGABYTE
from apps.core.exchange.reading.texts import ENCODINGS
from apps.core.exchange.registry import Importer, all_importers, get_importer

ACCEPTED = ".csv,.tsv,.txt,.xlsx,.yaml,.yml,.json"


def usable_importers(user: Any) -> list[Importer]:
    """Return the importers `user` may use."""
    return [each for each in all_importers() if refuse_import(user, each) is None]


class UploadForm(forms.Form):
    """What is brought, and the file."""

    importer = forms.ChoiceField(label="What does the file hold?")
    file = forms.FileField(
        required=False,
        help_text="CSV, Excel (.xlsx), a YAML list or a JSON list. mops looks at the content, not at the name.",
        widget=forms.ClearableFileInput(attrs={"accept": ACCEPTED, "data-most-bytes": max(BYTES.values())}),
    )
    source = forms.ModelChoiceField(
        FileSource.objects.none(),
        required=False,
        label="Or take the file of a file source",
        empty_label="— none, use the file above —",
    )

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        """Offer what `user` may bring and see."""
        super().__init__(*args, **kwargs)
        usable = usable_importers(user)
        self.fields["importer"].choices = [(each.key, each.title) for each in usable]  # type: ignore[attr-defined]
        sources = access.visible(user, FileSource).filter(
            archived_at__isnull=True, importer__in=[u.key for u in usable]
        )
        self.fields["source"].queryset = sources  # type: ignore[attr-defined]
        if not sources.exists():
            del self.fields["source"]

    def clean(self) -> dict[str, Any]:
        """Ask for exactly one file."""
        data = super().clean() or {}
        file, source = data.get("file"), data.get("source")
        if not file and not source and not self.errors:
            self.add_error("file", "Choose a file.")
        if source is not None and source.importer != data.get("importer"):
            title = get_importer(source.importer).title.lower()
            self.add_error("source", f"This source brings {title}; choose that above, or another source.")
        return data


class ReadingForm(forms.Form):
    """How a file is to be read, where its content does not tell."""

    encoding = forms.ChoiceField(required=False, choices=[("", "As found"), *ENCODINGS.items()])
    delimiter = forms.ChoiceField(
        required=False,
        label="Separator",
        choices=[("", "As found"), *((k, v.capitalize()) for k, v in DELIMITERS.items())],
    )
    sheet = forms.ChoiceField(required=False)
    header_line = forms.IntegerField(
        required=False, min_value=1, max_value=1000, label="Header on line", help_text="Where titles stand above it."
    )

    def __init__(self, *args: Any, batch: ImportBatch, **kwargs: Any) -> None:
        """Offer what the kind of file leaves open."""
        found = {name: batch.options.get(name, "") for name in ("encoding", "delimiter", "sheet", "header_line")}
        kwargs["initial"] = found
        super().__init__(*args, **kwargs)
        sheets = [(name, name) for name in batch.facts.get("sheets", ())]
        self.fields["sheet"].choices = [("", "The first"), *sheets]  # type: ignore[attr-defined]
        unused = {
            "csv": {"sheet"},
            "xlsx": {"encoding", "delimiter"},
            "yaml": {"sheet", "delimiter", "header_line"},
            "json": {"sheet", "delimiter", "header_line"},
        }
        for name in unused[batch.kind]:
            del self.fields[name]

    def options(self) -> dict[str, str]:
        """Return what was chosen."""
        return {name: str(value) for name, value in self.cleaned_data.items() if value not in (None, "")}


class FileSourceForm(RowVersionForm):
    """A file source; whoever saves it answers for it, and its syncs run in that name."""

    user: Any = None
    importer = forms.ChoiceField(label="What it holds", widget=UnfoldAdminSelectWidget)
    folder = forms.ChoiceField(
        help_text="The folders this installation lets mops read (MOPS_IMPORT_FOLDERS).", widget=UnfoldAdminSelectWidget
    )

    class Meta:
        model = FileSource
        fields = ("name", "importer", "folder", "path", "schedule", "every", "daily_at", "enabled")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer what the person may import, and the allowed folders."""
        super().__init__(*args, **kwargs)
        if "daily_at" not in self.fields:
            return  # somebody who may only look
        usable = [(each.key, each.title) for each in usable_importers(self.user)]
        self.fields["importer"].choices = usable  # type: ignore[attr-defined]
        folders = [str(each) for each in allowed_folders()]
        if self.instance.pk and self.instance.folder not in folders:
            folders.append(self.instance.folder)
        self.fields["folder"].choices = [(each, each) for each in folders]  # type: ignore[attr-defined]
        zone = settings.TIME_ZONE
        self.fields["daily_at"].help_text = f"In the time zone of the installation ({zone})."

    def clean(self) -> dict[str, Any]:
        """Refuse a path that leads out of its folder; a file that is not there yet may come later."""
        data = super().clean()
        if self.instance.pk and (refused := refuse_import(self.user, get_importer(self.instance.importer))):
            self.add_error(None, refused)
        if data.get("folder") and data.get("path"):
            try:
                locate(data["folder"], data["path"])
            except NotAllowed as refusal:
                self.add_error("path", refusal.message)
            except InvalidInput:
                return data  # not there yet; a sync says so if it stays away
        return data

    def save(self, commit: bool = True) -> Any:
        """Let the person who saves be the owner; a source that holds something else now is matched anew."""
        self.instance.owner = self.user
        if "importer" in self.changed_data:
            self.instance.mapping = {}
        return super().save(commit)


def column_choices(importer: Importer, headers: list[str], mapping: dict[str, str], sample: list[Any]) -> list[Any]:
    """Return what the matching page shows of each column: its choice, its help, and what the file holds there."""
    shown = []
    for column in importer.columns:
        header = mapping.get(column.name, "")
        cells = [line.cells.get(header, "").strip() for line in sample] if header else []
        shown.append(
            {
                "column": column,
                "header": header,
                "required": column.required or column.name in importer.natural_key,
                "key": column.name in importer.natural_key,
                "examples": [values.quoted(cell) for cell in cells if cell],
            }
        )
    return sorted(shown, key=lambda each: not each["key"] and 1 + (not each["required"]))


MOST_MEGABYTES = max(BYTES.values()) // MEGABYTE
