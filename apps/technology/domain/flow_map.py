"""The data-flow map: which tools exchange what, laid out in columns from where data comes to where it goes."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from apps.core import access, clock
from apps.technology.domain.integrations import health_now, with_health
from apps.technology.domain.records import conflicts
from apps.technology.enums import Direction
from apps.technology.models import DataFlow, Integration, SystemOfRecord, Tool

if TYPE_CHECKING:
    from apps.accounts.models import User

MOST_EDGES = 600
WIDTH, HEIGHT, GAP_X, GAP_Y, MARGIN = 190, 54, 130, 26, 40


@dataclass(frozen=True)
class Node:
    """One tool on the map."""

    key: int
    name: str
    owner: str
    record_of: tuple[str, ...]
    x: int = 0
    y: int = 0


@dataclass(frozen=True)
class Edge:
    """One integration on the map."""

    key: int
    name: str
    source: int
    target: int
    both: bool
    entities: tuple[str, ...]
    health: str
    owner: str
    words: str
    conflicts: tuple[str, ...] = ()


@dataclass(frozen=True)
class FlowMap:
    """The whole map, laid out."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    left_out: int = 0
    by_key: dict[int, Node] = field(default_factory=dict)

    @property
    def width(self) -> int:
        """How wide the picture is."""
        return max((node.x + WIDTH for node in self.nodes), default=0) + MARGIN

    @property
    def height(self) -> int:
        """How high the picture is."""
        return max((node.y + HEIGHT for node in self.nodes), default=0) + MARGIN

    @cached_property
    def entity_places(self) -> dict[str, int]:
        """The place of each entity in the filter, from 1 on."""
        return {name: place for place, name in enumerate(self.entities, start=1)}

    @cached_property
    def owner_places(self) -> dict[str, int]:
        """The place of each owner in the filter, from 1 on."""
        return {name: place for place, name in enumerate(self.owners, start=1)}

    @property
    def entities(self) -> list[str]:
        """Every entity that flows, for the filter."""
        return sorted({name for edge in self.edges for name in edge.entities})

    @property
    def owners(self) -> list[str]:
        """Everybody who answers for an integration, for the filter."""
        return sorted({edge.owner for edge in self.edges if edge.owner})


def flow_map(viewer: "User", *, most: int = MOST_EDGES) -> FlowMap:
    """Return the map of the integrations that `viewer` may see and over which data flows.

    Args:
        viewer: whose rights count; tools they may not see are left out with their integrations.
        most: how many integrations are drawn; the rest is counted in `left_out`.
    """
    shown: Any = access.visible(viewer, Integration)
    rows = shown.flowing().filter(source__in=access.visible(viewer, Tool), target__in=access.visible(viewer, Tool))
    owners = [f"{side}owner_{kind}" for side in ("", "source__", "target__") for kind in ("person", "team")]
    found = list(with_health(rows).select_related(*owners).order_by("name")[: most + 1])
    left_out = rows.count() - most if len(found) > most else 0
    found = found[:most]
    carried = _carried(found, viewer)
    troubles: dict[int, list[str]] = defaultdict(list)
    for each in conflicts():
        troubles[each.integration_id].append(each.words)
    now = clock.now()
    edges = tuple(
        Edge(
            row.pk,
            row.name,
            row.source_id,
            row.target_id,
            row.direction == Direction.BOTH,
            tuple(carried.get(row.pk, ())),
            str(health_now(row, now).value),
            str(row.owner or ""),
            f"{row.get_method_display()}, {row.get_frequency_display().lower()}",
            tuple(troubles.get(row.pk, ())),
        )
        for row in found
    )
    tools = {tool.pk: tool for row in found for tool in (row.source, row.target)}
    nodes = _nodes(tools.values(), viewer)
    placed = lay_out(nodes, edges)
    return FlowMap(placed, edges, left_out, {node.key: node for node in placed})


def _carried(found: Sequence[Integration], viewer: "User") -> dict[int, list[str]]:
    flows = access.visible(viewer, DataFlow).filter(integration__in=[row.pk for row in found], archived_at=None)
    carried: dict[int, list[str]] = defaultdict(list)
    for integration, entity in flows.order_by("entity__name").values_list("integration", "entity__name"):
        carried[integration].append(entity)
    return carried


def _nodes(tools: Iterable[Tool], viewer: "User") -> list[Node]:
    known = {tool.pk: tool for tool in tools}
    records: dict[int, list[str]] = defaultdict(list)
    rows = access.visible(viewer, SystemOfRecord).filter(tool__in=known, archived_at=None)
    for tool, entity, name in rows.order_by("entity__name", "field__name").values_list(
        "tool", "entity__name", "field__name"
    ):
        records[tool].append(f"{entity}.{name}" if name else entity)
    return [
        Node(tool.pk, tool.name, str(tool.owner or ""), tuple(records.get(tool.pk, ())))
        for tool in sorted(known.values(), key=lambda each: each.name.casefold())
    ]


def lay_out(nodes: Sequence[Node], edges: Sequence[Edge]) -> tuple[Node, ...]:
    """Return the nodes with their places: in columns from sources to sinks, each near what it is tied to.

    A cycle is cut where the walk from the busiest source comes back to where it has been.
    """
    out: dict[int, list[int]] = defaultdict(list)
    into: dict[int, list[int]] = defaultdict(list)
    for edge in edges:
        if edge.target not in out[edge.source]:
            out[edge.source].append(edge.target)
            into[edge.target].append(edge.source)
    columns = _columns([node.key for node in nodes], out, into)
    by_column: dict[int, list[Node]] = defaultdict(list)
    for node in nodes:
        by_column[columns[node.key]].append(node)
    place: dict[int, float] = {}
    placed = []
    for column in sorted(by_column):
        row = sorted(by_column[column], key=lambda node: (_middle(node.key, into, place), node.name.casefold()))
        for number, node in enumerate(row):
            place[node.key] = number
            placed.append(replace(node, x=MARGIN + column * (WIDTH + GAP_X), y=MARGIN + number * (HEIGHT + GAP_Y)))
    return tuple(placed)


def _middle(key: int, into: dict[int, list[int]], place: dict[int, float]) -> float:
    before = [place[each] for each in into[key] if each in place]
    return sum(before) / len(before) if before else 10**6


def _columns(keys: Sequence[int], out: dict[int, list[int]], into: dict[int, list[int]]) -> dict[int, int]:
    """Return the longest way to each node from where data comes, with back edges left aside (no recursion)."""
    order: list[int] = []
    state: dict[int, int] = {}
    back: set[tuple[int, int]] = set()
    for start in sorted(keys, key=lambda key: (len(into[key]), -len(out[key]), key)):
        if state.get(start):
            continue
        stack = [(start, iter(out[start]))]
        state[start] = 1
        while stack:
            key, targets = stack[-1]
            for target in targets:
                if state.get(target) == 1:
                    back.add((key, target))
                elif not state.get(target):
                    state[target] = 1
                    stack.append((target, iter(out[target])))
                    break
            else:
                state[key] = 2
                order.append(key)
                stack.pop()
    columns = dict.fromkeys(keys, 0)
    for key in reversed(order):
        for target in out[key]:
            if (key, target) not in back:
                columns[target] = max(columns[target], columns[key] + 1)
    return columns
