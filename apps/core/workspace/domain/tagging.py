"""Tagging: which words stand on a record, put there and taken off by whoever may change it."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.db import models, transaction
from django.db.models.functions import Lower

from apps.core import access
from apps.core.actors import acting_as
from apps.core.errors import InvalidInput, NotAllowed
from apps.core.governed import GovernedBase
from apps.core.records import kind_of, refuse_write
from apps.core.workspace.models import Tag, TaggedRecord
from apps.core.workspace.models.tag import NAME_LENGTH

if TYPE_CHECKING:
    from apps.accounts.models import User

MOST_AT_ONCE = 20


def split_names(text: str) -> list[str]:
    """Return the names in a text separated by commas, each once whatever its case, in their order.

    Raises:
        InvalidInput: there is none, there are too many, or one is too long.
    """
    found: dict[str, str] = {}
    for part in text.split(","):
        name = " ".join(part.split()).replace("\x00", "")
        if name:
            found.setdefault(name.casefold(), name)
    if not found:
        raise InvalidInput("Type a tag first, or several separated by commas.")
    if len(found) > MOST_AT_ONCE:
        raise InvalidInput(f"Those are {len(found)} tags; put at most {MOST_AT_ONCE} on a record at once.")
    for name in found.values():
        if len(name) > NAME_LENGTH:
            raise InvalidInput(f"“{name[:20]}…” is too long for a tag; {NAME_LENGTH} characters fit.")
    return list(found.values())


def refuse_tagging(user: "User", record: GovernedBase) -> str | None:
    """Return why `user` cannot tag `record` or take tags off it, None when it works."""
    if not access.has_model_permission(user, "change", TaggedRecord):
        return "Your roles do not let you tag records."
    return refuse_write(user, record)


def tag_record(record: GovernedBase, names: Iterable[str], *, by: "User") -> list[Tag]:
    """Put tags on `record`, making those that do not exist yet; those it has already are left alone.

    Returns:
        The tags that are new on the record.

    Raises:
        NotAllowed: `by` may not change the record, or may not make the tag that does not exist.
        InvalidInput: a tag is archived.
    """
    if refused := refuse_tagging(by, record):
        raise NotAllowed(refused)
    added = []
    with transaction.atomic(), acting_as(by):
        for name in names:
            tag = _tag_called(name, by=by)
            _, is_new = TaggedRecord.objects.get_or_create(tag=tag, content_type=kind_of(record), object_id=record.pk)
            if is_new:
                added.append(tag)
    return added


def untag_record(record: GovernedBase, tag: Tag, *, by: "User") -> None:
    """Take `tag` off `record`; nothing happens where it is not on it.

    Raises:
        NotAllowed: `by` may not change the record.
    """
    if refused := refuse_tagging(by, record):
        raise NotAllowed(refused)
    with transaction.atomic(), acting_as(by):
        TaggedRecord.objects.about(record).filter(tag=tag).delete()


def untag_named(record: GovernedBase, names: Iterable[str], *, by: "User") -> None:
    """Take the tags called so off `record`; those it does not have are passed over.

    Raises:
        NotAllowed: `by` may not change the record.
    """
    wanted = {name.casefold() for name in names}
    with transaction.atomic():
        for tag in tags_of(record):
            if tag.name.casefold() in wanted:
                untag_record(record, tag, by=by)


def tags_of(record: GovernedBase) -> list[Tag]:
    """Return the tags on `record`, by name."""
    on_it = TaggedRecord.objects.about(record).values("tag")
    return list(Tag.objects.filter(pk__in=on_it))


def tags_around(record: GovernedBase, *, most: int) -> tuple[list[Tag], list[Tag]]:
    """Return the tags on `record`, and those in use that may be put on records (at most `most`): one query."""
    on_it = TaggedRecord.objects.about(record).filter(tag=models.OuterRef("pk"))
    rows = Tag.objects.annotate(is_on=models.Exists(on_it)).filter(
        models.Q(is_on=True) | models.Q(archived_at__isnull=True)
    )
    found: list[Any] = list(rows.order_by("-is_on", Lower("name"))[:most])
    known = sorted((tag for tag in found if not tag.is_archived), key=lambda tag: tag.name.casefold())
    return [tag for tag in found if tag.is_on], known


def _tag_called(name: str, *, by: "User") -> Tag:
    tag: Tag | None = Tag.objects.filter(name__iexact=name).first()
    if tag is None:
        if not access.has_model_permission(by, "add", Tag):
            raise NotAllowed(f"There is no tag “{name}”, and your roles do not let you make one: choose from the list.")
        return Tag.objects.create(name=name)
    if tag.is_archived:
        raise InvalidInput(f"The tag “{tag}” is archived; restore it first, or choose another.")
    return tag
