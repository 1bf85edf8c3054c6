"""The process map: everything drawn once, every way connected, no line through a box; SVG and BPMN."""

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.processes.domain.bpmn import BPMN, BPMNDI, bpmn_of
from apps.processes.domain.drawing import svg_of, wrapped
from apps.processes.domain.flow import in_sequence
from apps.processes.domain.layout import lay_out
from apps.processes.domain.overlay import StepFigures, in_words
from apps.processes.enums import StepKind
from apps.processes.models.values import Flow, FlowEdge, FlowStep

SCHEMA = Path(__file__).parent / "bpmn" / "BPMN20.xsd"
ROLES = ("Campaign manager", "Legal", "Automation specialist", "")
TEXT = st.text(max_size=40)


@st.composite
def flows(draw):
    """Any flow: branches, joins, circles even, odd texts."""
    number = draw(st.integers(1, 30))
    kinds, roles = st.sampled_from(StepKind.values), st.sampled_from(ROLES)
    steps = tuple(
        FlowStep(f"s{n}", draw(TEXT), kind=draw(kinds), role=draw(roles), instructions=draw(TEXT))
        for n in range(number)
    )
    pairs = draw(st.sets(st.tuples(st.integers(0, number - 1), st.integers(0, number - 1)), max_size=45))
    edges = tuple(
        FlowEdge(f"s{a}", f"s{b}", draw(TEXT), is_rework=draw(st.booleans())) for a, b in sorted(pairs) if a != b
    )
    return Flow(steps, edges)


def crosses(a, b, node):
    """Whether the piece from `a` to `b` runs through the inside of a node."""
    left, right = sorted((a[0], b[0]))
    top, bottom = sorted((a[1], b[1]))
    inside_x = left < node.x + node.width - 0.5 and right > node.x + 0.5
    inside_y = top < node.y + node.height - 0.5 and bottom > node.y + 0.5
    return inside_x and inside_y


@given(flows())
def test_every_step_is_drawn_once_and_every_way_connects(flow):
    drawn = lay_out(flow)
    keys = [node.key for node in drawn.nodes if node.step is not None]
    assert sorted(keys) == sorted(step.key for step in flow.steps)
    ways = {(way.source, way.target) for way in drawn.ways}
    assert {(edge.source, edge.target) for edge in flow.edges} <= ways
    nodes = {node.key: node for node in drawn.nodes}
    for way in drawn.ways:
        source, target = nodes[way.source], nodes[way.target]
        low = way.points[0][1] != source.middle[1]
        assert way.points[0] == source.side(right=True, low=low)
        assert way.points[-1] == target.side(right=False, low=low)
        assert low or not way.is_rework


@given(flows())
def test_nothing_overlaps_and_no_way_crosses_a_box(flow):
    drawn = lay_out(flow)
    nodes = list(drawn.nodes)
    for place, one in enumerate(nodes):
        assert one.x >= 0
        assert one.x + one.width <= drawn.width
        lane = next(each for each in drawn.lanes if each.name == one.lane)
        assert lane.y <= one.y
        assert one.y + one.height <= lane.y + lane.height
        for other in nodes[place + 1 :]:
            apart = one.x + one.width <= other.x or other.x + other.width <= one.x
            assert apart or one.y + one.height <= other.y or other.y + other.height <= one.y
    for way in drawn.ways:
        for a, b in zip(way.points, way.points[1:], strict=False):
            assert a[0] == b[0] or a[1] == b[1]
            ends = [node.key for node in nodes if b == way.points[-1] or a == way.points[0]]
            own = {way.source, way.target} if ends else set()  # the sides of a decision are slanted
            assert not [node.key for node in nodes if node.key not in own and crosses(a, b, node)]


@given(flows())
def test_svg_is_xml_and_shows_every_step(flow):
    root = ET.fromstring(svg_of(lay_out(flow), "A <title> & more", alone=True))  # noqa: S314  # our own
    shown = [each.get("data-step") for each in root.iter() if each.get("data-step")]
    assert sorted(shown) == sorted(step.key for step in flow.steps)


