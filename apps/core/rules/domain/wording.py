"""Predicates as a sentence."""

from apps.core.rules.catalog import Catalog
from apps.core.rules.domain.tree import COUNTS, Group, Has, Leaf, Node, Predicate, readable

NOTHING_ASKED = "always"


def in_words(predicate: Predicate | Node, catalog: Catalog) -> str:
    """Return a predicate as a sentence: "Budget is at least 1,000 and (Country is “Spain” or Country is empty)".

    Raises:
        InvalidInput: the predicate is not right.
    """
    return words_of(readable(predicate, catalog))


def words_of(node: Node, *, inner: bool = False) -> str:
    """Return a part in words, in brackets where it stands among others."""
    if isinstance(node, Leaf):
        return f"{node.field.label} {node.field.type.phrase(node.op, node.operand)}"
    if isinstance(node, Has):
        return _has(node)
    if not isinstance(node, Group):
        return f"not ({words_of(node.part)})"
    if not node.parts:
        return NOTHING_ASKED
    text = (" and " if node.every else " or ").join(words_of(each, inner=True) for each in node.parts)
    return f"({text})" if inner and len(node.parts) > 1 else text


def with_number(words: str, number: str) -> str:
    """Return "halves every … days" with its number, and one day as one: "halves every 1 day"."""
    found = words.replace("…", number)
    return found.replace(" 1 days", " 1 day") if number == "1" else found


def _has(node: Has) -> str:
    none = (node.op, node.count) in (("eq", 0), ("lt", 1), ("lte", 0))
    some = (node.op, node.count) in (("gte", 1), ("gt", 0))  # "at least 1 touches" is no English
    amount = "no" if none else "any" if some else f"{COUNTS[node.op]} {node.count:,}"
    days = "" if node.days is None else " in the last day" if node.days == 1 else f" in the last {node.days:,} days"
    where = "" if node.where is None else f" where {words_of(node.where, inner=True)}"
    return f"has {amount} {node.relation.label}{days}{where}"
