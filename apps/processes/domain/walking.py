"""Which steps of a run are due: decisions on values, drawn from the flow and from what was done so far."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from apps.processes.enums import StepKind, StepState
from apps.processes.models.values import Flow

_PASSED = (StepState.DONE, StepState.WAIVED)


@dataclass(frozen=True)
class Standing:
    """Where one step of a run stands.

    Attributes:
        state: its state.
        ways: keys of the steps it led to when it was closed.
    """

    state: StepState
    ways: tuple[str, ...] = ()


def due_steps(flow: Flow, standings: Mapping[str, Standing]) -> dict[str, StepState]:
    """Return for each step that nobody has touched yet whether it is to do, not yet, or not taken.

    A step is due once every way that leads to it is settled and one of them was taken; it is not taken when all are
    settled and none was. A step that is not blocking settles its ways as soon as it is due itself. The first step is
    due from the start.
    """
    found: dict[str, StepState] = {}
    for step in in_order(flow):
        now = standings.get(step, Standing(StepState.LATER)).state
        if now not in (StepState.LATER, StepState.SKIPPED):
            continue
        ways = [_way(flow, edge.source, step, standings, found) for edge in flow.forward if edge.target == step]
        if not ways or (None not in ways and True in ways):
            found[step] = StepState.TODO
        else:
            found[step] = StepState.LATER if None in ways else StepState.SKIPPED
    return found


def in_order(flow: Flow) -> list[str]:
    """Return the keys so that each step comes after all that lead to it; among equals the order of the list."""
    waiting = [step.key for step in flow.steps]
    before = {key: {edge.source for edge in flow.forward if edge.target == key} for key in waiting}
    ordered: list[str] = []
    while waiting:
        ready = next((key for key in waiting if before[key] <= set(ordered)), waiting[0])
        waiting.remove(ready)
        ordered.append(ready)
    return ordered


def _way(
    flow: Flow, source: str, target: str, standings: Mapping[str, Standing], found: Mapping[str, StepState]
) -> bool | None:
    """Whether the way was taken; None while that is open."""
    standing = standings.get(source, Standing(StepState.LATER))
    state = found.get(source, standing.state)
    if state in _PASSED:
        return target in standing.ways if standing.ways else True
    if state == StepState.SKIPPED:
        return False
    step = next(each for each in flow.steps if each.key == source)
    alone = len([edge for edge in flow.forward if edge.source == source]) == 1
    if state != StepState.LATER and not step.blocking and alone:
        return True
    return None


def refuse_ways(flow: Flow, key: str, chosen: Sequence[str]) -> str | None:
    """Return why a step cannot be closed with these ways taken, None when it can.

    Args:
        flow: the steps and the ways between them.
        key: the step that is closed.
        chosen: keys of the steps it leads to; may be empty where one way or none leads on.
    """
    step = next(each for each in flow.steps if each.key == key)
    ways = flow.ways_out(key)
    targets = {edge.target for edge in ways}
    titles = {each.key: each.title for each in flow.steps}
    if unknown := [each for each in chosen if each not in targets]:
        return f"No way leads from “{step.title}” to “{titles.get(unknown[0], unknown[0])}”."
    forward = [edge for edge in ways if not edge.is_rework]
    back = [edge for edge in ways if edge.is_rework and edge.target in chosen]
    if back and len(chosen) > 1:
        return "Going back to do it again and going on exclude each other; choose one."
    if back or len(forward) <= 1:
        return None
    if not chosen:
        return f"“{step.title}” leads on in several ways; say which one is taken."
    if step.kind == StepKind.DECISION and len(chosen) > 1:
        return f"“{step.title}” is a decision; choose one way."
    return None


def ways_after(old: Flow, new: Flow, key: str, taken: Sequence[str]) -> list[str] | None:
    """Return the ways a closed step counts as having taken after its run went to another version.

    Args:
        old: the steps and ways it was closed in.
        new: those that count now.
        key: the step.
        taken: keys of the steps it led to; empty where one way led on, or where it was left out.

    Returns:
        Those of the ways it took that are left; nothing where one way leads on, which needs no choice; None where
        several lead on and none of them was taken: somebody has to choose.
    """
    onward = [edge.target for edge in new.forward if edge.source == key]
    if len(onward) <= 1:
        return []
    went = list(taken) or [edge.target for edge in old.forward if edge.source == key]
    return [each for each in went if each in onward] or None


def again_from(flow: Flow, key: str) -> set[str]:
    """Return the step and all that come after it: what is done anew when the run goes back to `key`."""
    again, todo = set(), [key]
    while todo:
        each = todo.pop()
        if each not in again:
            again.add(each)
            todo.extend(edge.target for edge in flow.forward if edge.source == each)
    return again
