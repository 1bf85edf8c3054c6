"""What is wrong with a predicate: its form, its fields and values, and whether it can mean anything at all."""

from typing import Any

from apps.core.rules.catalog import Catalog
from apps.core.rules.domain.reasoning import always_holds, can_hold
from apps.core.rules.domain.tree import Group, Has, Leaf, Node, Not, Path, Problem, read
from apps.core.rules.domain.wording import words_of


def validate(predicate: Any, catalog: Catalog, *, allow_everything: bool = False) -> list[Problem]:
    """Return every problem of a predicate, none when it can be used.

    Args:
        predicate: JSON as it was stored or sent.
        catalog: what may be asked.
        allow_everything: accept a predicate that every record fits, for the last rule of a list.
    """
    tree, problems = read(predicate, catalog)
    if tree is None:
        return problems
    found = _impossible(tree)
    if not found and not allow_everything and always_holds(tree):
        found.append(
            Problem(
                (), "Every record fits this rule, so it selects nothing: add a condition that some fail.", "everything"
            )
        )
    return found


def slips(predicate: Any, catalog: Catalog) -> list[Problem]:
    """Return what nobody means who writes it, though it can be asked: a fraction where there are whole numbers alone.

    "Visits is at least 1.5" selects whoever has 2; a new rule says so itself. Those in force go on: what somebody
    signed is not made unreadable.

    Args:
        predicate: JSON as it was sent.
        catalog: what may be asked.
    """
    tree, _ = read(predicate, catalog)
    return [] if tree is None else _slips(tree)


def _slips(node: Node) -> list[Problem]:
    if isinstance(node, Leaf):
        found = node.field.type.slip(node.op, node.operand)
        return [Problem((*node.path, "value"), f"{node.field.label} {found}", "value")] if found else []
    if isinstance(node, Has):
        return _slips(node.where) if node.where is not None else []
    parts = node.parts if isinstance(node, Group) else (node.part,)
    return [problem for part in parts for problem in _slips(part)]


def _impossible(node: Node) -> list[Problem]:
    """Return the smallest parts that can never hold, or the whole where only together they cannot."""
    if isinstance(node, Has):
        inner = _impossible(node.where) if node.where is not None else []
        if not can_hold(node):
            return [Problem(node.path, f"This can never hold: {words_of(node)}.", "contradiction")]
        return inner
    if isinstance(node, Group):
        inner = [problem for part in node.parts for problem in _impossible(part)]
        if inner or can_hold(node):
            return inner
        return [_contradiction(node, node.path)]
    if isinstance(node, Not):
        inner = _impossible(node.part)
        return inner or ([] if can_hold(node) else [_contradiction(node, node.path)])
    return [] if can_hold(node) else [_contradiction(node, node.path)]


def _contradiction(node: Node, path: Path) -> Problem:
    return Problem(path, f"This contradicts itself, no record can fit it: {words_of(node)}.", "contradiction")
