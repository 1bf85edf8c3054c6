"""Texts in versions: one draft at a time, sent for approval, fixed from then on.

For versions with `state`, `number`, `body`, `change_note`, `is_draft` and a `template` that has `versions`.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from django.db import models, transaction

from apps.approvals.domain.asking import request_approval
from apps.core import access
from apps.core.actors import acting_as
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.core.transitions import transition

if TYPE_CHECKING:
    from apps.accounts.models import User

DRAFT, IN_REVIEW = "draft", "in_review"


def refuse_next(user: "User", template: Any) -> str | None:
    """Return why `user` cannot start the next version of `template`, None when they can."""
    if not access.can(user, "change", template):
        return f"You may not change {template}."
    if template.is_archived:
        return f"{template} is archived; restore it first."
    open_one = template.versions.filter(state__in=(DRAFT, IN_REVIEW)).first()
    if open_one is not None:
        return f"Version {open_one.number} is {open_one.get_state_display().lower()} already; finish that one."
    return None


def lock_for_next(template: models.Model, *, by: "User") -> Any:
    """Return `template` locked, inside the caller's transaction, for its next version.

    Raises:
        NotAllowed, WrongState: as `refuse_next` says.
    """
    row = type(template)._default_manager.select_for_update(of=("self",)).get(pk=template.pk)
    if refused := refuse_next(by, row):
        raise (WrongState if access.can(by, "change", row) else NotAllowed)(refused)
    return row


def next_version(template: models.Model, *, by: "User", parts: Sequence[str], **said: Any) -> Any:
    """Start the next version as a draft: it says what is given, and what the newest one says in `parts`.

    Raises:
        NotAllowed, WrongState: as `refuse_next` says.
    """
    with transaction.atomic(), acting_as(by):
        row = lock_for_next(template, by=by)
        newest = row.versions.order_by("-number").first()
        begin = {name: getattr(newest, name) for name in parts} if newest else {}
        return row.versions.create(number=newest.number + 1 if newest else 1, author=by, **{**begin, **said})


def started(version: Any) -> str:
    """Return what is said once a version was started."""
    return f"Version {version.number} is a draft; write it and send it for approval."


def refuse_draft(user: "User", version: Any, problem: Callable[[], str | None]) -> str | None:
    """Return why `user` cannot send `version` for approval, None when they can.

    Args:
        user: who wants to send it.
        version: the draft.
        problem: says what is wrong with what it says, None where nothing is; asked of drafts alone.
    """
    if not access.can(user, "change", version):
        return f"You may not change {version}."
    if not version.is_draft:
        return f"{version} is {version.get_state_display().lower()}; only drafts are sent."
    if wrong := problem():
        return wrong
    if version.number > 1 and not version.change_note.strip():
        return "Say what is new in this version, for whoever approves it."
    return None


def refuse_text(user: "User", version: Any, *, longest: int, unfilled: str | None) -> str | None:
    """Return why `user` cannot send `version` for approval, None when they can.

    Args:
        user: who wants to send it.
        version: the draft.
        longest: how many characters its text may have.
        unfilled: what in the text nothing would be filled into, as a sentence; None where everything is.
    """

    def problem() -> str | None:
        if not version.body.strip():
            return "There is nothing to approve yet: write the text first."
        if len(version.body) > longest:
            return f"The text is longer than {longest:,} characters; shorten it."
        return unfilled

    return refuse_draft(user, version, problem)


def submit_draft(
    version: models.Model,
    *,
    by: "User",
    refuse: Callable[["User", Any], str | None],
    note: str = "",
    at: dt.datetime | None = None,
) -> str:
    """Send a draft for approval; it is fixed until that is decided.

    Args:
        version: the draft.
        by: who sends it.
        refuse: says why not, for the row as it is locked.
        note: for the approvers.
        at: now, where another moment is meant.

    Raises:
        NotAllowed, WrongState, InvalidInput: as `refuse` says.
    """
    with transaction.atomic(), acting_as(by, reason=note or None):
        rows = type(version)._default_manager.select_for_update(of=("self",)).select_related("template")
        row: Any = rows.get(pk=version.pk)
        if refused := refuse(by, row):
            if not access.can(by, "change", row):
                raise NotAllowed(refused)
            raise (InvalidInput if row.is_draft else WrongState)(refused)
        move_version(row, IN_REVIEW)
        request_approval(row, by=by, note=note, at=at)
    return f"{row} is in review. Who wrote it cannot approve it."


def begin_force(version: Any, *, state: str, before: str, at: dt.datetime) -> None:
    """Put an approved version in force in the place of the one before: the effect of its approval.

    Args:
        version: the version that waits for approval.
        state: what it becomes.
        before: what the one in force until now becomes.
        at: since when.

    Raises:
        WrongState: it no longer waits for approval.
    """
    if version.state != IN_REVIEW:
        raise WrongState(f"{version} no longer waits for approval.")
    for old in version.template.versions.filter(state=state):
        move_version(old, before)
    move_version(version, state, in_force_at=at)


def back_to_draft(version: Any, request: Any, *, by: "User") -> None:
    """Make a refused or withdrawn version a draft again."""
    move_version(version, DRAFT)


def move_version(version: Any, state: str, **also: Any) -> None:
    """Write a version's state, inside the caller's transaction."""
    version.state = state
    for name, value in also.items():
        setattr(version, name, value)
    with transition(type(version)):
        version.save(update_fields=["state", *also])
