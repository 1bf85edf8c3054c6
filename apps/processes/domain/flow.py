"""The steps of a version: what keeps them from being approved, and how a flow becomes the rows of a draft."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from django.db import transaction

from apps.core import clock
from apps.processes.domain.step_roles import named_in, roles_called
from apps.processes.models import ProcessRole, SOPVersion, Step, StepEdge
from apps.processes.models.values import Flow, FlowEdge, FlowStep, parse_flow

MOST_STEPS = 120


def flow_of(version: SOPVersion) -> Flow:
    """Return the steps of `version` and the ways between them."""
    return parse_flow(version.flow)


def in_sequence(steps: Iterable[FlowStep]) -> Flow:
    """Return a flow in which each step leads to the next."""
    given = tuple(steps)
    return Flow(given, tuple(FlowEdge(a.key, b.key) for a, b in pairwise(given)))


def circle_in(flow: Flow) -> list[str]:
    """Return the keys of steps that lead round in a circle without a way marked as rework; none when there is none."""
    ways: dict[str, list[str]] = {}
    for edge in flow.forward:
        ways.setdefault(edge.source, []).append(edge.target)
    done: set[str] = set()
    for start in ways:
        path: list[str] = []
        todo: list[tuple[str, bool]] = [(start, False)]
        while todo:
            key, leaving = todo.pop()
            if leaving:
                path.pop()
                done.add(key)
            elif key in path:
                return [*path[path.index(key) :], key]
            elif key not in done:
                path.append(key)
                todo.append((key, True))
                todo.extend((after, False) for after in ways.get(key, ()))
    return []


def problems_of(flow: Flow) -> list[str]:
    """Return in sentences what keeps a flow from being approved; none when it is sound."""
    titles = {step.key: step.title for step in flow.steps}
    found = [f"“{step.title}” names no role: say who does it." for step in flow.steps if not step.role]
    if len(flow.steps) > MOST_STEPS:
        found.append(f"{len(flow.steps)} steps are more than anybody follows; split the process at {MOST_STEPS}.")
    if circle := circle_in(flow):
        way = " → ".join(f"“{titles[key]}”" for key in circle)
        found.append(f"The steps lead in a circle: {way}. Mark the way back as rework, or take it out.")
    for step in flow.steps:
        ways = [edge for edge in flow.forward if edge.source == step.key]
        unnamed = [edge for edge in ways if not edge.condition]
        if len(ways) > 1 and unnamed:
            to = ", ".join(f"“{titles[edge.target]}”" for edge in unnamed)
            found.append(f"From “{step.title}” several ways lead on; say when the one to {to} is taken.")
    return [*found, *_cut_off(flow)]


def _cut_off(flow: Flow) -> list[str]:
    """Return what is not reached from the first step, one sentence each."""
    if not flow.steps:
        return []
    reached, todo = set(), [flow.steps[0].key]
    while todo:
        key = todo.pop()
        if key not in reached:
            reached.add(key)
            todo.extend(edge.target for edge in flow.forward if edge.source == key)
    return [
        f"No way leads from the first step to “{step.title}”; connect it, or take it out."
        for step in flow.steps
        if step.key not in reached
    ]


def key_from(title: str, taken: Iterable[str]) -> str:
    """Return a stable key for a step of this title that none of `taken` is."""
    base = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:50].strip("-") or "step"
    others, number, key = set(taken), 2, base
    while key in others:
        key, number = f"{base}-{number}", number + 1
    return key


def flow_with_roles_of_today(version: SOPVersion) -> Flow:
    """Return the steps of `version` with its roles as they are called now: one that was renamed is still the same."""
    rows = {row.key: row for row in version.steps.select_related("role", "accountable")}
    flow = flow_of(version)
    return Flow(tuple(_called_as_today(step, rows[step.key]) for step in flow.steps), flow.edges)


def _called_as_today(step: FlowStep, row: Step) -> FlowStep:
    return replace(step, role=str(row.role or ""), accountable=str(row.accountable or ""))


def write_flow(version: SOPVersion, flow: Flow, *, new_roles: Collection[str] = ()) -> None:
    """Make the rows of a draft say exactly `flow`: steps are matched by key, what is not in it goes.

    Roles are found by name whatever the case; those of `new_roles` are made where there is none. Called inside the
    transaction of an operation that has checked the rights; the database refuses it on anything but a draft.

    Raises:
        InvalidInput: a step names a role that does not exist and is not among `new_roles`.
    """
    with transaction.atomic():
        roles = roles_called(named_in(flow), new_roles=new_roles)
        wanted = {(edge.source, edge.target): edge for edge in flow.edges}
        _drop_ways(version, wanted)
        version.steps.exclude(key__in=[step.key for step in flow.steps]).delete()
        rows = _write_steps(version, flow.steps, roles)
        _write_ways(version, wanted, rows)
        version.refresh_from_db()


_STEP_COLUMNS = (
    *("position", "title", "kind", "mode", "role_id", "accountable_id", "minutes", "is_blocking"),
    *("instructions", "links", "consulted", "informed"),
)


def _write_steps(version: SOPVersion, steps: Sequence[FlowStep], roles: Mapping[str, ProcessRole]) -> dict[str, Step]:
    there = {step.key: step for step in version.steps.all()}
    rows, changed = {}, []
    for position, step in enumerate(steps, start=1):
        row = there.get(step.key) or Step(version=version, key=step.key)
        before = [getattr(row, name) for name in _STEP_COLUMNS]
        _fill(row, step, position, roles)
        if row.pk is not None and before != [getattr(row, name) for name in _STEP_COLUMNS]:
            row.row_version, row.updated_at = row.row_version + 1, clock.now()
            changed.append(row)
        rows[step.key] = row
    Step.objects.bulk_create(row for row in rows.values() if row.pk is None)
    names = [name.removesuffix("_id") for name in _STEP_COLUMNS]
    Step.objects.bulk_update(changed, [*names, "row_version", "updated_at"])
    return rows


def _drop_ways(version: SOPVersion, wanted: dict[tuple[str, str], FlowEdge]) -> None:
    ways = version.edges.values_list("pk", "source__key", "target__key")
    version.edges.filter(pk__in=[pk for pk, source, target in ways if (source, target) not in wanted]).delete()


def _write_ways(version: SOPVersion, wanted: dict[tuple[str, str], FlowEdge], rows: dict[str, Step]) -> None:
    there = {(edge.source.key, edge.target.key): edge for edge in version.edges.select_related("source", "target")}
    new = []
    for pair, edge in wanted.items():
        row = there.get(pair) or StepEdge(version=version, source=rows[pair[0]], target=rows[pair[1]])
        before = (row.condition, row.is_rework)
        row.condition, row.is_rework = edge.condition, edge.is_rework
        if row.pk is None:
            new.append(row)
        elif before != (row.condition, row.is_rework):
            row.save()
    StepEdge.objects.bulk_create(new)


def _fill(row: Step, step: FlowStep, position: int, roles: Mapping[str, ProcessRole]) -> None:
    row.position, row.title, row.kind, row.mode = position, step.title, step.kind, step.mode
    row.role, row.accountable = roles.get(step.role.lower()), roles.get(step.accountable.lower())
    row.minutes, row.is_blocking = step.minutes, step.blocking
    row.instructions, row.links = step.instructions, step.links
    row.consulted, row.informed = list(step.consulted), list(step.informed)


def without(flow: Flow, keys: Sequence[str]) -> Flow:
    """Return `flow` without some steps, the ways through each of them joined."""
    steps, edges = flow.steps, list(flow.edges)
    for key in keys:
        before = [edge for edge in edges if edge.target == key and not edge.is_rework]
        after = [edge for edge in edges if edge.source == key and not edge.is_rework]
        joined = [replace(a, target=b.target, condition=a.condition or b.condition) for a in before for b in after]
        edges = [edge for edge in edges if key not in (edge.source, edge.target)]
        have = {(edge.source, edge.target) for edge in edges}
        edges += [edge for edge in joined if (edge.source, edge.target) not in have]
    return Flow(tuple(step for step in steps if step.key not in set(keys)), tuple(edges))
