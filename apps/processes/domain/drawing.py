"""A process map as SVG: on the page in the colours of the theme, and as a file that needs nothing around it."""

import re
from collections.abc import Iterator, Mapping
from html import escape

from apps.processes.domain.map_shapes import HEAD, LABEL_MOST, Lane, Map, Node, Way
from apps.processes.domain.overlay import StepFigures, in_words
from apps.processes.enums import StepKind, StepMode

# XML knows no other control characters, and a file with one of them is none
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
LINE_CHARS, MOST_LINES = 25, 2
SIGNS = {
    StepKind.MANUAL: "●",
    StepKind.CHECK: "✓",
    StepKind.APPROVAL: "★",
    StepKind.EVIDENCE: "▤",
    StepKind.AUTOMATED: "⚙",
    StepKind.DECISION: "?",
}
# a file carries its own colours; on the page the same classes take those of the theme
_STYLE = """
svg{font-family:system-ui,sans-serif;background:#fff}.map-lane{fill:#f8fafc;stroke:#cbd5e1}
.map-lane-odd{fill:#fff;stroke:#cbd5e1}.map-role{font-size:12px;font-weight:600;fill:#334155}
.map-box{fill:#fff;stroke:#475569;stroke-width:1.4}.map-automated .map-box{fill:#e0f2fe}
.map-decision .map-box{fill:#fef9c3}.map-event{fill:#fff;stroke:#475569;stroke-width:1.4}.map-end{stroke-width:3}
.map-text{font-size:12px;fill:#0f172a}.map-soft{font-size:10.5px;fill:#64748b}
.map-way{fill:none;stroke:#475569;stroke-width:1.4}.map-rework{stroke:#b45309;stroke-dasharray:5 4}
.map-tip{fill:#475569}.map-tip-rework{fill:#b45309}.map-when{font-size:10.5px;fill:#334155}
.map-slow .map-box{stroke:#b91c1c;stroke-width:2.2}
"""


def svg_of(
    drawn: Map,
    title: str,
    *,
    figures: Mapping[str, StepFigures] | None = None,
    alone: bool = False,
    links: Mapping[str, str] | None = None,
) -> str:
    """Return the map as SVG text. Every text in it is escaped.

    Args:
        drawn: the map.
        title: what it shows, for people who listen.
        figures: what runs say about steps, by key.
        alone: whether it is a file of its own, which brings its colours along.
        links: addresses by step key; those steps can be clicked.
    """
    found = figures or {}
    slowest = max((each.waiting or 0 for each in found.values()), default=0)
    style = f"<style>{_STYLE}</style>" if alone else ""
    size = f'width="{drawn.width:.0f}" height="{drawn.height:.0f}" viewBox="0 0 {drawn.width:.0f} {drawn.height:.0f}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="mops-map" role="img" aria-label="{escape(title)}" {size}>',
        f"<title>{escape(title)}</title>{style}",
        f"<defs>{_tip('tip', 'map-tip')}{_tip('tip-rework', 'map-tip-rework')}</defs>",
        *(_lane(lane, place, drawn.width) for place, lane in enumerate(drawn.lanes)),
        *(_way(way) for way in drawn.ways),
    ]
    for node in drawn.nodes:
        shape = "".join(_node(node, found.get(node.key), slowest))
        href = (links or {}).get(node.key)
        parts.append(f'<a href="{escape(href)}">{shape}</a>' if href else shape)
    return _NOT_XML.sub("", "".join([*parts, "</svg>"]))


def _tip(name: str, look: str) -> str:
    return (
        f'<marker id="{name}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto">'
        f'<path class="{look}" d="M0 0 10 5 0 10z"/></marker>'
    )


def _lane(lane: Lane, place: int, width: float) -> str:
    look = "map-lane-odd" if place % 2 else "map-lane"
    middle = lane.y + lane.height / 2
    lines = wrapped(lane.name, 18, 3)
    first = middle - (len(lines) - 1) * 7.5 + 4
    names = "".join(
        f'<text class="map-role" x="10" y="{first + 15 * number:.1f}">{escape(line)}</text>'
        for number, line in enumerate(lines)
    )
    return (
        f'<g><title>{escape(lane.name)}</title><rect class="{look}" x="0.5" y="{lane.y + 0.5:.1f}" '
        f'width="{width - 1:.1f}" height="{lane.height:.1f}"/>'
        f'<path class="map-lane" d="M{HEAD} {lane.y + 0.5:.1f}v{lane.height:.1f}"/>{names}</g>'
    )