@given(flows())
def test_bpmn_names_every_step_and_refers_to_what_there_is(flow):
    root = ET.fromstring(bpmn_of(lay_out(flow), "Launch", "How we launch"))  # noqa: S314  # our own
    ids = [each.get("id") for each in root.iter() if each.get("id")]
    assert len(ids) == len(set(ids))
    flows_ = root.findall(f".//{{{BPMN}}}sequenceFlow")
    assert {each.get("sourceRef") for each in flows_} | {each.get("targetRef") for each in flows_} <= set(ids)
    shapes = root.findall(f".//{{{BPMNDI}}}BPMNShape") + root.findall(f".//{{{BPMNDI}}}BPMNEdge")
    assert {each.get("bpmnElement") for each in shapes} <= set(ids)
    assert len(flows_) == len(root.findall(f".//{{{BPMNDI}}}BPMNEdge"))


@pytest.fixture(scope="module")
def schema():
    xmlschema = pytest.importorskip("xmlschema", reason="xmlschema is not installed: the BPMN schema is not checked")
    return xmlschema.XMLSchema(str(SCHEMA))


BRANCHED = Flow(
    (
        FlowStep("plan", "Plan the campaign", role="Campaign manager", minutes=90),
        FlowStep("legal", "Legal review", kind="approval", role="Legal", minutes=45, instructions="Read <all>."),
        FlowStep("go", "Good to go?", kind="decision", role="Campaign manager"),
        FlowStep("send", "Send", kind="automated", mode="automated", role="Automation specialist"),
        FlowStep("stop", "Stop and tell", role="Campaign manager"),
    ),
    (
        FlowEdge("plan", "legal"),
        FlowEdge("legal", "go"),
        FlowEdge("go", "send", "yes"),
        FlowEdge("go", "stop", "no"),
        FlowEdge("go", "plan", "something is missing", is_rework=True),
    ),
)


@given(flow=flows())
def test_bpmn_is_valid(schema, flow):
    schema.validate(bpmn_of(lay_out(flow), "Launch", "How we launch"))


def test_bpmn_of_a_branched_process_is_valid(schema):
    schema.validate(bpmn_of(lay_out(BRANCHED), "Launch"))


def test_kinds_become_bpmn_elements():
    text = bpmn_of(lay_out(BRANCHED), "Launch").decode()
    assert re.findall(r'<bpmn:(\w+) id="Step_(\w+)"', text) == [
        ("manualTask", "plan"),
        ("userTask", "legal"),
        ("exclusiveGateway", "go"),
        ("serviceTask", "send"),
        ("manualTask", "stop"),
    ]
    assert "Read &lt;all&gt;." in text


def test_a_flow_without_steps_has_no_map():
    assert lay_out(Flow()).nodes == ()


def test_texts_are_escaped():
    flow = in_sequence([FlowStep("a", "<script>alert(1)</script>", role='"><b>')])
    text = svg_of(lay_out(flow), "x")
    assert "<script" not in text
    assert "<b>" not in text


def test_figures_are_laid_over():
    figures = {"legal": StepFigures(12, waiting=300, rework=0.25), "plan": StepFigures(12, waiting=10)}
    text = svg_of(lay_out(BRANCHED), "x", figures=figures)
    assert "waits 5 h · 25% again" in text
    assert text.count("map-slow") == 1


@pytest.mark.parametrize(("minutes", "words"), [(0, "0 min"), (89, "89 min"), (90, "2 h"), (2880, "2 d")])
def test_durations_in_words(minutes, words):
    assert in_words(minutes) == words


def test_long_titles_are_cut():
    assert wrapped("one two three four five six seven eight", 10, 2) == ["one two", "three fou…"]
    assert wrapped("", 10, 2) == [""]
