"""The steps of a version as values: one document that the database keeps, and how it reads as an outline."""

from dataclasses import dataclass
from typing import Any

from apps.core.words import NOTHING
from apps.processes.enums import StepKind, StepMode


@dataclass(frozen=True)
class FlowStep:
    """One step, by value. The fields are those of the document in `SOPVersion.flow`."""

    key: str
    title: str
    kind: str = StepKind.MANUAL.value
    mode: str = StepMode.MANUAL.value
    role: str = ""
    minutes: int | None = None
    blocking: bool = True
    instructions: str = ""
    links: str = ""
    accountable: str = ""
    consulted: tuple[str, ...] = ()
    informed: tuple[str, ...] = ()


@dataclass(frozen=True)
class FlowEdge:
    """One way between two steps, by their keys."""

    source: str
    target: str
    condition: str = ""
    is_rework: bool = False


@dataclass(frozen=True)
class Flow:
    """The steps of one version in their order, and the ways between them."""

    steps: tuple[FlowStep, ...] = ()
    edges: tuple[FlowEdge, ...] = ()

    def ways_out(self, key: str) -> list[FlowEdge]:
        """Return the ways that lead on from a step, rework included."""
        return [edge for edge in self.edges if edge.source == key]

    def ways_in(self, key: str) -> list[FlowEdge]:
        """Return the ways that lead to a step, rework included."""
        return [edge for edge in self.edges if edge.target == key]

    @property
    def forward(self) -> list[FlowEdge]:
        """The ways that are not rework: they make no circle."""
        return [edge for edge in self.edges if not edge.is_rework]


def parse_flow(document: dict[str, Any]) -> Flow:
    """Read the document that `SOPVersion.flow` holds; an empty one is a flow without steps."""
    steps = tuple(
        FlowStep(**{**each, "consulted": tuple(each["consulted"]), "informed": tuple(each["informed"])})
        for each in document.get("steps", ())
    )
    edges = tuple(
        FlowEdge(each["from"], each["to"], each["condition"], each["rework"]) for each in document.get("edges", ())
    )
    return Flow(steps, edges)


def outline(document: dict[str, Any]) -> str:
    """Return the steps as lines of text, one fact a line, so that two versions compare line by line."""
    flow = parse_flow(document or {})
    titles = {step.key: step.title for step in flow.steps}
    lines: list[str] = []
    for number, step in enumerate(flow.steps, start=1):
        lines.append(f"{number}. {step.title} [{step.key}]")
        lines.extend(f"   {line}" for line in _facts(step))
        for edge in flow.ways_out(step.key):
            when = f" when {edge.condition}" if edge.condition else ""
            lines.append(f"   {'back to' if edge.is_rework else 'then'} {titles[edge.target]}{when}")
    return "\n".join(lines)


def _facts(step: FlowStep) -> list[str]:
    how = [
        StepKind(step.kind).label,
        StepMode(step.mode).label.lower(),
        "blocking" if step.blocking else "not blocking",
    ]
    if step.minutes is not None:
        how.append(f"{step.minutes} min")
    people = [f"Responsible: {step.role or NOTHING}"]
    people += [f"Accountable: {step.accountable}"] if step.accountable else []
    people += [f"Consulted: {', '.join(step.consulted)}"] if step.consulted else []
    people += [f"Informed: {', '.join(step.informed)}"] if step.informed else []
    texts = [line for text in (step.instructions, step.links) for line in text.splitlines() if line.strip()]
    return [", ".join(how), "; ".join(people), *texts]
