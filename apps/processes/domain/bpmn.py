"""A process as BPMN 2.0 XML with its drawing, valid against the OMG schema, for any BPMN editor."""

import re
from collections.abc import Mapping
from xml.etree import ElementTree as ET

from apps.processes.domain.map_shapes import HEAD, Lane, Map, Node, Way
from apps.processes.enums import StepKind, StepMode

BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
DI = "http://www.omg.org/spec/DD/20100524/DI"
DC = "http://www.omg.org/spec/DD/20100524/DC"
BPMNDI = "http://www.omg.org/spec/BPMN/20100524/DI"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
MARGIN, POOL, GATEWAY = 60.0, 30.0, 50.0
_TASKS = {
    StepKind.MANUAL: "manualTask",
    StepKind.CHECK: "userTask",
    StepKind.APPROVAL: "userTask",
    StepKind.EVIDENCE: "userTask",
    StepKind.AUTOMATED: "serviceTask",
    StepKind.DECISION: "exclusiveGateway",
}
# XML knows no other control characters, and a document with one of them is none
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

for _prefix, _uri in (("bpmn", BPMN), ("bpmndi", BPMNDI), ("dc", DC), ("di", DI), ("xsi", XSI)):
    ET.register_namespace(_prefix, _uri)


def bpmn_of(drawn: Map, title: str, summary: str = "") -> bytes:
    """Return the map as BPMN 2.0: one pool, a lane per role, tasks by kind, and where each shape stands.

    A decision becomes an exclusive gateway. Rework is a sequence flow like any other, that leads back.

    Args:
        drawn: the map.
        title: the name of the process.
        summary: what it is for.
    """
    root = ET.Element(_q("definitions"), {"id": "Definitions_1", "targetNamespace": "urn:mops:processes"})
    collaboration = ET.SubElement(root, _q("collaboration"), {"id": "Collaboration_1"})
    ET.SubElement(collaboration, _q("participant"), {"id": "Pool_1", "name": _text(title), "processRef": "Process_1"})
    process = ET.SubElement(root, _q("process"), {"id": "Process_1", "name": _text(title), "isExecutable": "false"})
    if summary:
        ET.SubElement(process, _q("documentation")).text = _text(summary)
    names = {node.key: _id(node) for node in drawn.nodes}
    if drawn.lanes:
        _write_lanes(process, drawn, names)
    ways = list(enumerate(drawn.ways, start=1))
    for node in drawn.nodes:
        _write_node(process, node, ways, names)
    for number, way in ways:
        _write_way(process, number, way, names)
    _write_diagram(root, drawn, names)
    ET.indent(root)
    written: bytes = ET.tostring(root, encoding="UTF-8", xml_declaration=True)
    return written


def _q(name: str, space: str = BPMN) -> str:
    return f"{{{space}}}{name}"


def _text(text: str) -> str:
    return _NOT_XML.sub("", text)


def _id(node: Node) -> str:
    kind = {"start": "Start_", "end": "End_"}.get(node.shape, "Step_")
    return kind + re.sub(r"[^A-Za-z0-9_.-]", "_", node.key)


def _write_lanes(process: ET.Element, drawn: Map, names: Mapping[str, str]) -> None:
    lanes = ET.SubElement(process, _q("laneSet"), {"id": "Lanes_1"})
    for number, lane in enumerate(drawn.lanes, start=1):
        element = ET.SubElement(lanes, _q("lane"), {"id": f"Lane_{number}", "name": _text(lane.name)})
        for node in drawn.nodes:
            if node.lane == lane.name:
                ET.SubElement(element, _q("flowNodeRef")).text = names[node.key]


def _write_node(process: ET.Element, node: Node, ways: list[tuple[int, Way]], names: Mapping[str, str]) -> None:
    step = node.step
    if step is None:
        element = ET.SubElement(process, _q(f"{node.shape}Event"), {"id": names[node.key]})
    else:
        by_machine = step.mode == StepMode.AUTOMATED and step.kind != StepKind.DECISION
        tag = "serviceTask" if by_machine else _TASKS[StepKind(step.kind)]
        element = ET.SubElement(process, _q(tag), {"id": names[node.key], "name": _text(step.title)})
        if step.instructions:
            ET.SubElement(element, _q("documentation")).text = _text(step.instructions)
    for tag, end in (("incoming", "target"), ("outgoing", "source")):
        for number, way in ways:
            if getattr(way, end) == node.key:
                ET.SubElement(element, _q(tag)).text = f"Way_{number}"


