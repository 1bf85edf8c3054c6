"""Keeping the record of accesses: exports, looking on as somebody else, and auditors' reading of personal data."""

from typing import Any

from django.db import models

from apps.accounts.domain.roles import roles_of
from apps.accounts.enums import Role
from apps.accounts.models import User
from apps.core import clock
from apps.core.actors import current_actor
from apps.rights.enums import AccessKind
from apps.rights.models import AccessLog

# kinds of record that are about a person; besides these every model that declares `personal_fields`
ABOUT_PEOPLE = frozenset({"accounts.user", "accounts.invitation", "leads.lead"})


def log(kind: str, *, by: User, thing: models.Model | None, detail: dict[str, Any]) -> None:
    """Write one entry.

    Args:
        kind: one of `AccessKind`.
        by: the person.
        thing: the record it is about.
        detail: what else an auditor asks, as JSON.
    """
    AccessLog.objects.create(
        at=clock.now(),
        person=by,
        kind=AccessKind(kind),
        model=thing._meta.label_lower if thing is not None else "",
        object_id=str(thing.pk) if thing is not None else "",
        object_label=str(thing)[:250] if thing is not None else "",
        detail=detail,
        request_id=current_actor().request_id,
    )


def holds_personal_data(model: type[models.Model]) -> bool:
    """Whether records of this kind say something about a person."""
    return model._meta.label_lower in ABOUT_PEOPLE or bool(getattr(model, "personal_fields", ()))


def note_read(person: User, target: Any, how: str) -> None:
    """Write down that an auditor opened a page with personal data; everybody else's reading is their work.

    The record is named by its number alone: a label would copy the personal data that may be erased one day.
    """
    model: type[models.Model] = target if isinstance(target, type) else type(target)
    if not holds_personal_data(model) or Role.AUDITOR not in roles_of(person):
        return
    about_oneself = not isinstance(target, type) and isinstance(target, User) and target.pk == person.pk
    if about_oneself:
        return
    AccessLog.objects.create(
        at=clock.now(),
        person=person,
        kind=AccessKind.PERSONAL_DATA,
        model=model._meta.label_lower,
        object_id="" if isinstance(target, type) else str(target.pk),
        detail={"list": how} if isinstance(target, type) else {"read": how},
        request_id=current_actor().request_id,
    )
