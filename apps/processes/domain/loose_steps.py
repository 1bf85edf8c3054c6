"""Steps out of handbooks that know nothing of mops: a table, or a numbered list under a heading such as “Steps”."""

import re

from apps.processes.domain.flow import in_sequence, key_from
from apps.processes.enums import StepKind
from apps.processes.models.values import Flow, FlowStep

Lines = list[tuple[int, str]]
_HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*#*$")
_ABOUT_STEPS = re.compile(r"\b(steps?|procedure|workflow|how it is done)\b", re.IGNORECASE)
_NUMBERED = re.compile(r"^\s{0,3}\d{1,3}[.)]\s+(.*)$")
_RULE = re.compile(r"^\|?[\s:|-]+\|[\s:|-]*$")
_STEP_NAMES = ("step", "what", "task", "activity")
_COLUMNS = {"role": ("role", "who", "responsible", "owner"), "minutes": ("minutes", "time", "duration")}
_COLUMNS |= {"kind": ("kind", "type"), "instructions": ("instructions", "how", "details", "notes")}


def loose_steps(body: Lines) -> tuple[Flow, list[tuple[int, str]]]:
    """Return the steps found in a text, and remarks (line, sentence) about what was done and what could not be read."""
    found = _table(body)
    if found is None:
        found = _numbered(body)
    if found is None:
        return Flow(), [(0, "No steps were found: neither a table of steps nor a numbered list under “Steps”.")]
    steps, remarks = found
    return in_sequence(steps), remarks


def _cells(line: str) -> list[str]:
    parts = re.split(r"(?<!\\)\|", line.strip().removeprefix("|").removesuffix("|"))
    return [part.strip().replace("\\|", "|") for part in parts]


def _table(body: Lines) -> tuple[list[FlowStep], list[tuple[int, str]]] | None:
    for place, (number, line) in enumerate(body[:-1]):
        if "|" not in line or not _RULE.match(body[place + 1][1]):
            continue
        head = [cell.lower() for cell in _cells(line)]
        titled = next((at for at, cell in enumerate(head) if any(name in cell for name in _STEP_NAMES)), None)
        if titled is not None:
            rows = []
            for row in body[place + 2 :]:
                if "|" not in row[1]:
                    break
                rows.append(row)
            return _rows(head, titled, rows, number)
    return None


def _rows(head: list[str], titled: int, rows: Lines, number: int) -> tuple[list[FlowStep], list[tuple[int, str]]]:
    where = {
        column: at
        for column, names in _COLUMNS.items()
        for at, cell in reversed(list(enumerate(head)))
        if at != titled and any(name in cell for name in names)
    }
    remarks = [(number, f"The steps were read from this table ({len(rows)} rows).")]
    steps: list[FlowStep] = []
    for line, text in rows:
        cells = _cells(text)
        if titled >= len(cells) or not cells[titled]:
            remarks.append((line, "This row names no step; it was left out."))
            continue
        given = {column: cells[at] for column, at in where.items() if at < len(cells) and cells[at]}
        steps.append(_step(cells[titled], given, steps, line, remarks))
    return steps, remarks


def _step(
    title: str, given: dict[str, str], before: list[FlowStep], line: int, remarks: list[tuple[int, str]]
) -> FlowStep:
    title = _plain(title)
    minutes = re.fullmatch(r"(\d{1,4})\s*(?:min\.?|minutes)?", given.get("minutes", ""), re.IGNORECASE)
    if given.get("minutes") and minutes is None:
        remarks.append((line, f"“{given['minutes']}” is no number of minutes; it was left out."))
    kind = given.get("kind", "").lower()
    if kind and kind not in StepKind.values:
        remarks.append((line, f"“{kind}” is no kind of step; it became work."))
    return FlowStep(
        key_from(title, [step.key for step in before]),
        title,
        kind=kind if kind in StepKind.values else StepKind.MANUAL.value,
        role=given.get("role", "")[:80],
        minutes=int(minutes[1]) if minutes else None,
        instructions=given.get("instructions", ""),
    )


def _numbered(body: Lines) -> tuple[list[FlowStep], list[tuple[int, str]]] | None:
    steps: list[FlowStep] = []
    remarks: list[tuple[int, str]] = []
    inside, begun = False, 0
    for number, line in body:
        if heading := _HEADING.match(line):
            if steps:
                break
            inside = bool(_ABOUT_STEPS.search(heading[1]))
        elif inside and (item := _NUMBERED.match(line)):
            begun = begun or number
            steps.append(_step(item[1], {}, steps, number, remarks))
    if not steps:
        return None
    return steps, [(begun, f"The steps were read from this list ({len(steps)} of them); name their roles."), *remarks]


def _plain(text: str) -> str:
    bare = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    bare = re.sub(r"(\*\*|__|`)(.+?)\1", r"\2", bare)
    return " ".join(bare.split()).rstrip(".")[:150] or "Step"
