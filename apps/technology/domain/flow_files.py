"""The data-flow map as files: SVG, Mermaid, GraphML, every text in them escaped; and as facts for its page."""

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any
from xml.sax.saxutils import escape as escape_text
from xml.sax.saxutils import quoteattr as quote_text

from apps.technology.domain.flow_map import HEIGHT, WIDTH, Edge, FlowMap, Node

STYLE = (
    "text{font:12px sans-serif;fill:#1f2937}.t{font-weight:600}.s{font-size:10px;fill:#6b7280}"
    "rect{fill:#fff;stroke:#9ca3af}.r{fill:#eef2ff;stroke:#4f46e5}path{fill:none;stroke:#6b7280;stroke-width:1.6}"
    ".good{stroke:#15803d}.failing{stroke:#b91c1c}.late{stroke:#b45309}.c{stroke-dasharray:6 4}"
    "polygon{fill:#6b7280}"
)
_LONGEST = 24  # letters of a name
_CONFLICTS = 3  # are told of an integration


def svg_of(drawn: FlowMap, title: str) -> str:
    """Return the picture as a file that stands alone, with its own style and told first by `title`."""
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {drawn.width} {drawn.height}" '
        f'width="{drawn.width}" height="{drawn.height}" role="img" aria-label={quoteattr(title)}>'
    )
    lines = [_edge(edge, drawn, path) for edge, path in _lines(drawn)]
    boxes = [_node(node) for node in drawn.nodes]
    marker = (
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
        'orient="auto-start-reverse"><polygon points="0,0 8,4 0,8"/></marker></defs>'
    )
    inner = "".join((*lines, *boxes))
    return f"{head}<title>{escape(title)}</title><style>{STYLE}</style>{marker}<g>{inner}</g></svg>"


def page_facts(drawn: FlowMap) -> dict[str, Any]:
    """Return what the page needs to draw the map (`static/technology/map_draw.js`), each word once.

    Owners, entities and ways of transfer are told by their place in a list, from 1 on; 0 is nobody, nothing.
    """
    words = {text: place for place, text in enumerate(sorted({edge.words for edge in drawn.edges}), start=1)}
    owners = sorted({node.owner for node in drawn.nodes if node.owner} - set(drawn.owners))
    people = {**drawn.owner_places, **{name: place for place, name in enumerate(owners, len(drawn.owners) + 1)}}
    return {
        "size": [drawn.width, drawn.height],
        "box": [WIDTH, HEIGHT],
        "longest": _LONGEST,
        "owners": [*drawn.owners, *owners],
        "entities": drawn.entities,
        "words": list(words),
        "nodes": [
            [node.key, node.name, people.get(node.owner, 0), ", ".join(node.record_of), node.x, node.y]
            for node in drawn.nodes
        ],
        "edges": [
            [
                *(edge.key, edge.name, edge.source, edge.target, int(edge.both), edge.health, path),
                *(drawn.owner_places.get(edge.owner, 0), words[edge.words]),
                [drawn.entity_places[name] for name in edge.entities],
                *edge.conflicts[:_CONFLICTS],
            ]
            for edge, path in _lines(drawn)
        ],
    }


def _lines(drawn: FlowMap) -> Iterator[tuple[Edge, str]]:
    """Yield each integration with its line; those between the same two tools lie beside each other."""
    lanes: dict[tuple[int, int], int] = defaultdict(int)
    for edge in drawn.edges:
        pair = (min(edge.source, edge.target), max(edge.source, edge.target))
        yield edge, _path(edge, drawn, lanes[pair])
        lanes[pair] += 1


