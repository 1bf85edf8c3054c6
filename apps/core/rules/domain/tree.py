"""Reading predicates: from JSON to a checked tree, with every problem named at its place."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from apps.core.errors import InvalidInput
from apps.core.rules.catalog import Catalog, Field, Relation
from apps.core.rules.operators import OPPOSITES, WITHOUT_VALUE, Op

Path = tuple[str | int, ...]
Predicate = Mapping[str, Any]
DEEPEST, MOST_LEAVES, LARGEST = 8, 200, 64_000
COUNTS: dict[str, str] = {
    "gte": "at least",
    "gt": "more than",
    "eq": "exactly",
    "lte": "at most",
    "lt": "fewer than",
}
MOST_ROWS, MOST_DAYS = 1_000_000, 36_500


@dataclass(frozen=True)
class Problem:
    """What is wrong with a predicate, and where.

    Attributes:
        path: the way to the part that is to blame, ("all", 0, "value").
        sentence: for whoever builds the rule.
        code: "structure", "unknown", "operator", "value", "limit", "everything" or "contradiction".
    """

    path: Path
    sentence: str
    code: str = "structure"

    @property
    def pointer(self) -> str:
        """The path as text, "all/0/value"."""
        return "/".join(str(each) for each in self.path)


@dataclass(frozen=True)
class Group:
    """All, or any, of some parts."""

    parts: "tuple[Node, ...]"
    every: bool
    path: Path = ()


@dataclass(frozen=True)
class Not:
    """The opposite of a part."""

    part: "Node"
    path: Path = ()


@dataclass(frozen=True)
class Leaf:
    """One question about one field. `op` is as written; `base` and `negated` are what engines work with."""

    field: Field
    op: Op
    operand: Any
    path: Path = ()

    @property
    def base(self) -> Op:
        """The positive operator."""
        return OPPOSITES.get(self.op, self.op)

    @property
    def negated(self) -> bool:
        """Whether it holds where `base` does not."""
        return self.op in OPPOSITES


@dataclass(frozen=True)
class Has:
    """How many rows hang on a record that fit a predicate of their own."""

    relation: Relation
    where: "Node | None"
    op: str
    count: int
    days: int | None
    catalog: Catalog
    path: Path = ()


Node = Group | Not | Leaf | Has


class Reader:
    """Reads one predicate; `problems` names what it could not."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self.problems: list[Problem] = []
        self.leaves = 0

    def blame(self, path: Path, sentence: str, code: str = "structure") -> Node | None:
        """Note a problem; returns no node."""
        self.problems.append(Problem(path, sentence, code))
        return None

    def read(self, given: Any, path: Path = (), depth: int = 1) -> Node | None:
        """Return the tree of `given`, None where it, or a part of it, cannot be read."""
        if not isinstance(given, Mapping):
            return self.blame(path, "A condition is missing here.")
        if depth > DEEPEST:
            return self.blame(path, f"Groups are nested too deep; {DEEPEST} levels fit.", "limit")
        sorts = [each for each in ("all", "any", "not", "has", "field") if each in given]
        if len(sorts) != 1:
            return self.blame(path, "A condition is a group (all, any, not), a field or a count of rows.")
        if unknown := set(given) - _PARTS[sorts[0]]:
            return self.blame(path, f"“{min(map(str, unknown))}” does not belong into a condition.")
        if sorts[0] in ("all", "any"):
            return self._group(given[sorts[0]], sorts[0], path, depth)
        if sorts[0] == "not":
            part = self.read(given["not"], (*path, "not"), depth + 1)
            return None if part is None else Not(part, path)
        self.leaves += 1
        if self.leaves > MOST_LEAVES:
            if self.leaves == MOST_LEAVES + 1:
                self.blame(path, f"The rule has too many conditions; {MOST_LEAVES} fit.", "limit")
            return None
        return self._has(given, path, depth) if sorts[0] == "has" else self._leaf(given, path)

    def _group(self, given: Any, sort: str, path: Path, depth: int) -> Node | None:
        if not isinstance(given, list):
            return self.blame((*path, sort), "A group is a list of conditions.")
        if not given and sort == "any":
            return self.blame(path, "“Any of” nothing never holds; add a condition.", "contradiction")
        parts = [self.read(each, (*path, sort, number), depth + 1) for number, each in enumerate(given)]
        if any(each is None for each in parts):
            return None
        return Group(tuple(each for each in parts if each is not None), sort == "all", path)

    def _leaf(self, given: Mapping[str, Any], path: Path) -> Node | None:
        found = self.catalog.find(str(given["field"]))
        if found is None:
            sentence = f"There is no field “{given['field']}” here (any more); choose another."
            return self.blame((*path, "field"), sentence if given["field"] else "Choose a field.", "unknown")
        op = given.get("op")
        if not isinstance(op, str) or op not in {each.value for each in found.type.words}:
            known = ", ".join(found.type.words.values())
            sentence = f"{found.label} knows: {known}." if op else f"Choose how to compare {found.label}."
            return self.blame((*path, "op"), sentence, "operator")
        if Op(op) not in WITHOUT_VALUE and given.get("value") in (None, "", []):
            return self.blame((*path, "value"), f"Say what {found.label} is compared with.", "value")
        try:
            operand = found.type.operand(Op(op), given.get("value"))
        except InvalidInput as refusal:
            return self.blame((*path, "value"), f"{found.label}: {refusal.message}", "value")
        return Leaf(found, Op(op), operand, path)

    def _has(self, given: Mapping[str, Any], path: Path, depth: int) -> Node | None:
        relation = self.catalog.relation(str(given["has"]))
        if relation is None:
            sentence = f"There is nothing called “{given['has']}” to count here."
            return self.blame((*path, "has"), sentence if given["has"] else "Choose what to count.", "unknown")
        op, count = self._count(given.get("count"), path)
        days = self._days(given.get("within"), relation, path)
        inner, where = self.catalog.of_relation(relation), None
        if given.get("where"):
            outer, self.catalog = self.catalog, inner
            where = self.read(given["where"], (*path, "where"), depth + 1)
            self.catalog = outer
            if where is None:
                return None
        return None if op is None or days == 0 else Has(relation, where, op, count, days, inner, path)

    def _count(self, given: Any, path: Path) -> tuple[str | None, int]:
        if given is None:
            return "gte", 1
        if isinstance(given, Mapping) and len(given) == 1:
            op, number = next(iter(given.items()))
            whole = isinstance(number, int) and not isinstance(number, bool)
            if op in COUNTS and whole and 0 <= number <= MOST_ROWS:
                return op, number
        self.blame((*path, "count"), f"Give a number of rows, 0 to {MOST_ROWS:,}.", "value")
        return None, 0

    def _days(self, given: Any, relation: Relation, path: Path) -> int | None:
        if given is None:
            return None
        if not relation.moment:
            self.blame((*path, "within"), f"The {relation.label} have no date to count days from.", "value")
            return 0
        days = given.get("days") if isinstance(given, Mapping) and set(given) == {"days"} else None
        if isinstance(days, int) and not isinstance(days, bool) and 1 <= days <= MOST_DAYS:
            return days
        self.blame((*path, "within"), f"Give a whole number of days, 1 to {MOST_DAYS:,}.", "value")
        return 0