def _way(way: Way) -> str:
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in way.points)
    look, tip = ("map-way map-rework", "tip-rework") if way.is_rework else ("map-way", "tip")
    label = ""
    if way.condition:
        x, y = way.label_at
        label = (
            f'<text class="map-when" x="{x:.1f}" y="{y:.1f}"><title>{escape(way.condition)}</title>'
            f"{escape(shortened(way.condition, LABEL_MOST if not way.is_rework else 60))}</text>"
        )
    data = f'data-from="{escape(way.source)}" data-to="{escape(way.target)}"'
    return f'<g {data}><path class="{look}" d="{path}" marker-end="url(#{tip})"/>{label}</g>'


def _node(node: Node, figures: StepFigures | None, slowest: float) -> Iterator[str]:
    x, y = node.middle
    if node.step is None:
        look = "map-event map-end" if node.shape == "end" else "map-event"
        word = "End" if node.shape == "end" else "Start"
        circle = f'<circle class="{look}" cx="{x:.1f}" cy="{y:.1f}" r="{node.width / 2 - 2:.1f}"/>'
        yield f"<g><title>{word}</title>{circle}</g>"
        return
    step = node.step
    is_slow = figures is not None and bool(figures.waiting) and figures.waiting == slowest
    yield f'<g class="map-step map-{step.kind}{" map-slow" if is_slow else ""}" data-step="{escape(step.key)}">'
    yield f"<title>{escape(_told(node, figures))}</title>"
    if node.shape == "decision":
        right, half = node.x + node.width, node.height / 2
        yield (
            f'<path class="map-box" d="M{node.x:.1f} {y:.1f}l16 {-half:.1f}H{right - 16:.1f}l16 {half:.1f}'
            f'l-16 {half:.1f}H{node.x + 16:.1f}z"/>'
        )
    else:
        yield (
            f'<rect class="map-box" x="{node.x:.1f}" y="{node.y:.1f}" width="{node.width:.1f}" '
            f'height="{node.height:.1f}" rx="7"/>'
        )
    left = node.x + (20 if node.shape == "decision" else 10)
    lines = wrapped(step.title, LINE_CHARS - (3 if node.shape == "decision" else 0), MOST_LINES)
    top = y - (8 if len(lines) == 1 else 15) + 4
    for number, line in enumerate(lines):
        yield f'<text class="map-text" x="{left:.1f}" y="{top + 15 * number:.1f}">{escape(line)}</text>'
    below = escape(_below(node, figures))
    yield f'<text class="map-soft" x="{left:.1f}" y="{top + 15 * len(lines):.1f}">{below}</text>'
    yield "</g>"


def _below(node: Node, figures: StepFigures | None) -> str:
    step = node.step
    if step is None:
        return ""
    if figures is not None and figures.waiting is not None:
        again = f" · {figures.rework:.0%} again" if figures.rework else ""
        return f"waits {in_words(figures.waiting)}{again}"
    minutes = f" · {in_words(step.minutes)}" if step.minutes is not None else ""
    return f"{SIGNS[StepKind(step.kind)]} {StepKind(step.kind).label}{minutes}"


def _told(node: Node, figures: StepFigures | None) -> str:
    step = node.step
    if step is None:
        return ""
    facts = [step.title, StepKind(step.kind).label, StepMode(step.mode).label, step.role or "no role yet"]
    if step.minutes is not None:
        facts.append(f"about {in_words(step.minutes)}")
    if figures is not None:
        facts.append(f"{figures.runs} runs")
        facts += [f"waits {in_words(figures.waiting)}"] if figures.waiting is not None else []
        facts.append(f"{figures.rework:.0%} done again")
    return " · ".join(facts)


def shortened(text: str, most: int) -> str:
    """Return `text`, cut with an ellipsis where it has more than `most` characters."""
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def wrapped(text: str, width: int, most: int) -> list[str]:
    """Return `text` in at most `most` lines of about `width` characters, the last one cut where it does not fit."""
    lines: list[str] = [""]
    for word in text.split():
        piece = shortened(word, width)
        joined = f"{lines[-1]} {piece}".strip()
        if len(joined) <= width:
            lines[-1] = joined
        else:
            lines.append(piece)
    if len(lines) > most:
        lines = [*lines[: most - 1], shortened(" ".join(lines[most - 1 :]), width)]
    return lines