def _path(edge: Edge, drawn: FlowMap, lane: int) -> str:
    start, end = drawn.by_key[edge.source], drawn.by_key[edge.target]
    shift = 8 * ((lane + 1) // 2) * (-1 if lane % 2 else 1)
    y1, y2 = start.y + HEIGHT / 2 + shift, end.y + HEIGHT / 2 + shift
    if end.x > start.x:
        x1, x2, bend = start.x + WIDTH, end.x, (end.x - start.x - WIDTH) / 2
        return f"M{x1} {y1:g}C{x1 + bend:g} {y1:g} {x2 - bend:g} {y2:g} {x2} {y2:g}"
    if end.x < start.x:
        x1, x2, bend = start.x, end.x + WIDTH, (start.x - end.x - WIDTH) / 2
        return f"M{x1} {y1:g}C{x1 - bend:g} {y1:g} {x2 + bend:g} {y2:g} {x2} {y2:g}"
    x1, out = start.x + WIDTH, start.x + WIDTH + 60
    return f"M{x1} {y1:g}C{out} {y1:g} {out} {y2:g} {x1} {y2:g}"


def _edge(edge: Edge, drawn: FlowMap, path: str) -> str:
    start, end = drawn.by_key[edge.source], drawn.by_key[edge.target]
    ends = 'marker-end="url(#tip)"' + (' marker-start="url(#tip)"' if edge.both else "")
    carries = ", ".join(edge.entities) or "nothing named"
    said = [f"{start.name} → {end.name}: {edge.name}", carries, edge.words, edge.health, edge.owner or "nobody"]
    said += edge.conflicts[:_CONFLICTS]
    line = f'<path class="{edge.health}{" c" if edge.conflicts else ""}" d="{path}" {ends}/>'
    return f"<g>{line}<title>{escape(chr(10).join(said))}</title></g>"


def _node(node: Node) -> str:
    name = node.name if len(node.name) <= _LONGEST else f"{node.name[: _LONGEST - 1]}…"
    below = f"record of {', '.join(node.record_of)}" if node.record_of else node.owner
    below = below if len(below) <= _LONGEST + 6 else f"{below[: _LONGEST + 5]}…"
    said = f"{node.name}. Owner: {node.owner or 'nobody'}."
    said += f" System of record of {', '.join(node.record_of)}." if node.record_of else ""
    return (
        f'<g><rect class="{"r" if node.record_of else "n"}" x="{node.x}" y="{node.y}" width="{WIDTH}" '
        f'height="{HEIGHT}" rx="6"/><text class="t" x="{node.x + 10}" y="{node.y + 23}">{escape(name)}</text>'
        f'<text class="s" x="{node.x + 10}" y="{node.y + 41}">{escape(below)}</text><title>{escape(said)}</title></g>'
    )


def mermaid_of(drawn: FlowMap) -> str:
    """Return the map as a Mermaid flowchart."""
    lines = ["flowchart LR"]
    lines += [f'  t{node.key}["{_plain(node.name)}"]' for node in drawn.nodes]
    for edge in drawn.edges:
        arrow = "<-->" if edge.both else "-->"
        label = _plain(", ".join(edge.entities) or edge.name)
        lines.append(f'  t{edge.source} {arrow}|"{label}"| t{edge.target}')
    records = [node.key for node in drawn.nodes if node.record_of]
    if records:
        lines.append("  classDef record fill:#eef2ff,stroke:#4f46e5")
        lines.append(f"  class {','.join(f't{key}' for key in records)} record")
    return "\n".join(lines) + "\n"


def _plain(text: str) -> str:
    """Return a label that cannot end its quotes: Mermaid knows entities, no escapes."""
    kept = re.sub(r"\s+", " ", text.replace("&", "&amp;")).strip()
    return kept.replace('"', "#quot;").replace("<", "&lt;").replace(">", "&gt;").replace("`", "'")


def graphml_of(drawn: FlowMap) -> str:
    """Return the map as GraphML; an integration of both ways is an undirected edge."""
    keys = (
        ("name", "all"),
        ("owner", "all"),
        ("record_of", "node"),
        ("entities", "edge"),
        ("health", "edge"),
        ("how", "edge"),
        ("conflicts", "edge"),
    )
    head = ['<?xml version="1.0" encoding="UTF-8"?>', '<graphml xmlns="http://graphml.graphdrawing.org/xmlns">']
    head += [f'  <key id="{key}" for="{of}" attr.name="{key}" attr.type="string"/>' for key, of in keys]
    body = ['  <graph id="flows" edgedefault="directed">']
    for node in drawn.nodes:
        facts = {"name": node.name, "owner": node.owner, "record_of": ", ".join(node.record_of)}
        body.append(f'    <node id="t{node.key}">{_data(facts)}</node>')
    for edge in drawn.edges:
        facts = {
            "name": edge.name,
            "owner": edge.owner,
            "entities": ", ".join(edge.entities),
            "health": edge.health,
            "how": edge.words,
            "conflicts": " ".join(edge.conflicts),
        }
        way = ' directed="false"' if edge.both else ""
        body.append(
            f'    <edge id="i{edge.key}" source="t{edge.source}" target="t{edge.target}"{way}>{_data(facts)}</edge>'
        )
    return "\n".join([*head, *body, "  </graph>", "</graphml>"]) + "\n"


def _data(facts: dict[str, str]) -> str:
    return "".join(f'<data key="{key}">{escape(value)}</data>' for key, value in facts.items() if value)


def escape(text: str) -> str:
    """Return `text` as the content of an element."""
    return escape_text(_clean(text))


def quoteattr(text: str) -> str:
    """Return `text` as an attribute, with its quotes."""
    return quote_text(_clean(text))


def _clean(text: str) -> str:
    """Return `text` without the control characters that XML cannot hold."""
    return re.sub(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "", text)
