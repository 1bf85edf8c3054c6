"""Archive instead of delete: a row leaves the lists, and can come back."""

from collections.abc import Callable
from typing import Any

from django.db import models, transaction

from apps.core import access, clock
from apps.core.actors import acting_as
from apps.core.errors import NotAllowed, WrongState
from apps.core.governed import GovernedBase

Follow = Callable[..., object]
_followers: dict[type[models.Model], list[Follow]] = {}


def follow_archiving(model: type[models.Model], follow: Follow) -> None:
    """Have `follow(row, by=…)` called when a row of `model` is archived: locked, in the same transaction."""
    _followers.setdefault(model, []).append(follow)


def refuse_archive(user: Any, thing: GovernedBase) -> str | None:
    """Return why `user` cannot archive `thing` now, None when it works."""
    if not access.may(user, "change", thing):
        return f"You may not change {thing}."
    return f"{thing} is archived already." if thing.is_archived else None


def refuse_restore(user: Any, thing: GovernedBase) -> str | None:
    """Return why `user` cannot bring `thing` back now, None when it works."""
    if not access.can(user, "restore", thing):
        return f"You may not change {thing}."
    return None if thing.is_archived else f"{thing} is not archived."


def archive(thing: GovernedBase, *, by: Any) -> str:
    """Put `thing` away; its history stays and `restore` brings it back.

    Raises:
        NotAllowed: `by` may not change it.
        WrongState: it is archived already.
    """
    return _set(thing, by=by, refusal=refuse_archive, archived=True)


def restore(thing: GovernedBase, *, by: Any) -> str:
    """Bring an archived `thing` back.

    Raises:
        NotAllowed: `by` may not change it.
        WrongState: it is not archived.
    """
    return _set(thing, by=by, refusal=refuse_restore, archived=False)


def _set(thing: GovernedBase, *, by: Any, refusal: Any, archived: bool) -> str:
    with transaction.atomic(), acting_as(by):
        row = type(thing)._default_manager.select_for_update(of=("self",)).get(pk=thing.pk)
        if refused := refusal(by, row):
            raise (WrongState if access.may(by, "change", row) else NotAllowed)(refused)
        row.archived_at = clock.now() if archived else None
        row.save(update_fields=["archived_at"])
        for follow in _followers.get(type(row), ()) if archived else ():
            follow(row, by=by)
    return f"{row} is {'archived' if archived else 'back'}."
