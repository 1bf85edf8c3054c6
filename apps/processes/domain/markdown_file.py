"""A process as one Markdown file: what it is in front matter, the text as it stands, the steps as a list.

What `write_file` writes, `read_file` reads back without a loss (blank lines at the ends of texts aside). Handbooks
that were never written by mops come in too: the title from the first heading, the steps from a table or a numbered
list under a heading such as “Steps”; what could not be read is told line by line.
"""

import re
from typing import Any

import yaml

from apps.processes.domain.document import LONGEST, LONGEST_NAME, LONGEST_PERSONA, LONGEST_TITLE, Document, Remark
from apps.processes.domain.editing import END, NEXT, Arranged, Lead, arrange, flow_from, new_key, problem_of
from apps.processes.domain.loose_steps import loose_steps
from apps.processes.domain.triggers import occasions
from apps.processes.enums import (
    Classification,
    Criticality,
    Family,
    Level,
    ReviewEvery,
    StakeholderAccess,
    StepKind,
    StepMode,
)
from apps.processes.models.values import Flow, FlowStep

STARTS = "a run starts when"
STEPS, QUESTIONS = "<!-- steps -->", "<!-- questions -->"
_MARKER = re.compile(r"^(\\*)(<!-- (?:steps|questions) -->)\s*$")
_HEAD = re.compile(r"^### (?:\d+\. )?(.*?)(?:\s*\{#([a-z0-9_-]+)\})?\s*$", re.IGNORECASE)
_FACT = re.compile(r"^- ([a-z ]+):\s?(.*)$", re.IGNORECASE)
_WAY = re.compile(r"^(\(end\)|[A-Za-z0-9_-]+)(?: when (.*))?$")
# name in the file → (column, choices or None); texts and lists have none
_CHOICES: dict[str, tuple[str, Any]] = {
    "family": ("family", Family),
    "criticality": ("criticality", Criticality),
    "level": ("level", Level),
    "classification": ("classification", Classification),
    "open to": ("stakeholder_access", StakeholderAccess),
    "reviewed every (months)": ("review_every", ReviewEvery),
}
_TEXTS = {"summary": "summary", "persona": "persona"}
_LISTS = {"consulted": "consulted", "informed": "informed", "channels": "channels"}


def write_file(document: Document) -> str:
    """Return the document as Markdown with front matter."""
    head: dict[str, Any] = {"title": document.title}
    for name, (column, _) in _CHOICES.items():
        if column in document.facts:
            head[name] = document.facts[column]
    for name, column in {**_TEXTS, **_LISTS}.items():
        if document.facts.get(column):
            head[name] = document.facts[column]
    if document.facts.get("starts_with"):
        head[STARTS] = document.facts["starts_with"]
    if document.change_log:
        head["what is new"] = document.change_log
    if not document.is_material:
        head["material"] = False
    front = yaml.safe_dump(head, allow_unicode=True, sort_keys=False, width=10_000)
    parts = [f"---\n{front}---\n", _guarded(document.body.strip("\n"))]
    if document.flow.steps:
        parts += [STEPS, *_steps(document.flow)]
    if document.questions.strip():
        parts += [QUESTIONS, _guarded(document.questions.strip("\n"))]
    return "\n\n".join(part for part in parts if part) + "\n"


def _guarded(text: str) -> str:
    return "\n".join("\\" + line if _MARKER.match(line) else line for line in text.split("\n"))


def _unguarded(lines: list[str]) -> str:
    plain = [line[1:] if (found := _MARKER.match(line)) and found[1] else line for line in lines]
    return "\n".join(plain).strip("\n")


def _steps(flow: Flow) -> list[str]:
    shown = []
    for number, each in enumerate(arrange(flow), start=1):
        step = each.step
        facts = [
            ("kind", step.kind),
            ("done", step.mode),
            ("role", step.role),
            ("minutes", "" if step.minutes is None else str(step.minutes)),
            ("blocking", "" if step.blocking else "no"),
            ("accountable", step.accountable),
            ("consulted", ", ".join(step.consulted)),
            ("informed", ", ".join(step.informed)),
            *(("link", line) for line in step.links.splitlines()),
            *_ways(each, flow, number),
        ]
        lines = [f"### {number}. {' '.join(step.title.split())} {{#{step.key}}}", ""]
        lines += [f"- {name}: {value}" for name, value in facts if value]
        if step.instructions:
            lines += ["", *(f"> {line}" if line else ">" for line in step.instructions.split("\n"))]
        shown.append("\n".join(lines))
    return shown


