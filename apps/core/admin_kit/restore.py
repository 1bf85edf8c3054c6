"""Bring back an earlier version of a record: an operation like any other, through rules, rights and the row's lock."""

from collections.abc import Collection
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction

from apps.core import access
from apps.core.actors import acting_as
from apps.core.admin_kit.names import label_of
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.core.governed import GovernedBase
from apps.core.words import reason_given


def restorable_fields(
    thing: models.Model, version: Any, *, hidden: Collection[str] = ()
) -> list["models.Field[Any, Any]"]:
    """Return the fields that restoring `version` would change: those a form may edit, and that differ.

    States and whatever else only an operation changes stay as they are.
    """
    return [
        field
        for field in version.tracked_fields
        if field.editable
        and not field.primary_key
        and field.name not in hidden
        and getattr(version, field.attname) != getattr(thing, field.attname)
    ]


def refuse_restore_version(user: Any, thing: GovernedBase, version: Any, *, hidden: Collection[str] = ()) -> str | None:
    """Return why `user` cannot bring `version` of `thing` back now, None when it works."""
    if not access.may(user, "change", thing):
        return f"You may not change {thing}."
    if thing.is_archived:
        return f"{thing} is archived and read-only; restore it first."
    if version.id != thing.pk or version.history_type == "-":
        return f"This is no version of {thing} that could be brought back."
    if not restorable_fields(thing, version, hidden=hidden):
        return "This version holds what the record holds now; there is nothing to bring back."
    return None


def restore_version(thing: GovernedBase, version: Any, *, by: Any, reason: str, hidden: Collection[str] = ()) -> str:
    """Give `thing` the values it had in `version`; itself a new version, so nothing is lost.

    Args:
        thing: the record as it is.
        version: one of its history rows.
        by: who brings it back.
        reason: why, kept with the change.
        hidden: fields that `by` does not see, which stay as they are.

    Raises:
        NotAllowed: `by` may not change it.
        WrongState: it is archived, the version is another record's, or nothing would change.
        InvalidInput: the old values break today's rules, or no reason is given.
    """
    reason = reason_given(reason, "Bringing back a version needs a reason.")
    with transaction.atomic(), acting_as(by, reason=reason):
        row = type(thing)._base_manager.select_for_update(of=("self",)).get(pk=thing.pk)
        if refused := refuse_restore_version(by, row, version, hidden=hidden):
            raise (WrongState if access.may(by, "change", row) else NotAllowed)(refused)
        fields = restorable_fields(row, version, hidden=hidden)
        for field in fields:
            setattr(row, field.attname, getattr(version, field.attname))
        try:
            row.full_clean()
        except ValidationError as error:
            raise InvalidInput(f"The old values break today's rules. {' '.join(error.messages)}") from error
        row.save()
    names = ", ".join(label_of(row, field.name) for field in fields)
    return f"{row} is as it was on {version.history_date:%d %B %Y}: {names}."
