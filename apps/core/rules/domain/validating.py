"""What is wrong with a predicate: its form, its fields and values, and whether it can mean anything at all."""

from typing import Any

from apps.core.rules.catalog import Catalog
from apps.core.rules.domain.reasoning import always_holds, can_hold
from apps.core.rules.domain.tree import Group, Has, Node, Not, Path, Problem, read
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
