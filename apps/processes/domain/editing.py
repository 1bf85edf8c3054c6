"""Editing the steps of a draft: what a person arranged on the page becomes the flow of the version."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.db import transaction

from apps.core import access
from apps.core.actors import acting_as
from apps.core.errors import InvalidInput, NotAllowed, StaleEdit, WrongState
from apps.processes.domain.flow import MOST_STEPS, circle_in, key_from, write_flow
from apps.processes.domain.step_roles import refuse_roles
from apps.processes.enums import VersionState
from apps.processes.models import SOPVersion
from apps.processes.models.values import Flow, FlowEdge, FlowStep

if TYPE_CHECKING:
    from apps.accounts.models import User

NEXT, END = "+next", "+end"
MOST_WAYS = 4


@dataclass(frozen=True)
class Lead:
    """Where a step leads: to another by its key, to the next in the list (`NEXT`), or nowhere (`END`)."""

    to: str
    condition: str = ""
    is_rework: bool = False


@dataclass(frozen=True)
class Arranged:
    """One step as it was arranged; without leads it goes on to the next one."""

    step: FlowStep
    leads: tuple[Lead, ...] = field(default=(Lead(NEXT),))


def arrange(flow: Flow) -> list[Arranged]:
    """Return the steps of `flow` in order, the plain way to the next one in the list written as `NEXT`."""
    found = []
    for place, step in enumerate(flow.steps):
        following = flow.steps[place + 1].key if place + 1 < len(flow.steps) else None
        leads = [
            Lead(
                NEXT if edge.target == following and not edge.is_rework else edge.target, edge.condition, edge.is_rework
            )
            for edge in flow.ways_out(step.key)
        ]
        if not any(not lead.is_rework for lead in leads):
            leads.insert(0, Lead(NEXT if following is None else END))
        found.append(Arranged(step, tuple(leads)))
    return found


def flow_from(arranged: list[Arranged]) -> Flow:
    """Return the flow that was arranged.

    Raises:
        InvalidInput: a key twice, a way to nowhere or to itself, a circle, too many steps.
    """
    if problem := problem_of(arranged):
        raise InvalidInput(problem)
    return _flow(arranged)


def problem_of(arranged: list[Arranged]) -> str | None:
    """Return in a sentence why this can be no flow, None when it can."""
    keys = [each.step.key for each in arranged]
    if twice := next((key for key in keys if keys.count(key) > 1), None):
        return f"Two steps have the key “{twice}”; each needs one of its own."
    if len(keys) > MOST_STEPS:
        return f"{len(keys)} steps are more than anybody follows; split the process at {MOST_STEPS}."
    for each in arranged:
        for lead in each.leads:
            if lead.to not in (NEXT, END) and lead.to not in keys:
                return f"“{each.step.title}” leads to “{lead.to}”, which is no step of this version."
            if lead.to == each.step.key:
                return f"“{each.step.title}” leads to itself; choose another step."
    flow = _flow(arranged)
    if circle := circle_in(flow):
        titles = {step.key: step.title for step in flow.steps}
        way = " → ".join(f"“{titles[key]}”" for key in circle)
        return f"The steps lead in a circle: {way}. Mark the way back as rework, or take it out."
    return None


def _flow(arranged: list[Arranged]) -> Flow:
    keys = [each.step.key for each in arranged]
    edges: dict[tuple[str, str], FlowEdge] = {}
    for place, each in enumerate(arranged):
        following = keys[place + 1] if place + 1 < len(keys) else None
        for lead in each.leads:
            target = following if lead.to == NEXT else lead.to
            if target is None or target == END:
                continue
            edges[each.step.key, target] = FlowEdge(each.step.key, target, lead.condition, lead.is_rework)
    return Flow(tuple(each.step for each in arranged), tuple(edges.values()))


def new_key(title: str, taken: list[str]) -> str:
    """Return a key for a new step, and remember it in `taken`."""
    key = key_from(title, taken)
    taken.append(key)
    return key


def refuse_steps(user: "User", version: SOPVersion) -> str | None:
    """Return why `user` cannot edit the steps of `version` now, None when it works."""
    if not access.may(user, "change", version):
        return f"You may not change {version}."
    if not version.is_draft:
        return f"{version} is {VersionState(version.state).label.lower()}; only the steps of drafts are edited."
    return None


def save_steps(
    version: SOPVersion,
    flow: Flow,
    *,
    by: "User",
    opened: int | None = None,
    reason: str = "",
    new_roles: Collection[str] = (),
) -> str:
    """Make the steps of a draft say `flow`.

    Args:
        version: the draft.
        flow: its steps from now on; made by `flow_from`, so without circles.
        by: who edits.
        opened: the row version the editor was opened on; None where nobody looked before.
        reason: why, where a rule wants it.
        new_roles: names of roles that are to be added with it, because `by` was asked and said so.

    Raises:
        InvalidInput: a step names a role that does not exist or is archived.
        NotAllowed: `by` may not change it.
        StaleEdit: somebody else saved it meanwhile.
        WrongState: it is no draft.
    """
    with transaction.atomic(), acting_as(by, reason=reason or None):
        rows = SOPVersion.objects.select_for_update(of=("self",)).select_related("process")
        row: SOPVersion = rows.get(pk=version.pk)
        if refused := refuse_steps(by, row):
            raise (WrongState if access.may(by, "change", row) else NotAllowed)(refused)
        if opened is not None and opened != row.row_version:
            newest = row.history.select_related("history_user").order_by("-history_id").first()
            who = (newest.history_user or newest.actor_label) if newest else "Somebody"
            raise StaleEdit(
                f"{who} saved this draft after you opened it. Open the steps again in another tab and bring your "
                "changes over; nothing of yours was saved."
            )
        if refused := refuse_roles(by, flow, new_roles=new_roles):
            raise InvalidInput(refused)
        write_flow(row, flow, new_roles=new_roles)
    count = len(flow.steps)
    return f"Saved: {count} step{'' if count == 1 else 's'}."
