"""Agreements that two sides sign: written by one, signed by both through approval, replaced by the next version.

For versions with `state` (draft, …, signed, retired), `number`, `follows`, `signed_at` and `retired_at`, of which the
two people who sign are columns.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from django.db import models, transaction

from apps.approvals.domain.definition import Definition, Named, Row, Stage
from apps.approvals.enums import Mode, Via
from apps.core import access, clock
from apps.core.actors import acting_as
from apps.core.errors import DomainError, NotAllowed, WrongState
from apps.core.transitions import transition

if TYPE_CHECKING:
    from apps.accounts.models import User

DRAFT, SIGNED, RETIRED = "draft", "signed", "retired"


def both_sides(signatories: Sequence[str]) -> Definition:
    """Return the policy that such agreements start with: both signatories, in either order."""
    names = tuple(Named(Via.OWNER, each) for each in signatories)
    return Definition((Stage(1, "Signatures", names, mode=Mode.ALL),), (Row("Everything", {"all": []}, (1,)),))


def refuse_change(user: "User", agreement: Any) -> str | None:
    """Return why `user` cannot work on `agreement`, None when they can."""
    if not access.can(user, "change", agreement):
        return f"You may not change {agreement}."
    return f"{agreement} is archived; restore it first." if agreement.is_archived else None


def refuse_sending(user: "User", agreement: Any) -> str | None:
    """Return why `user` cannot send `agreement` to whoever signs, None when they can."""
    if refused := refuse_change(user, agreement):
        return refused
    if agreement.state != DRAFT:
        return f"{agreement} is {agreement.get_state_display().lower()}; only a draft is sent."
    return None


def refuse_next(user: "User", agreement: Any) -> str | None:
    """Return why `user` cannot write the next version of `agreement`, None when they can."""
    if refused := refuse_change(user, agreement):
        return refused
    if agreement.state not in (SIGNED, RETIRED):
        return f"{agreement} is not signed yet; change it instead."
    following = type(agreement)._default_manager.filter(follows=agreement).first()
    return f"{following} follows it already." if following is not None else None


def write_next(agreement: Any, *, by: "User", copied: Iterable[str], **said: Any) -> str:
    """Start the next version as a draft that says the same in `copied`; the one in force holds until it is signed.

    Raises:
        NotAllowed, WrongState: as `refuse_next` says.
    """
    with transaction.atomic(), acting_as(by):
        row = locked(agreement)
        ensure(by, row, refuse_next(by, row))
        values = {name: getattr(row, name) for name in (*copied, "owner_person", "owner_team")}
        made = type(row)._default_manager.create(**{**values, **said}, number=row.number + 1, follows=row)
    return f"{made} is a draft; change it and send it to both sides."


def sign(agreement: Any, replaced: Iterable[Any], *, waits: str, at: dt.datetime | None = None) -> None:
    """Bring an agreement into force in the place of those it replaces: the effect of both signatures.

    Raises:
        WrongState: it is not in the state `waits`, in which it waits for signatures.
    """
    if agreement.state != waits:
        raise WrongState(f"{agreement} no longer waits for signatures.")
    moment = at or clock.now()
    for each in replaced:
        write_state(each, state=RETIRED, retired_at=moment)
    write_state(agreement, state=SIGNED, signed_at=moment)


def return_to_draft(agreement: Any, request: Any, *, by: "User") -> None:
    """Bring a refused or withdrawn agreement back to its draft."""
    write_state(agreement, state=DRAFT)


def refuse_retire(user: "User", agreement: Any) -> str | None:
    """Return why `user` cannot end `agreement`, None when they can."""
    if refused := refuse_change(user, agreement):
        return refused
    return None if agreement.state == SIGNED else f"{agreement} is not in force."


def retire(agreement: Any, *, by: "User", reason: str) -> str:
    """End an agreement; what runs under it goes on, nothing new comes under it.

    Raises:
        NotAllowed, WrongState: as `refuse_retire` says.
    """
    with transaction.atomic(), acting_as(by, reason=reason):
        row = locked(agreement)
        ensure(by, row, refuse_retire(by, row))
        write_state(row, state=RETIRED, retired_at=clock.now())
    return f"{row} has ended."


def locked(agreement: models.Model, *parts: str) -> Any:
    """Return the row of `agreement` locked, inside the caller's transaction, with these parts of it."""
    rows = type(agreement)._default_manager.select_for_update(of=("self",))
    return (rows.select_related(*parts) if parts else rows).get(pk=agreement.pk)


def write_state(agreement: Any, **changed: Any) -> None:
    """Write columns that only an operation changes."""
    for name, value in changed.items():
        setattr(agreement, name, value)
    with transition(type(agreement)):
        agreement.save(update_fields=list(changed))


def ensure(user: "User", agreement: Any, refused: str | None) -> None:
    """Raise a refusal, if there is one: of the state to who may change it, of the right to others."""
    if refused is not None:
        kind: type[DomainError] = WrongState if access.can(user, "change", agreement) else NotAllowed
        raise kind(refused)
