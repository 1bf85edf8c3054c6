"""The attachments kit: the panel on a record's page, attaching, removing and the one way to a file."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.db import models
from django.http import FileResponse, Http404, HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase

from apps.core import access
from apps.core.admin_kit.history import Companion, Version
from apps.core.admin_kit.kits import Call, Kit, Verb, ask, record_url, submit
from apps.core.attachments.domain import files, kinds
from apps.core.attachments.domain.names import extension_of
from apps.core.attachments.models import Attachment
from apps.core.errors import DomainError, InvalidInput, NotAllowed
from apps.core.governed import GovernedBase
from apps.core.records import kind_of

KEY = "attachments"
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Frame-Options": "DENY",
}


class RemovalForm(forms.Form):
    """Asks why a file goes."""

    reason = forms.CharField(
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Optional; kept with the removal, for whoever asks later.",
    )


def attach_files(call: Call) -> HttpResponseBase | str:
    """Attach the files sent; each that is refused says why, the others are kept."""
    if refused := files.refuse_attach(call.person, call.thing):
        raise NotAllowed(refused)
    sent = call.request.FILES.getlist("files")
    if not sent:
        raise InvalidInput("Choose a file first, then attach it.")
    description = call.request.POST.get("description", "").strip()
    if len(description) > (longest := _description_length()):
        raise InvalidInput(f"The description is too long; {longest} characters fit.")
    kept = []
    for file in sent:
        try:
            kept.append(files.attach(call.thing, file, by=call.person, description=description))
        except DomainError as refusal:
            messages.error(call.request, refusal.message)
    said = f"Attached {', '.join(str(each) for each in kept)}."
    if len(kept) == len(sent):
        return said
    if kept:
        messages.success(call.request, said)
    return HttpResponseRedirect(call.top)


def remove_file(call: Call) -> HttpResponseBase | str:
    """Ask, then take a file out of view."""
    attachment = _found(call)
    if refused := files.refuse_remove(call.person, attachment):
        raise NotAllowed(refused)
    form = RemovalForm(call.request.POST or None)
    if call.request.method == "POST":
        said = submit(call, form, lambda reason: files.remove(attachment, by=call.person, reason=reason) and None)
        if said is not None:
            return f"{attachment} is removed. It stays as evidence under Earlier versions and removed files."
    lead = "The file leaves the list of files. It stays as evidence and can still be read; nothing is deleted."
    return ask(call, form, title=f"Remove {attachment}", label="Remove", lead=lead, style="danger")


def download_file(call: Call) -> HttpResponseBase:
    """Send a file, always as a download: nothing in it can run in the name of mops."""
    if not access.has_model_permission(call.person, "view", Attachment):
        raise NotAllowed("Your roles do not let you read attached files.")
    return as_download(_found(call))


def as_download(attachment: Attachment) -> FileResponse:
    """Return a file as a download that nothing runs in.

    Raises:
        InvalidInput: it is missing from the store.
    """
    try:
        stored = attachment.file.open("rb")
    except FileNotFoundError as error:
        raise InvalidInput(
            f"{attachment} is missing from the store of files. Ask an administrator to restore it from a backup."
        ) from error
    response = FileResponse(stored, as_attachment=True, filename=attachment.name)
    response["Content-Type"] = attachment.media_type
    for name, value in HEADERS.items():
        response[name] = value
    return response


class AttachmentsKit(Kit):
    """Files on any governed record."""

    key = KEY
    order = 30

    record_verbs: ClassVar[dict[str, Verb]] = {
        "attach": Verb(attach_files),
        "remove": Verb(remove_file, methods=("GET", "POST")),
        "download": Verb(download_file, methods=("GET",)),
    }

    def applies(self, model_admin: Any) -> bool:
        """Whether this admin class shows files on its records."""
        return super().applies(model_admin) and issubclass(model_admin.model, GovernedBase)

    def panels(self, model_admin: Any, request: HttpRequest, thing: Any) -> Sequence[dict[str, Any]]:
        """Show the record's files to whoever may see files, and the form to whoever may attach."""
        user: Any = request.user
        if not access.has_model_permission(user, "view", Attachment):
            return ()
        may_write = files.refuse_attach(user, thing) is None
        may_remove = may_write and access.has_model_permission(user, "change", Attachment)
        rows = [
            {
                "file": row,
                "label": kinds.KINDS[extension_of(row.name)].label,
                "url": record_url(model_admin, thing, KEY, "download", str(row.uuid)),
                "remove": record_url(model_admin, thing, KEY, "remove", str(row.uuid)) if may_remove else "",
            }
            for row in Attachment.objects.about(thing).select_related("attached_by")
        ]
        current, older = _current(rows)
        panel = {
            "template": "admin/mops/attachments.html",
            "current": current,
            "older": older,
            "attach": record_url(model_admin, thing, KEY, "attach") if may_write else "",
            "accept": ",".join(f".{name}" for name in kinds.KINDS),
            "accepted": kinds.ACCEPTED,
            "most_bytes": files.MOST_BYTES,
            "most_megabytes": files.MOST_BYTES // files.MEGABYTE,
            "most_of_a_picture": files.MOST_OF_A_PICTURE // files.MEGABYTE,
        }
        return (panel,)

    def companions(self, model_admin: Any, request: HttpRequest, thing: Any) -> Sequence[Companion]:
        """Put files that came and went into the record's history."""
        user: Any = request.user
        if not access.has_model_permission(user, "view", Attachment):
            return ()

        def describe(row: Any, before: Any) -> Version:
            what = "File attached" if row.archived_at is None else "File removed"
            return Version(row, (), f"{what}: {row.name}" + (f" (version {row.version})" if row.version > 1 else ""))

        return (Companion(Attachment.history.filter(content_type=kind_of(thing), object_id=thing.pk), describe),)


def _current(rows: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Split into the newest version of each file in use, and all the others."""
    current: dict[str, dict[str, Any]] = {}
    older = []
    for row in rows:  # newest version first within a name
        if row["file"].is_archived or row["file"].name in current:
            older.append(row)
        else:
            current[row["file"].name] = row
    return list(current.values()), older


def _description_length() -> int:
    field: models.CharField[str, str] = Attachment._meta.get_field("description")
    return field.max_length or 0


def _found(call: Call) -> Attachment:
    """Return the file of this record that the address names.

    Raises:
        Http404: it is another record's, or there is none.
    """
    found: Attachment | None = None
    if len(call.item) <= len("00000000-0000-0000-0000-000000000000"):
        found = next((row for row in Attachment.objects.about(call.thing) if str(row.uuid) == call.item), None)
    if found is None:
        raise Http404
    return found