def _write_way(process: ET.Element, number: int, way: Way, names: Mapping[str, str]) -> None:
    given = {"id": f"Way_{number}", "sourceRef": names[way.source], "targetRef": names[way.target]}
    if way.condition:
        given["name"] = _text(way.condition)
    element = ET.SubElement(process, _q("sequenceFlow"), given)
    if way.condition:
        kind = {_q("type", XSI): "bpmn:tFormalExpression"}
        ET.SubElement(element, _q("conditionExpression"), kind).text = _text(way.condition)


def _write_diagram(root: ET.Element, drawn: Map, names: Mapping[str, str]) -> None:
    diagram = ET.SubElement(root, _q("BPMNDiagram", BPMNDI), {"id": "Diagram_1"})
    plane = ET.SubElement(diagram, _q("BPMNPlane", BPMNDI), {"id": "Plane_1", "bpmnElement": "Collaboration_1"})
    height = max(drawn.height, MARGIN)
    width = drawn.width - HEAD + 2 * POOL
    _shape(plane, "Pool_1", (HEAD - 2 * POOL, 0, width, height), flat=True)
    for number, lane in enumerate(drawn.lanes, start=1):
        _shape(plane, f"Lane_{number}", _lane_bounds(lane, number, drawn, width), flat=True)
    for node in drawn.nodes:
        bounds = (node.x, node.y, node.width, node.height)
        if node.shape == "decision":  # editors draw a gateway as a square with its name beside it
            left = node.x + (node.width - GATEWAY) / 2
            bounds = (left, node.middle[1] - GATEWAY / 2, GATEWAY, GATEWAY)
        _shape(plane, names[node.key], bounds)
    for number, way in enumerate(drawn.ways, start=1):
        edge = ET.SubElement(plane, _q("BPMNEdge", BPMNDI), {"id": f"Way_{number}_di", "bpmnElement": f"Way_{number}"})
        for x, y in _docked(way, drawn):
            ET.SubElement(edge, _q("waypoint", DI), {"x": f"{x + MARGIN:.1f}", "y": f"{y + MARGIN:.1f}"})


def _lane_bounds(lane: Lane, number: int, drawn: Map, width: float) -> tuple[float, float, float, float]:
    """The last lane reaches down to the end of the pool: editors let lanes fill it."""
    bottom = max(drawn.height, MARGIN) if number == len(drawn.lanes) else lane.y + lane.height
    return HEAD - POOL, lane.y, width - POOL, bottom - lane.y


def _docked(way: Way, drawn: Map) -> list[tuple[float, float]]:
    """The points of a way, its ends moved to the border of a gateway, which is narrower than the box we draw."""
    shapes = {node.key: node for node in drawn.nodes}
    points = list(way.points)
    source, target = shapes[way.source], shapes[way.target]
    half = GATEWAY / 2
    if source.shape == "decision":
        points[0] = (source.middle[0] + half - abs(points[0][1] - source.middle[1]), points[0][1])
    if target.shape == "decision":
        points[-1] = (target.middle[0] - half + abs(points[-1][1] - target.middle[1]), points[-1][1])
    return points


def _shape(plane: ET.Element, element: str, bounds: tuple[float, float, float, float], *, flat: bool = False) -> None:
    given = {"id": f"{element}_di", "bpmnElement": element}
    if flat:
        given["isHorizontal"] = "true"
    shape = ET.SubElement(plane, _q("BPMNShape", BPMNDI), given)
    x, y, width, height = bounds
    ET.SubElement(
        shape,
        _q("Bounds", DC),
        {
            "x": f"{x + MARGIN:.1f}",
            "y": f"{y + MARGIN:.1f}",
            "width": f"{width:.1f}",
            "height": f"{height:.1f}",
        },
    )
