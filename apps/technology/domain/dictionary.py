"""The data dictionary: what entities and fields mean, approved by somebody else, version by version."""

import datetime as dt
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Max

from apps.core import access, clock
from apps.core.actors import acting_as
from apps.core.errors import NotAllowed, WrongState
from apps.core.events import publish
from apps.core.transitions import transition
from apps.technology.domain.case_states import move_case, submit_case
from apps.technology.enums import CaseState
from apps.technology.models import DataDefinition

if TYPE_CHECKING:
    from apps.accounts.models import User
    from apps.approvals.models import ApprovalRequest

MATERIAL = ("entity_id", "field_id", "text", "example")


def refuse_definition(user: "User", definition: DataDefinition) -> str | None:
    """Return why `user` cannot send this definition for approval now, None when it works."""
    if not access.can(user, "change", definition):
        return "You may not change definitions."
    if not definition.is_editable:
        return f"The definition is {definition.get_state_display().lower()}; there is nothing to send."
    if definition.entity.is_archived:
        return f"{definition.entity} is archived; restore it first."
    return None if definition.text.strip() else "The definition says nothing yet."


def submit_definition(definition: DataDefinition, *, by: "User", note: str = "", at: dt.datetime | None = None) -> str:
    """Send a definition for approval, exactly as it is now.

    Raises:
        NotAllowed, WrongState: as `refuse_definition` says.
    """
    return submit_case(definition, by=by, note=note, at=at, refuse=refuse_definition, load=("entity", "field"))


def approve_definition(
    definition: DataDefinition, approval: "ApprovalRequest", *, by: "User", at: dt.datetime | None = None
) -> None:
    """Let a definition count from now on in place of the one before it: the effect of its approval."""
    if definition.state != CaseState.IN_APPROVAL:
        raise WrongState(f"{definition} is not in approval any more; nothing was approved.")
    before = DataDefinition.objects.select_for_update(of=("self",)).filter(
        entity=definition.entity_id, field=definition.field_id, state=CaseState.APPROVED
    )
    for each in before:
        move_case(each, CaseState.REVOKED)
    move_case(definition, CaseState.APPROVED, decided_at=at or clock.now())
    publish("definition.approved", definition_id=definition.pk)


def refuse_next(user: "User", definition: DataDefinition) -> str | None:
    """Return why `user` cannot write the next version now, None when it works."""
    if not access.can(user, "change", definition):
        return "You may not change definitions."
    if definition.is_editable:
        return "This version is open; change it as it is."
    same = DataDefinition.objects.filter(entity=definition.entity_id, field=definition.field_id, archived_at=None)
    if same.filter(state__in=(CaseState.DRAFT, CaseState.IN_APPROVAL, CaseState.REFUSED)).exists():
        return "There is an open version of this definition; finish that one."
    return None


def next_definition(definition: DataDefinition, *, by: "User") -> str:
    """Start the next version with what this one says.

    Raises:
        NotAllowed, WrongState: as `refuse_next` says.
    """
    with transaction.atomic(), acting_as(by):
        row = DataDefinition.objects.select_for_update(of=("self",)).get(pk=definition.pk)
        if refused := refuse_next(by, row):
            raise (WrongState if access.can(by, "change", row) else NotAllowed)(refused)
        same = DataDefinition.objects.filter(entity=row.entity_id, field=row.field_id)
        number = same.aggregate(newest=Max("number"))["newest"] + 1
        with transition(DataDefinition):
            made = DataDefinition.objects.create(
                entity=row.entity, field=row.field, number=number, text=row.text, example=row.example, requester=by
            )
    return f"{made} is a draft now; it stands first in the list."