_PARTS: dict[str, set[str]] = {
    "all": {"all"},
    "any": {"any"},
    "not": {"not"},
    "field": {"field", "op", "value"},
    "has": {"has", "where", "count", "within"},
}


def read(predicate: Any, catalog: Catalog) -> tuple[Node | None, list[Problem]]:
    """Return the tree of a predicate, or what is wrong with its form, its fields and its values."""
    try:
        size = len(json.dumps(predicate))
    except (TypeError, ValueError, RecursionError):
        return None, [Problem((), "This is no condition: only texts, numbers, lists and yes or no fit in.")]
    if size > LARGEST:
        return None, [Problem((), f"The rule is too large; {LARGEST // 1000} kB fit.", "limit")]
    reader = Reader(catalog)
    tree = reader.read(predicate)
    return (None if reader.problems else tree), reader.problems


def readable(predicate: "Predicate | Node", catalog: Catalog) -> Node:
    """Return the tree of a predicate that must be right.

    Raises:
        InvalidInput: it is not, in the words of the first problem.
    """
    if isinstance(predicate, Group | Not | Leaf | Has):
        return predicate
    tree, problems = read(predicate, catalog)
    if tree is None:
        raise InvalidInput(problems[0].sentence, fields={each.pointer: each.sentence for each in problems})
    return tree


def fields_used(tree: Node) -> set[str]:
    """Return the keys of the fields, and of the relations, that the outer record is asked about."""
    if isinstance(tree, Leaf):
        return {tree.field.key}
    if isinstance(tree, Has):
        return {tree.relation.key}
    parts: Sequence[Node] = tree.parts if isinstance(tree, Group) else (tree.part,)
    return set().union(*(fields_used(each) for each in parts))
