"""The decision table: conditions such as "budget >= 10000 and channel in (email, social)", read, decided, explained.

People write the text; it becomes a predicate {"all": [{"field", "op", "value"}, …]}, which is what a policy version
keeps. Nothing here touches the database.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from apps.core.errors import InvalidInput

Predicate = dict[str, Any]

# What people write → the operator; longer words first, so that "is not in" is not read as "is".
_WORDS = (
    ("is not empty", "not_empty"),
    ("is empty", "empty"),
    ("is not in", "not_in"),
    ("not in", "not_in"),
    ("is not", "ne"),
    ("is in", "in"),
    ("in", "in"),
    ("contains", "contains"),
    ("is", "eq"),
    (">=", "gte"),
    ("≥", "gte"),
    ("<=", "lte"),
    ("≤", "lte"),
    ("!=", "ne"),
    ("≠", "ne"),
    (">", "gt"),
    ("<", "lt"),
    ("=", "eq"),
)
_SAID = {
    "eq": "is",
    "ne": "is not",
    "gt": "is more than",
    "gte": "is at least",
    "lt": "is less than",
    "lte": "is at most",
    "in": "is one of",
    "not_in": "is none of",
    "contains": "contains",
    "empty": "is empty",
    "not_empty": "is not empty",
}
_ALONE, _LISTS = ("empty", "not_empty"), ("in", "not_in")
_OPERATORS = "|".join(
    rf"\b{re.escape(word)}\b" if word[0].isalpha() else re.escape(word)
    for word, _ in sorted(_WORDS, key=lambda w: -len(w[0]))
)
_LEAF = re.compile(
    rf"^\s*(?P<field>[A-Za-z_][A-Za-z0-9_.]*)\s*(?P<op>{_OPERATORS})\s*(?P<value>.*?)\s*$", re.IGNORECASE
)
_AND = re.compile(r"\s+and\s+(?=[A-Za-z_][A-Za-z0-9_.]*\s*(?:" + _OPERATORS + "))", re.IGNORECASE)


def read_condition(text: str) -> Predicate:
    """Return the predicate that `text` means; the empty text always holds.

    Raises:
        InvalidInput: a part of it is not understood; says which, and how it is written.
    """
    if not text.strip():
        return {"all": []}
    return {"all": [_leaf(part) for part in _AND.split(text.strip())]}


def _leaf(text: str) -> dict[str, Any]:
    found = _LEAF.match(text)
    if found is None:
        raise InvalidInput(
            f"“{text}” is not understood. Write a field, a comparison and a value, for instance “budget >= 10000”, "
            "“channel in (email, social)” or “risk is high”, joined by “and”."
        )
    operator = dict(_WORDS)[" ".join(found["op"].lower().split())]
    given = found["value"].strip()
    if operator in _ALONE:
        if given:
            raise InvalidInput(f"“{text}” is not understood: nothing follows “{found['op']}”.")
        return {"field": found["field"].lower(), "op": operator}
    if not given:
        raise InvalidInput(f"“{text}” lacks the value to compare {found['field']} with.")
    if operator in _LISTS:
        values = [_value(each) for each in given.strip("()").split(",") if each.strip()]
        return {"field": found["field"].lower(), "op": operator, "value": values}
    return {"field": found["field"].lower(), "op": operator, "value": _value(given)}


def _value(text: str) -> str:
    return text.strip().strip("\"'“”")


def fields_of(predicate: Predicate) -> set[str]:
    """Return the names of the facts that a predicate looks at."""
    return {leaf["field"] for leaf in predicate.get("all", ())}


@dataclass(frozen=True)
class Reason:
    """One condition, whether it holds, and what was found."""

    holds: bool
    sentence: str


def decide(predicate: Predicate, facts: Mapping[str, Any]) -> tuple[bool, tuple[Reason, ...]]:
    """Return whether a predicate holds for `facts`, and why, condition by condition."""
    reasons = tuple(_reason(leaf, facts) for leaf in predicate.get("all", ()))
    return all(reason.holds for reason in reasons), reasons


def _reason(leaf: Mapping[str, Any], facts: Mapping[str, Any]) -> Reason:
    name, operator = leaf["field"], leaf["op"]
    found = facts.get(name)
    wanted = leaf.get("value", "")
    said = ", ".join(wanted) if isinstance(wanted, list) else str(wanted)
    asked = f"{name.replace('_', ' ')} {_SAID[operator]} {said}".strip()
    shown = "nothing" if _is_empty(found) else _plain(found)
    return Reason(_holds(operator, found, wanted), f"{asked} (it is {shown})")


def _holds(operator: str, found: Any, wanted: Any) -> bool:
    if operator in _ALONE:
        return _is_empty(found) == (operator == "empty")
    if _is_empty(found):
        return operator in ("ne", "not_in")
    if operator == "eq":
        return _same(found, wanted)
    if operator == "ne":
        return not _same(found, wanted)
    if operator in _LISTS:
        return any(_same(found, each) for each in wanted) == (operator == "in")
    if operator == "contains":
        return any(str(wanted).casefold() in _plain(each).casefold() for each in _many(found))
    return _compare(operator, found, wanted)


def _same(found: Any, wanted: Any) -> bool:
    return any(_equal(each, wanted) for each in _many(found))


def _equal(left: Any, right: Any) -> bool:
    if _number(left) is not None and _number(right) is not None:
        return _number(left) == _number(right)
    return _fold(left) == _fold(right)


def _compare(operator: str, found: Any, wanted: Any) -> bool:
    left: Any = _number(found)
    right: Any = _number(wanted)
    if left is None or right is None:
        left, right = _plain(found), str(wanted)  # dates are ISO texts, which compare as dates do
    return bool({"gt": left > right, "gte": left >= right, "lt": left < right, "lte": left <= right}[operator])


def _number(value: Any) -> Decimal | None:
    if isinstance(value, bool):
        return None
    try:
        number = Decimal(str(value).replace(" ", "").replace(" ", ""))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _many(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple, set)) else [value]


def _fold(value: Any) -> str:
    return _plain(value).casefold()


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple, set)):
        return ", ".join(_plain(each) for each in value)
    return str(value)


def _is_empty(value: Any) -> bool:
    return value is None or value == "" or value == []