def _ways(each: Arranged, flow: Flow, number: int) -> list[tuple[str, str]]:
    following = flow.steps[number].key if number < len(flow.steps) else "(end)"
    plain = [lead for lead in each.leads if not lead.is_rework]
    found = []
    for lead in each.leads:
        if plain == [lead] and lead.to == NEXT and not lead.condition:
            continue  # what a step does where nothing is said
        target = {NEXT: following, END: "(end)"}.get(lead.to, lead.to)
        when = f" when {' '.join(lead.condition.split())}" if lead.condition else ""
        found.append(("back to" if lead.is_rework else "then", f"{target}{when}"))
    return found


def read_file(text: str, name: str = "") -> Document:
    """Return what a file says, with remarks about everything that could not be read.

    Args:
        text: the file.
        name: the file's name; the title where the file names none.
    """
    document = Document()
    if len(text) > LONGEST:
        document.say(0, f"It has more than {LONGEST // 1000} thousand characters; split it.", refuse=True)
        return document
    if "\x00" in text:
        document.say(0, "It holds a zero byte, so it is no text.", refuse=True)
        return document
    lines = text.replace("\r\n", "\n").removeprefix("\ufeff").split("\n")
    begin = _read_front(document, lines)
    body, steps, questions = _split(lines, begin)
    document.body, document.questions = _unguarded([line for _, line in body]), _unguarded([q for _, q in questions])
    if steps:
        _read_steps(document, steps)
    else:
        document.flow, remarks = loose_steps(body)
        document.remarks += [Remark(line, said) for line, said in remarks]
    _read_title(document, body, name)
    return document


def _split(lines: list[str], begin: int) -> tuple[list[tuple[int, str]], list[tuple[int, str]], list[tuple[int, str]]]:
    parts: dict[str, list[tuple[int, str]]] = {"": [], STEPS: [], QUESTIONS: []}
    part = ""
    for number, line in enumerate(lines[begin:], start=begin + 1):
        found = _MARKER.match(line)
        if found and not found[1]:
            part = found[2]
        else:
            parts[part].append((number, line))
    return parts[""], parts[STEPS], parts[QUESTIONS]


def _read_front(document: Document, lines: list[str]) -> int:
    """Read the front matter; return how many lines it takes."""
    if not lines or lines[0].strip() != "---":
        return 0
    end = next((place for place, line in enumerate(lines[1:], start=1) if line.strip() == "---"), None)
    if end is None:
        document.say(1, "The front matter never ends; close it with a line of “---”.", refuse=True)
        return 0
    try:
        head = yaml.safe_load("\n".join(lines[1:end])) or {}
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        document.say(mark.line + 2 if mark else 1, "The front matter is no YAML; nothing of it was read.", refuse=True)
        return end + 1
    if not isinstance(head, dict):
        document.say(1, "The front matter is no list of names and values; nothing of it was read.", refuse=True)
        return end + 1
    where = {line.split(":")[0].strip().strip("'\""): number for number, line in enumerate(lines[:end], start=1)}
    for key, value in head.items():
        _read_fact(document, str(key).strip().lower(), value, where.get(str(key), 1))
    return end + 1


def _read_occasion(document: Document, key: str, line: int) -> None:
    known = [each for each, _ in occasions()]
    if key and key not in known:
        document.say(line, f"“{key}” starts no runs; known are {', '.join(sorted(known))}. It was left out.")
    else:
        document.facts["starts_with"] = key


def _read_fact(document: Document, name: str, value: Any, line: int) -> None:
    if name == "title":
        document.title = document.fit(line, " ".join(str(value or "").split()), LONGEST_TITLE)
    elif name in _CHOICES:
        column, choices = _CHOICES[name]
        if value not in choices.values:
            offered = ", ".join(str(each) for each in choices.values)
            document.say(line, f"“{value}” is no {name}; known are {offered}. It was left out.")
        else:
            document.facts[column] = value
    elif name == STARTS:
        _read_occasion(document, str(value or "").strip(), line)
    elif name in _TEXTS:
        said = str(value or "").strip()
        document.facts[_TEXTS[name]] = document.fit(line, said, LONGEST_PERSONA) if name == "persona" else said
    elif name in _LISTS:
        given = value if isinstance(value, list) else str(value or "").split(",")
        document.facts[_LISTS[name]] = [
            document.fit(line, str(each), LONGEST_NAME) for each in given if str(each).strip()
        ]
    elif name == "what is new":
        document.change_log = str(value or "").strip("\n")
    elif name == "material" and isinstance(value, bool):
        document.is_material = value
    else:
        document.say(line, f"“{name}” means nothing here; it was left out.")


