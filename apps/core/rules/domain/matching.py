"""Predicates on one record in memory, with the reason: which questions decided, and on which values."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import models

from apps.core.rules.catalog import Catalog, Field
from apps.core.rules.domain.tree import COUNTS, Has, Leaf, Node, Not, Predicate, fields_used, readable
from apps.core.rules.domain.wording import words_of
from apps.core.rules.moment import Moment
from apps.core.rules.operators import Op
from apps.core.rules.tags import Tags


@dataclass(frozen=True)
class Outcome:
    """Whether a part of a predicate holds, and why.

    Attributes:
        matched: whether it holds.
        sentence: of a question, with the actual value: "Budget is at least 1,000 (it is 1,200)"; of a group, its sort.
        parts: what the group is made of.
        every: for groups, whether all parts must hold; None for questions.
        negated: the group holds where its part does not.
        path: where the part stands in the predicate.
    """

    matched: bool
    sentence: str
    parts: "tuple[Outcome, ...]" = ()
    every: bool | None = None
    negated: bool = False
    path: tuple[str | int, ...] = ()

    def __bool__(self) -> bool:
        return self.matched

    @property
    def mark(self) -> str:
        """A tick or a cross."""
        return "✓" if self.matched else "✗"

    @property
    def deciding(self) -> "tuple[Outcome, ...]":
        """The questions that decided: all that hold where all had to, those that fail where it failed."""
        if self.every is None and not self.negated:
            return (self,)
        if self.negated:
            return self.parts[0].deciding
        wanted = [each for each in self.parts if each.matched == self.matched] or self.parts
        return tuple(found for each in wanted for found in each.deciding)

    @property
    def why(self) -> str:
        """The questions that decided, in one line: "Budget is at least 1,000 (it is 1,200) ✓; Country is …"."""
        return (
            "; ".join(f"{each.sentence} {each.mark}" for each in self.deciding) or "Nothing is asked: it always holds ✓"
        )


def matches(predicate: Predicate | Node, values: Mapping[str, Any], catalog: Catalog, *, as_of: dt.datetime) -> Outcome:
    """Return whether one record fits, and why.

    Args:
        predicate: checked JSON, or a tree that was read.
        values: by key of the catalog's fields, as `values_of` reads them; what is left out is missing. Relations are
            lists of the rows' own values, tags sets of keys.
        catalog: of the record.
        as_of: the moment relative dates count from.

    Raises:
        InvalidInput: the predicate is not right.
    """
    return _outcome(readable(predicate, catalog), values, Moment(as_of))


def _outcome(node: Node, values: Mapping[str, Any], moment: Moment) -> Outcome:
    if isinstance(node, Leaf):
        return _leaf(node, values, moment)
    if isinstance(node, Has):
        return _has(node, values, moment)
    if isinstance(node, Not):
        part = _outcome(node.part, values, moment)
        return Outcome(not part.matched, "not", (part,), negated=True, path=node.path)
    parts = tuple(_outcome(each, values, moment) for each in node.parts)
    held = all(parts) if node.every else any(parts)
    return Outcome(held, "all of" if node.every else "any of", parts, every=node.every, path=node.path)


def _leaf(leaf: Leaf, values: Mapping[str, Any], moment: Moment) -> Outcome:
    kind = leaf.field.type
    given = values.get(leaf.field.key)
    actual = kind.actual(given)
    if leaf.base == Op.EMPTY:
        held = actual is None
    else:
        held = actual is not None and kind.holds(leaf.base, actual, leaf.operand, moment)
    asked = f"{leaf.field.label} {kind.phrase(leaf.op, leaf.operand)}"
    # “Country is Spain (it is Spain)” says one thing twice
    told_by_asking = held and leaf.base in (Op.EMPTY, Op.EQ)
    found = "empty" if actual is None else _shown(leaf.field, given, actual)
    return Outcome(held != leaf.negated, asked if told_by_asking else f"{asked} (it is {found})", path=leaf.path)


def _shown(field: Field, given: Any, actual: Any) -> str:
    if isinstance(field.type, Tags):
        return ", ".join(sorted(field.type.say(each) for each in actual))
    return field.type.say(given if isinstance(given, str) and isinstance(actual, str) else actual)


def _has(node: Has, values: Mapping[str, Any], moment: Moment) -> Outcome:
    found = 0
    dated = node.catalog.find(node.relation.moment) if node.days is not None else None
    for row in values.get(node.relation.key) or ():
        if dated is not None:
            at = dated.type.actual(row.get(dated.key))
            if at is None or not dated.type.holds(Op.LAST_DAYS, at, node.days, moment):
                continue
        found += node.where is None or _outcome(node.where, row, moment).matched
    held = {
        "gte": found >= node.count,
        "gt": found > node.count,
        "eq": found == node.count,
        "lte": found <= node.count,
        "lt": found < node.count,
    }[node.op]
    return Outcome(
        held, f"{found:,} found, asked for {COUNTS[node.op]} {node.count:,}: {words_of(node)}", path=node.path
    )


def values_of(
    catalog: Catalog, rows: "models.QuerySet[Any]", keys: Iterable[str] | None = None
) -> dict[Any, dict[str, Any]]:
    """Return what predicates ask of some records, by primary key: one query, and one per relation.

    Args:
        catalog: of the records.
        rows: the records.
        keys: of the fields and relations that are wanted (`fields_used`); all where it is left out.
    """
    wanted = None if keys is None else set(keys)
    fields = [each for each in catalog.fields if wanted is None or each.key in wanted]
    plain = [each for each in fields if not isinstance(each.type, Tags)]
    aliases = {f"rule_{number}": each for number, each in enumerate(plain)}
    read = rows.annotate(**{alias: each.left for alias, each in aliases.items()}).values("pk", *aliases)
    found = {row["pk"]: {each.key: row[alias] for alias, each in aliases.items()} for row in read}
    for each in fields:
        if isinstance(each.type, Tags):
            for key, tags in each.type.tags_of(found).items():
                found[key][each.key] = tags
    for relation in catalog.relations:
        if wanted is not None and relation.key not in wanted:
            continue
        hanging = relation.queryset().filter(**{f"{relation.link}__in": list(found)})
        inner = values_of(catalog.of_relation(relation), hanging)
        for values in found.values():
            values[relation.key] = []
        for key, owner in hanging.values_list("pk", relation.link):
            found[owner][relation.key].append(inner[key])
    return found


def values_used(tree: Node, catalog: Catalog, rows: "models.QuerySet[Any]") -> dict[Any, dict[str, Any]]:
    """Return what `tree` asks of some records, and nothing else."""
    return values_of(catalog, rows, fields_used(tree))
