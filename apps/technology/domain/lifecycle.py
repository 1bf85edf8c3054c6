"""The lifecycle of a tool: proposed, evaluated, approved, implemented, active, sunset, retired."""

from typing import TYPE_CHECKING

from django.db import transaction

from apps.core import access
from apps.core.actors import acting_as
from apps.core.conformity import refuse_unmet_rules
from apps.core.errors import NotAllowed, WrongState
from apps.core.events import publish
from apps.core.transitions import transition
from apps.technology.domain.cases import refuse_without_case
from apps.technology.domain.implementing import begin_rollouts, refuse_implementation
from apps.technology.domain.retirement import refuse_retirement
from apps.technology.enums import MOVES, Lifecycle
from apps.technology.models import Tool

if TYPE_CHECKING:
    from apps.accounts.models import User

# what nobody enters without an approved request or a waiver in force
NEEDS_CASE = (Lifecycle.APPROVED, Lifecycle.IMPLEMENTING, Lifecycle.ACTIVE)


def next_states(now: Lifecycle | str) -> tuple[Lifecycle, ...]:
    """Return the states a tool may enter from `now`."""
    return MOVES[Lifecycle(now)]


def is_next_for(user: "User", tool: Tool, *, to: Lifecycle) -> bool:
    """Whether `tool` comes to `to` next and `user` may take it there, once what it needs is met."""
    return to in next_states(tool.lifecycle) and not tool.is_archived and bool(access.may(user, "change", tool))


def refuse_move(user: "User", tool: Tool, *, to: Lifecycle) -> str | None:
    """Return why `user` cannot move `tool` to `to` now, None when it works."""
    if not access.may(user, "change", tool):
        return f"You may not change {tool}."
    if tool.is_archived:
        return f"{tool} is archived; restore it first."
    if to in next_states(tool.lifecycle):
        if to in NEEDS_CASE:
            refused = refuse_without_case(tool)
            implemented = to == Lifecycle.ACTIVE and tool.lifecycle == Lifecycle.IMPLEMENTING
            refused = refused or (refuse_implementation(tool) if implemented else None)
            return refused or (refuse_unmet_rules(tool) if to == Lifecycle.ACTIVE else None)
        return refuse_retirement(tool) if to == Lifecycle.RETIRED else None
    ways = " or ".join(state.label.lower() for state in next_states(tool.lifecycle))
    now = Lifecycle(tool.lifecycle).label.lower()
    return f"{tool} is {now}; from there it becomes {ways}." if ways else f"{tool} is {now}, and that is final."


def move_tool(tool: Tool, *, to: Lifecycle, by: "User", reason: str = "") -> str:
    """Move `tool` to the lifecycle state `to` and announce `tool.moved`.

    Raises:
        NotAllowed: `by` may not change the tool.
        WrongState: there is no way from where the tool is.
    """
    with transaction.atomic(), acting_as(by, reason=reason or None):
        row = Tool.objects.select_for_update(of=("self",)).get(pk=tool.pk)
        if refused := refuse_move(by, row, to=to):
            raise (WrongState if access.may(by, "change", row) else NotAllowed)(refused)
        row.lifecycle = to
        with transition(Tool):
            row.save(update_fields=["lifecycle"])
        publish("tool.moved", tool_id=row.pk, to=to.value)
        begun = begin_rollouts(row, by=by) if to == Lifecycle.IMPLEMENTING else []
    return " ".join((f"{row} is {to.label.lower()} now.", *begun))
