"""What can be said of predicates without a single record: can it hold at all, does it always, does one imply another.

A predicate is written as a list of alternatives, each a conjunction of questions; each field of a conjunction keeps
the set of values that is left (`regions`). Where alternatives become too many, nothing is claimed.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from apps.core.rules.domain.tree import Group, Has, Leaf, Node, Not
from apps.core.rules.operators import Op
from apps.core.rules.regions import Axis, Span, Spans, Words

MOST_ALTERNATIVES = 512
Conjunction = tuple[tuple[Leaf | Has, bool], ...]


class TooManyError(Exception):
    """The predicate has more alternatives than are worth looking at."""


def can_hold(*nodes: Node) -> bool:
    """Whether a record could fit all of the predicates; True where that is too much to find out."""
    try:
        return any(_possible(each) for each in _alternatives(Group(nodes, every=True), holds=True))
    except TooManyError:
        return True


def always_holds(node: Node) -> bool:
    """Whether every record fits; False where that is too much to find out."""
    return not can_hold(Not(node))


def implies(one: Node, other: Node) -> bool:
    """Whether every record that fits `one` surely fits `other`."""
    return not can_hold(one, Not(other))


def _alternatives(node: Node, *, holds: bool) -> list[Conjunction]:
    if isinstance(node, Not):
        return _alternatives(node.part, holds=not holds)
    if isinstance(node, Has):
        return [((node, holds),)]
    if isinstance(node, Leaf):
        return _of_leaf(node, holds)
    if node.every != holds:
        found = [each for part in node.parts for each in _alternatives(part, holds=holds)]
        return _bounded(found)
    result: list[Conjunction] = [()]
    for part in node.parts:
        others = _alternatives(part, holds=holds)
        result = _bounded([(*one, *other) for one in result for other in others])
    return result


def _bounded(found: list[Conjunction]) -> list[Conjunction]:
    if len(found) > MOST_ALTERNATIVES:
        raise TooManyError
    return found


def _of_leaf(leaf: Leaf, holds: bool) -> list[Conjunction]:
    positive = holds != leaf.negated
    if leaf.base not in (Op.HAS_ANY, Op.HAS_ALL):
        return [((leaf, positive),)]
    singles = [replace(leaf, op=Op.HAS_ALL, operand=(each,)) for each in leaf.operand]
    if (leaf.base == Op.HAS_ALL) == positive:
        return [tuple((each, positive) for each in singles)]
    return [((each, positive),) for each in singles]


@dataclass
class _Left:
    """What is left of one field: may it be missing, may it be there, with which values."""

    missing: bool
    present: bool = True
    axes: dict[str, Axis] = field(default_factory=dict)

    @property
    def is_possible(self) -> bool:
        return self.missing or (self.present and not any(each.is_empty for each in self.axes.values()))


def _possible(conjunction: Conjunction) -> bool:
    left: dict[str, _Left] = {}
    counts: dict[str, Spans] = {}
    for question, holds in conjunction:
        if isinstance(question, Has):
            key = _key(question)
            spans = _rows(question)
            counts[key] = counts.get(key, _SOME).cut(spans if holds else spans.rest())
        else:
            _narrow(left.setdefault(question.field.key, _Left(question.field.nullable)), question, holds)
    return all(each.is_possible for each in left.values()) and not any(each.is_empty for each in counts.values())


def _narrow(left: _Left, leaf: Leaf, holds: bool) -> None:
    if leaf.base == Op.EMPTY:
        left.missing, left.present = left.missing and holds, left.present and not holds
        return
    if holds:
        left.missing = False
    if leaf.base == Op.HAS_ALL:
        axis, found = f"tag {leaf.operand[0]}", Words(frozenset((True,)), all_but=False)
        everything: Any = Words(frozenset((True, False)), all_but=False)
    else:
        (axis, region), everything = leaf.field.type.axis(leaf.base, leaf.operand), leaf.field.type.everything()
        found = region  # type: ignore[assignment]  # spans or words, of one sort per field
        if axis:
            everything = Spans()
    left.axes[axis] = left.axes.get(axis, everything).cut(found if holds else found.rest())


_SOME = Spans((Span(0, None),), whole=True)


def _rows(question: Has) -> Spans:
    number = question.count
    span = {
        "gte": Span(number, None),
        "gt": Span(number + 1, None),
        "eq": Span(number, number),
        "lte": Span(None, number),
        "lt": Span(None, number - 1),
    }[question.op]
    return Spans((span,), whole=True).cut(_SOME)


def _key(question: Has) -> str:
    return json.dumps([question.relation.key, question.days, list(_said(question.where))])


def _said(node: Node | None) -> Iterator[Any]:
    """Say a part so that two alike parts say the same."""
    if isinstance(node, Leaf):
        yield [node.field.key, node.op, str(node.operand)]
    elif isinstance(node, Not):
        yield ["not", *_said(node.part)]
    elif isinstance(node, Group):
        yield ["all" if node.every else "any", *sorted((list(_said(each)) for each in node.parts), key=str)]
    elif isinstance(node, Has):
        yield [_key(node), node.op, node.count]