def _read_title(document: Document, body: list[tuple[int, str]], name: str) -> None:
    if document.title:
        return
    heading = next((line for _, line in body if line.startswith("# ")), "")
    stem = re.sub(r"[-_]+", " ", re.sub(r"\.(md|markdown)$", "", name.rsplit("/", 1)[-1], flags=re.IGNORECASE))
    document.title = document.fit(1, " ".join((heading[2:] or stem).split()), LONGEST_TITLE)
    if not document.title:
        document.say(1, "It has no title: name one in the front matter, or begin with “# The title”.", refuse=True)


def _read_steps(document: Document, lines: list[tuple[int, str]]) -> None:
    rows: list[dict[str, Any]] = []
    for number, line in lines:
        head, fact = _HEAD.match(line), _FACT.match(line)
        if head:
            key = (head[2] or "").lower()
            title = document.fit(number, head[1], LONGEST_TITLE)
            rows.append({"line": number, "title": title, "key": key, "facts": [], "said": []})
        elif not line.strip():
            continue
        elif not rows:
            document.say(number, "This stands before the first step (“### 1. What is done”); it was left out.")
        elif line.startswith(">"):
            rows[-1]["said"].append(line[2:] if line.startswith("> ") else line[1:])
        elif fact:
            rows[-1]["facts"].append((number, fact[1].lower().strip(), fact[2].strip()))
        else:
            document.say(number, "Neither “- name: value” nor a quoted line of instructions; it was left out.")
    _arrange(document, rows)


def _arrange(document: Document, rows: list[dict[str, Any]]) -> None:
    taken: list[str] = []
    arranged = []
    for row in rows:
        if not row["title"]:
            document.say(row["line"], "A step without a title; write what is done after “### ”.", refuse=True)
            continue
        if row["key"] in taken:
            document.say(row["line"], f"The key “{row['key']}” is taken by an earlier step; this one got another.")
            row["key"] = ""
        key = row["key"] or new_key(row["title"], taken)
        if row["key"]:
            taken.append(key)
        arranged.append(_step(document, row, key))
    if problem := problem_of(arranged):
        document.say(rows[0]["line"], problem, refuse=True)
    else:
        document.flow = flow_from(arranged)


def _step(document: Document, row: dict[str, Any], key: str) -> Arranged:
    given: dict[str, Any] = {"key": key, "title": row["title"], "instructions": "\n".join(row["said"])}
    links, leads = [], []
    for line, name, value in row["facts"]:
        if name == "link":
            links.append(value)
        elif name in ("then", "back to"):
            found = _WAY.match(value)
            if found is None:
                document.say(line, f"“{value}” names no step by its key; the way was left out.")
            else:
                target = END if found[1] == "(end)" else found[1].lower()
                leads.append(Lead(target, (found[2] or "").strip()[:120], name == "back to"))
        else:
            _read_step_fact(document, given, line, name, value)
    if not any(not lead.is_rework for lead in leads):
        leads.insert(0, Lead(NEXT))
    return Arranged(FlowStep(links="\n".join(links), **given), tuple(leads))


def _read_step_fact(document: Document, given: dict[str, Any], line: int, name: str, value: str) -> None:
    if name in ("kind", "done"):
        choices: Any = StepKind if name == "kind" else StepMode
        if value.lower() not in choices.values:
            offered = ", ".join(choices.values)
            document.say(line, f"“{value}” is not known as {name}; known are {offered}. It was left out.")
        else:
            given["kind" if name == "kind" else "mode"] = value.lower()
    elif name in ("role", "accountable"):
        given[name] = value[:80]
    elif name in ("consulted", "informed"):
        given[name] = tuple(part.strip()[:100] for part in value.split(",") if part.strip())
    elif name == "minutes" and value.isascii() and value.isdigit() and int(value) <= 14_400:
        given["minutes"] = int(value)
    elif name == "blocking" and value.lower() in ("yes", "no"):
        given["blocking"] = value.lower() == "yes"
    else:
        document.say(line, f"“{name}: {value[:60]}” cannot be read; it was left out.")
