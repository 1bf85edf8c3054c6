"""Where everything stands on a process map: columns by what comes before what, a lane per role, ways in between.

Pure: from a flow to boxes and lines, in pixels, drawn by `drawing` (SVG), `picture` (PNG) and `bpmn` alike. Boxes
stand in columns; vertical lines run in the channels between columns only, horizontal ones through slots that are kept
free for them or below all lanes (rework), so that no way ever crosses a box.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from apps.processes.domain.map_shapes import (
    BOX_HEIGHT,
    BOX_WIDTH,
    CHANNEL,
    DIAMOND,
    EVENT,
    HEAD,
    LABEL_CHAR,
    LABEL_MOST,
    NOBODY,
    PAD,
    SLOT,
    THREAD,
    TRACK,
    Lane,
    Map,
    Node,
    Point,
    Way,
)
from apps.processes.enums import StepKind
from apps.processes.models.values import Flow, FlowEdge, FlowStep


@dataclass
class _Item:
    """What takes a slot in one column of one lane: a node, or a line passing through."""

    key: str
    column: int
    lane: str
    order: float
    is_thread: bool = False
    step: FlowStep | None = None
    shape: str = "task"
    middle: float = 0

    @property
    def height(self) -> float:
        return THREAD if self.is_thread else SLOT


@dataclass
class _Line:
    """One way while it is laid: the items it passes, in order."""

    edge: FlowEdge
    items: list[_Item]
    tracks: list[tuple[int, int]] = field(default_factory=list)


def lay_out(flow: Flow) -> Map:
    """Return the map of `flow`; an empty one for a flow without steps."""
    if not flow.steps:
        return Map(0, 0)
    forward, back = _directions(flow)
    items = _items(flow, forward)
    lines = [_thread(edge, items) for edge in _with_events(flow, forward)]
    everything = [*items.values(), *(each for line in lines for each in line.items if each.is_thread)]
    lanes = _stack(everything, _lane_names(flow))
    returns = [_Line(edge, [items[edge.source], items[edge.target]]) for edge in back]
    return _place(items, lines, returns, lanes)


def columns_of(steps: Iterable[FlowStep], forward: Iterable[FlowEdge]) -> dict[str, int]:
    """Return for each step how many steps at least come before it on the longest way; the ways make no circle."""
    before: dict[str, list[str]] = defaultdict(list)
    for edge in forward:
        before[edge.target].append(edge.source)
    found: dict[str, int] = {}
    for step in steps:
        todo = [step.key]
        while todo:
            key = todo[-1]
            missing = [each for each in before[key] if each not in found]
            if missing:
                todo.extend(missing)
                continue
            found[key] = max((found[each] + 1 for each in before[key]), default=0)
            todo.pop()
    return found


def _directions(flow: Flow) -> tuple[list[FlowEdge], list[FlowEdge]]:
    """Ways that lead on, and ways that lead back: those marked as rework, and in a draft those that close a circle."""
    forward: list[FlowEdge] = []
    back = [edge for edge in flow.edges if edge.is_rework]
    after: dict[str, set[str]] = defaultdict(set)
    for edge in flow.forward:
        if edge.source == edge.target or _leads(after, edge.target, edge.source):
            back.append(edge)
        else:
            forward.append(edge)
            after[edge.source].add(edge.target)
    return forward, back


def _leads(after: dict[str, set[str]], start: str, goal: str) -> bool:
    seen, todo = set(), [start]
    while todo:
        key = todo.pop()
        if key == goal:
            return True
        if key not in seen:
            seen.add(key)
            todo.extend(after.get(key, ()))
    return False


def _lane_names(flow: Flow) -> list[str]:
    return list(dict.fromkeys(step.role or NOBODY for step in flow.steps))


def _items(flow: Flow, forward: list[FlowEdge]) -> dict[str, _Item]:
    columns = columns_of(flow.steps, forward)
    items = {
        step.key: _Item(
            step.key,
            columns[step.key] + 1,
            step.role or NOBODY,
            place,
            step=step,
            shape="decision" if step.kind == StepKind.DECISION else "task",
        )
        for place, step in enumerate(flow.steps)
    }
    first, sources = flow.steps[0], {edge.source for edge in forward}
    items[" start"] = _Item(" start", 0, first.role or NOBODY, -1, shape="start")
    for place, step in enumerate(flow.steps):
        if step.key not in sources:
            end = _Item(f" end {step.key}", columns[step.key] + 2, step.role or NOBODY, place + 0.5, shape="end")
            items[end.key] = end
    return items


def _with_events(flow: Flow, forward: list[FlowEdge]) -> list[FlowEdge]:
    sources = {edge.source for edge in forward}
    ends = [FlowEdge(step.key, f" end {step.key}") for step in flow.steps if step.key not in sources]
    return [FlowEdge(" start", flow.steps[0].key), *forward, *ends]


def _thread(edge: FlowEdge, items: dict[str, _Item]) -> _Line:
    """Lay a way through the columns it passes; it stays in the lane of its source until the last one."""
    source, target = items[edge.source], items[edge.target]
    between = [
        _Item(f"{edge.source}>{edge.target}", column, source.lane, target.order - 0.25, is_thread=True)
        for column in range(source.column + 1, target.column)
    ]
    return _Line(edge, [source, *between, target])


def _stack(everything: list[_Item], names: list[str]) -> list[Lane]:
    """Give every item its height in its lane, and return the lanes from top to bottom."""
    cells: dict[tuple[str, int], list[_Item]] = defaultdict(list)
    for item in everything:
        cells[item.lane, item.column].append(item)
    lanes, top = [], 0.0
    for name in names:
        mine = [cell for (lane, _), cell in cells.items() if lane == name]
        height = max(sum(item.height for item in cell) for cell in mine) + 2 * PAD
        for cell in mine:
            y = top + (height - sum(item.height for item in cell)) / 2
            for item in sorted(cell, key=lambda each: each.order):
                item.middle = y + item.height / 2
                y += item.height
        lanes.append(Lane(name, top, height))
        top += height
    return lanes


def _place(items: dict[str, _Item], lines: list[_Line], returns: list[_Line], lanes: list[Lane]) -> Map:
    last = max(item.column for item in items.values())
    used = _tracks(lines, returns)
    labels = _label_widths(lines)
    left, channel_at = HEAD + 8.0, {-1: HEAD + 8.0}
    left += CHANNEL + TRACK * used.get(-1, 0)
    column_at: dict[int, float] = {}
    for column in range(last + 1):
        here = [item for item in items.values() if item.column == column]
        column_at[column] = left
        left += max((BOX_WIDTH if item.step else EVENT for item in here), default=EVENT)
        channel_at[column] = left
        left += CHANNEL + TRACK * used.get(column, 0) + labels.get(column, 0)
    bottom = lanes[-1].y + lanes[-1].height
    nodes = {item.key: _node(item, column_at) for item in items.values()}
    ways = [_way(line, nodes, channel_at) for line in lines]
    for place, line in enumerate(returns):
        ways.append(_way_back(line, nodes, channel_at, bottom + 16 + place * 18))
    height = bottom + (16 + len(returns) * 18 if returns else 0)
    return Map(left, height, tuple(lanes), tuple(nodes.values()), tuple(ways))


def _tracks(lines: list[_Line], returns: list[_Line]) -> dict[int, int]:
    """Give every vertical piece its own track in its channel; return how many each channel has."""
    used: dict[int, int] = defaultdict(int)
    for line in lines:
        for a, b in zip(line.items, line.items[1:], strict=False):
            if a.middle != b.middle:
                line.tracks.append((a.column, used[a.column]))
                used[a.column] += 1
            else:
                line.tracks.append((a.column, -1))
    for line in returns:
        for channel in (line.items[0].column, line.items[1].column - 1):
            line.tracks.append((channel, used[channel]))
            used[channel] += 1
    return used


def _label_widths(lines: list[_Line]) -> dict[int, float]:
    widths: dict[int, float] = {}
    for line in lines:
        if line.edge.condition:
            channel = line.items[0].column
            width = min(len(line.edge.condition), LABEL_MOST) * LABEL_CHAR + 10
            widths[channel] = max(widths.get(channel, 0), width)
    return widths


def _node(item: _Item, column_at: dict[int, float]) -> Node:
    width, height = {
        "task": (BOX_WIDTH, BOX_HEIGHT),
        "decision": (BOX_WIDTH, DIAMOND),
    }.get(item.shape, (EVENT, EVENT))
    return Node(
        item.key.strip(),
        item.shape,
        column_at[item.column],
        item.middle - height / 2,
        width,
        height,
        item.lane,
        item.step,
    )


def _way(line: _Line, nodes: dict[str, Node], channel_at: dict[int, float]) -> Way:
    source, target = nodes[line.edge.source], nodes[line.edge.target]
    points: list[Point] = [source.side(right=True)]
    for (channel, track), item in zip(line.tracks, line.items[1:], strict=True):
        if track >= 0:
            x = channel_at[channel] + CHANNEL / 2 + TRACK * track
            points += [(x, points[-1][1]), (x, item.middle)]
    points.append(target.side(right=False))
    first = line.items[1].middle
    label = (channel_at[line.items[0].column] + CHANNEL / 2 + TRACK * max(line.tracks[0][1] + 1, 0) + 2, first - 5)
    return Way(source.key, target.key, tuple(points), line.edge.condition, label_at=label)


def _way_back(line: _Line, nodes: dict[str, Node], channel_at: dict[int, float], y: float) -> Way:
    source, target = nodes[line.edge.source], nodes[line.edge.target]
    (out, out_track), (back, back_track) = line.tracks
    right = channel_at[out] + CHANNEL / 2 + TRACK * out_track
    left = channel_at[back] + CHANNEL / 2 + TRACK * back_track
    out_x, out_y = source.side(right=True, low=True)
    in_x, in_y = target.side(right=False, low=True)
    points = ((out_x, out_y), (right, out_y), (right, y), (left, y), (left, in_y), (in_x, in_y))
    return Way(source.key, target.key, points, line.edge.condition, True, (left + 6, y - 4))
