"""Attaching files to records and removing them from view."""

import hashlib
from typing import IO, TYPE_CHECKING, Any

from django.core.files.base import File
from django.db import transaction

from apps.core import access, clock
from apps.core.actors import acting_as
from apps.core.attachments.domain.kinds import KINDS, refuse_content, refuse_kind
from apps.core.attachments.domain.names import extension_of, safe_name
from apps.core.attachments.models import Attachment, random_place
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.core.governed import GovernedBase
from apps.core.private_files import disk_is_full, no_room, private_files
from apps.core.records import kind_of, refuse_write

if TYPE_CHECKING:
    from apps.accounts.models import User

MEGABYTE = 1024 * 1024
MOST_BYTES = 25 * MEGABYTE
MOST_OF_A_PICTURE = 10 * MEGABYTE  # what a page or a mail shows; a larger one is seldom meant


def refuse_attach(user: "User", record: GovernedBase) -> str | None:
    """Return why `user` cannot attach a file to `record`, None when it works."""
    if not access.has_model_permission(user, "add", Attachment):
        return "Your roles do not let you attach files."
    return refuse_write(user, record)


def refuse_remove(user: "User", attachment: Attachment) -> str | None:
    """Return why `user` cannot remove `attachment` from view, None when it works."""
    if not access.has_model_permission(user, "change", Attachment):
        return "Your roles do not let you remove files."
    record: GovernedBase = attachment.record  # type: ignore[assignment]  # records are never deleted
    if refused := refuse_write(user, record):
        return refused
    return _already(attachment) if attachment.is_archived else None


def refuse_size(name: str, size: int) -> str | None:
    """Return why a file of `size` bytes cannot be attached, None when it can."""
    if size == 0:
        return f"{name} is empty; attach the file that has the content."
    if size > MOST_BYTES:
        limit = f"the limit is {MOST_BYTES // MEGABYTE} MB"
        return f"{name} has {size / MEGABYTE:.1f} MB; {limit}. Make it smaller or split it."
    kind = KINDS.get(extension_of(name))
    if size > MOST_OF_A_PICTURE and kind is not None and kind.media_type.startswith("image/"):
        limit = f"a picture may have {MOST_OF_A_PICTURE // MEGABYTE} MB"
        return f"{name} has {size / MEGABYTE:.1f} MB; {limit}. Save it in the size in which it is shown."
    return None


def attach(record: GovernedBase, file: "File[bytes]", *, by: "User", description: str = "") -> Attachment:
    """Keep `file` with `record`; the same name again becomes the next version.

    Raises:
        NotAllowed: `by` may not change the record, or it is archived.
        InvalidInput: the file is empty, too big, of a kind not accepted or not what its name says.
        WrongState: exactly this file is attached already.
        NoRoom: the disk is full.
    """
    if refused := refuse_attach(by, record):
        raise NotAllowed(refused)
    return attach_for(record, file, by=by, description=description)


def attach_for(record: GovernedBase, file: "File[bytes]", *, by: "User", description: str = "") -> Attachment:
    """Keep `file` with `record` whoever `by` is: for doors that have asked for the right themselves. See `attach`.

    Raises:
        InvalidInput, WrongState, NoRoom: as `attach` does.
    """
    name = safe_name(file.name or "")
    content: Any = file.file
    if refused := refuse_size(name, file.size) or refuse_kind(name) or refuse_content(name, content):
        raise InvalidInput(refused)
    digest = sha256_of(content)
    with transaction.atomic(), acting_as(by):
        type(record)._default_manager.select_for_update(of=("self",)).get(pk=record.pk)
        there = Attachment.objects.about(record)
        if twin := there.live().filter(sha256=digest).select_related("attached_by").first():
            raise WrongState(f"This very file is attached already: {twin}, by {twin.attached_by}.")
        newest = there.filter(name=name).order_by("-version").first()
        attachment = Attachment(
            content_type=kind_of(record),
            object_id=record.pk,
            name=name,
            version=newest.version + 1 if newest else 1,
            description=description,
            media_type=KINDS[extension_of(name)].media_type,
            size=file.size,
            sha256=digest,
            attached_by=by,
        )
        _keep(attachment, file)
    return attachment


def remove(attachment: Attachment, *, by: "User", reason: str = "") -> Attachment:
    """Take `attachment` out of the record's files; it stays as evidence and can still be read.

    Raises:
        NotAllowed: `by` may not change the record, or it is archived.
        WrongState: it is removed already.
    """
    with transaction.atomic(), acting_as(by, reason=reason):
        row: Attachment = Attachment.objects.select_for_update(of=("self",)).get(pk=attachment.pk)
        if refused := refuse_remove(by, row):
            raise (WrongState if refused == _already(row) else NotAllowed)(refused)
        row.archived_at = clock.now()
        row.save(update_fields=["archived_at"])
    return row


def _already(attachment: Attachment) -> str:
    return f"{attachment} is removed already."


def is_intact(attachment: Attachment) -> bool:
    """Whether the file on disk is still the one that was attached."""
    try:
        with attachment.file.open("rb") as stored:
            return sha256_of(stored) == attachment.sha256
    except OSError:
        return False


def sha256_of(file: IO[bytes]) -> str:
    """Return the fingerprint of an open file, leaving it at its start."""
    file.seek(0)
    digest = hashlib.sha256()
    while chunk := file.read(MEGABYTE):
        digest.update(chunk)
    file.seek(0)
    return digest.hexdigest()


def _keep(attachment: Attachment, file: "File[bytes]") -> None:
    """Write the file and its row; where either fails nothing stays behind."""
    store, place = private_files(), random_place(attachment, attachment.name)
    try:
        attachment.file = store.save(place, file)
        with transaction.atomic():
            attachment.save()
    except OSError as error:
        store.delete(place)
        if disk_is_full(error):
            raise no_room(attachment.name) from error
        raise
    except BaseException:
        store.delete(place)
        raise
