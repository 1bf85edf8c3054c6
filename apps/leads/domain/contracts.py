"""The contract of a source as people write it, line by line, and what can be wrong with it, in sentences."""

import json
from collections.abc import Collection, Iterable, Mapping
from urllib.parse import urlsplit

from apps.leads.domain.intake import FIELDS
from apps.leads.domain.profiling import wrong_plan
from apps.leads.models import IntakeSource

ARROW = "→"
_BETWEEN = (ARROW, "->", "=>", "=", ":", "\t")  # what people put between their name and ours


def pairs_as_lines(pairs: Mapping[str, str]) -> str:
    """Return names there → ours, one a line, the arrows below each other."""
    width = max((len(name) for name in pairs), default=0)
    return "\n".join(f"{name:<{width}} {ARROW} {ours}" for name, ours in pairs.items())


def read_pairs(text: str) -> tuple[dict[str, str], list[str]]:
    """Read names there → ours, one a line; a pasted JSON object will do as well.

    Returns:
        What was read, and what is wrong, each naming its line.
    """
    if text.lstrip().startswith("{"):
        return _read_object(text)
    found: dict[str, str] = {}
    wrong: list[str] = []
    first: dict[str, int] = {}
    for number, line in _lines(text):
        theirs, ours = _halves(line)
        if not theirs or not ours:
            wrong.append(f"Line {number}: write their name {ARROW} ours, for instance work_email {ARROW} email.")
        elif theirs in first:
            wrong.append(f"Line {number}: “{theirs}” stands on line {first[theirs]} already.")
        elif ours not in FIELDS:
            wrong.append(f"Line {number}: “{ours}” is no field of ours; ours are {', '.join(FIELDS)}.")
        else:
            found[theirs], first[theirs] = ours, number
    return found, wrong


def read_names(text: str, *, known: Collection[str] = ()) -> tuple[list[str], list[str]]:
    """Read names, one a line; a pasted JSON list will do as well.

    Args:
        text: what was typed.
        known: what may stand there; anything where it is empty.

    Returns:
        What was read, and what is wrong, each naming its line.
    """
    if text.lstrip().startswith("["):
        return _read_list(text)
    found: list[str] = []
    wrong: list[str] = []
    for number, line in _lines(text):
        if line in found:
            wrong.append(f"Line {number}: “{line}” stands above already.")
        elif known and line not in known:
            wrong.append(f"Line {number}: “{line}” is none of {', '.join(known)}.")
        else:
            found.append(line)
    return found, wrong


def _lines(text: str) -> Iterable[tuple[int, str]]:
    numbered = enumerate(text.splitlines(), 1)
    return ((number, line.strip().rstrip(",").strip()) for number, line in numbered if line.strip())


def _halves(line: str) -> tuple[str, str]:
    for sign in _BETWEEN:
        theirs, found, ours = line.partition(sign)
        if found:
            return theirs.strip(), ours.strip()
    return line, ""


def _read_object(text: str) -> tuple[dict[str, str], list[str]]:
    given, wrong = _parsed(text)
    if wrong:
        return {}, wrong
    if not isinstance(given, dict) or not all(isinstance(ours, str) for ours in given.values()):
        return {}, [f"Write their name {ARROW} ours, one a line; each name there stands for one field of ours."]
    return given, []


def _read_list(text: str) -> tuple[list[str], list[str]]:
    given, wrong = _parsed(text)
    if wrong:
        return [], wrong
    if not isinstance(given, list) or not all(isinstance(name, str) for name in given):
        return [], ["Write one name a line."]
    return given, []


def _parsed(text: str) -> tuple[object, list[str]]:
    try:
        return json.loads(text), []
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", 1)
        return None, [f"Line {line}: this is no JSON that can be read. Write one a line, without braces and quotes."]


def problems(source: IntakeSource) -> dict[str, str]:
    """Return what cannot be used, by field; nothing where the contract holds."""
    found: dict[str, str] = {}
    if not isinstance(source.fields, dict) or (
        unknown := [each for each in source.fields.values() if each not in FIELDS]
    ):
        told = f"“{unknown[0]}” is no field of ours" if isinstance(source.fields, dict) else "Write their name → ours"
        found["fields"] = f"{told}; ours are {', '.join(FIELDS)}."
    if not isinstance(source.required, list) or any(each not in FIELDS for each in source.required):
        found["required"] = f"Name fields of ours: {', '.join(FIELDS)}."
    if refused := wrong_plan(source.asks):
        found["asks"] = refused
    if not isinstance(source.origins, list) or not all(_is_origin(each) for each in source.origins):
        found["origins"] = "Write sites as https://www.example.com, without a path."
    return found


def _is_origin(text: object) -> bool:
    parts = urlsplit(text) if isinstance(text, str) else None
    return parts is not None and parts.scheme in ("http", "https") and bool(parts.netloc) and parts.path in ("", "/")
