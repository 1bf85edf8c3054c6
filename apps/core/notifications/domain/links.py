"""What a notification is about, for a person who may or may not see it (any more)."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.urls import NoReverseMatch, reverse

from apps.core import access
from apps.core.notifications.models import Notification


@dataclass(frozen=True)
class Readable:
    """A notification as one person may read it now."""

    notification: Notification
    body: str
    about: str
    link: str
    is_hidden: bool


def readable(person: Any, notifications: Iterable[Notification]) -> list[Readable]:
    """Return the notifications with body and link where `person` may see the record they are about.

    One query per kind of record, however many notifications there are.
    """
    listed = list(notifications)
    seen = visible_subjects(person, listed)
    return [_as_read(each, seen) for each in listed]


def visible_subjects(person: Any, notifications: Iterable[Notification]) -> set[tuple[int, str]]:
    """Return content type and key of the records among those told of that `person` may see now."""
    wanted: dict[int, set[str]] = defaultdict(set)
    for each in notifications:
        if each.subject_type_id is not None:
            wanted[each.subject_type_id].add(each.subject_id)
    seen: set[tuple[int, str]] = set()
    for kind, keys in wanted.items():
        model = ContentType.objects.get_for_id(kind).model_class()
        if model is not None:
            rows = access.visible(person, model).filter(pk__in=keys)
            seen |= {(kind, str(key)) for key in rows.values_list("pk", flat=True)}
    return seen


def _as_read(row: Notification, seen: set[tuple[int, str]]) -> Readable:
    if row.subject_type_id is None:
        return Readable(row, row.body, "", row.url, is_hidden=False)
    if (row.subject_type_id, row.subject_id) not in seen:
        return Readable(row, "", "", "", is_hidden=True)
    return Readable(row, row.body, row.subject_label, row.url or _page_of(row), is_hidden=False)


def _page_of(row: Notification) -> str:
    kind = ContentType.objects.get_for_id(row.subject_type_id or 0)
    try:
        return reverse(f"admin:{kind.app_label}_{kind.model}_change", args=(row.subject_id,))
    except NoReverseMatch:
        return ""
