"""What differs between two versions of rules, rule by rule, in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from apps.core.rules.bodies import Line
from apps.core.rules.kinds import kind_named
from apps.core.rules.models import RuleVersion


@dataclass(frozen=True)
class Difference:
    """One rule that differs: "added", "removed", "changed" or "moved"."""

    what: str
    title: str
    before: str = ""
    after: str = ""


def compare_versions(before: RuleVersion, after: RuleVersion) -> list[Difference]:
    """Return what changed from one version to another; nothing where they say the same."""
    kind = before.document.kind
    return compare_lines(_lines(kind, before.body), _lines(kind, after.body))


def _lines(kind: str, body: Any) -> list[Line]:
    shape = kind_named(kind).body
    problems = shape.problems(body)
    if problems:
        return [Line("", "", f"These rules can no longer be read. {problems[0].sentence}")]
    return shape.lines(body)


def compare_lines(before: Sequence[Line], after: Sequence[Line]) -> list[Difference]:
    """Return what changed: in the order of the newer version, what is gone at the end."""
    old, new = {each.key: each for each in before}, {each.key: each for each in after}
    stayed = [each.key for each in before if each.key in new]
    moved = _moved(stayed, [each.key for each in after if each.key in old])
    found = []
    for key, line in new.items():
        if key not in old:
            found.append(Difference("added", line.title, "", line.text))
        elif old[key].text != line.text or _name(old[key]) != _name(line):
            found.append(Difference("changed", line.title, _whole(old[key], line), line.text))
        elif key in moved:
            found.append(Difference("moved", line.title, old[key].title, line.title))
    return [*found, *(Difference("removed", line.title, line.text) for key, line in old.items() if key not in new)]


def _name(line: Line) -> str:
    return line.title.partition(". ")[2] or line.title


def _whole(old: Line, new: Line) -> str:
    return old.text if _name(old) == _name(new) else f"{_name(old)}: {old.text}"


def _moved(before: list[str], after: list[str]) -> set[str]:
    """Return what stands elsewhere among the rules that stayed: all but a longest run in unchanged order."""
    place = {key: number for number, key in enumerate(before)}
    best: list[list[str]] = []
    for key in after:
        runs = [run for run in best if place[run[-1]] < place[key]]
        best.append([*_longest(runs), key])
    return set(after) - set(_longest(best))


def _longest(runs: list[list[str]]) -> list[str]:
    return max(runs, key=len) if runs else []
