"""The SQL that leaves of predicates become: conditions over a left-hand side, plain enough for indexes."""

from collections.abc import Sequence
from typing import Any

from django.db.models import BooleanField, Exists, F, Func, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Lower

Side = Combinable | F


class Condition(Func):
    """A condition that can stand in a WHERE, in a CASE and inside another condition."""

    template = "(%(expressions)s)"
    output_field = BooleanField()


def constant(truth: bool) -> Condition:
    """Return the condition that always, or never, holds."""
    return Condition(template="TRUE" if truth else "FALSE")


def compare(left: Any, operator: str, value: Any) -> Condition:
    """Return `left operator value`; the value goes as a parameter."""
    right = value if hasattr(value, "resolve_expression") else Value(value)
    return Condition(left, right, arg_joiner=f" {operator} ")


def among(left: Any, values: Sequence[Any]) -> Condition:
    """Return `left IN (values)`."""
    if len(values) == 1:
        return compare(left, "=", values[0])
    right = Condition(*(Value(each) for each in values), arg_joiner=", ")
    return Condition(left, right, arg_joiner=" IN ")


def joined(word: str, conditions: Sequence[Any]) -> Any:
    """Return the conditions joined by AND or OR."""
    return conditions[0] if len(conditions) == 1 else Condition(*conditions, arg_joiner=f" {word} ")


def is_null(left: Any) -> Condition:
    """Return `left IS NULL`."""
    return Condition(left, template="(%(expressions)s IS NULL)")


def not_true(condition: Any) -> Any:
    """Return the plain opposite: it holds where the condition is false and where it is unknown."""
    if isinstance(condition, Exists):
        return ~condition  # never unknown; as NOT EXISTS it becomes an anti-join
    return Condition(condition, template="(%(expressions)s IS NOT TRUE)")


def like(left: Any, *, before: str = "", text: str, after: str = "") -> Condition:
    """Return `left LIKE pattern`, in which only `before` and `after` are wildcards."""
    plain = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return compare(left, "LIKE", f"{before}{plain}{after}")


def folded(left: Any) -> Any:
    """Return the left-hand side in small letters; an index on `Lower(column)` serves it."""
    return Lower(left)


def fold(text: str) -> str:
    """Return `text` in small letters exactly as PostgreSQL's lower() writes them: letter by letter.

    Python's own `lower` looks at neighbours (the final sigma) and makes two characters of one (İ).
    """
    return text.lower() if text.isascii() else "".join("i" if each == "İ" else each.lower() for each in text)
