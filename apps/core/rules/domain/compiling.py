"""Predicates as SQL: a condition for the ORM, and the same as text for engines that work on whole tables.

Every leaf is true or not true; an unknown value never makes a condition unknown. Negations are carried down to the
leaves, so that plain conditions stay plain comparisons with constants, which indexes serve.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import EmptyResultSet, FullResultSet
from django.db import DEFAULT_DB_ALIAS, connections, models
from django.db.models import Count, Exists, OuterRef, Q, Subquery, Value
from django.db.models.functions import Coalesce
from django.db.models.sql import Query
from django.db.models.sql.compiler import SQLCompiler
from django.db.models.sql.datastructures import BaseTable

from apps.core.rules import expressions as sql
from apps.core.rules.catalog import Catalog, Field
from apps.core.rules.domain.tree import Group, Has, Leaf, Node, Not, Predicate, readable
from apps.core.rules.moment import Moment
from apps.core.rules.operators import FLIPPED, Op

_SIGNS = {"gte": ">=", "gt": ">", "eq": "=", "lte": "<=", "lt": "<"}


def compile_q(predicate: Predicate | Node, catalog: Catalog, *, as_of: dt.datetime) -> Q:
    """Return the condition for `QuerySet.filter` on the catalog's model.

    Args:
        predicate: checked JSON, or a tree that was read.
        catalog: of the model.
        as_of: the moment relative dates count from.

    Raises:
        InvalidInput: the predicate is not right.
    """
    tree = readable(predicate, catalog)
    return Q(_Compiler(Moment(as_of)).node(tree, holds=True))


def compile_sql(
    predicate: Predicate | Node,
    catalog: Catalog,
    *,
    as_of: dt.datetime,
    alias: str = "",
    using: str = DEFAULT_DB_ALIAS,
    instead: Mapping[type[models.Model], str] | None = None,
) -> tuple[str, tuple[Any, ...]]:
    """Return the condition as SQL text with its parameters, for a WHERE, a FILTER or a CASE.

    It is true, or it is not true (false or NULL): write `(…) IS TRUE` where a column of yes and no is wanted.

    Args:
        predicate: checked JSON, or a tree that was read.
        catalog: of the table.
        as_of: the moment relative dates count from.
        using: the database whose SQL is wanted.
        alias: under which the statement reads the catalog's table; the table's own name where it is left out.
        instead: of a model that fields are followed to, the subselect to read them from, for instance its rows as they
            were at another moment.

    Raises:
        InvalidInput: the predicate is not right.
    """
    tree = readable(predicate, catalog)
    if catalog.model is None:
        raise ValueError("This catalog belongs to no table.")
    connection = connections[using]
    query = Query(catalog.model)
    where = query.build_where(Q(_Compiler(Moment(as_of), alone=catalog.model, instead=instead).node(tree, holds=True)))
    if alias and alias != catalog.model._meta.db_table:
        where.relabel_aliases({catalog.model._meta.db_table: alias})
    try:
        text, parameters = where.as_sql(query.get_compiler(using), connection)
    except EmptyResultSet:
        return "(FALSE)", ()
    except FullResultSet:
        return "(TRUE)", ()
    return text, tuple(parameters)


class _Elsewhere(BaseTable):
    """A table whose rows a query reads from a subselect."""

    def __init__(self, table_name: str, alias: str | None, subselect: str) -> None:
        """Remember the subselect, in brackets."""
        super().__init__(table_name, alias)
        self.subselect = subselect

    def as_sql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, tuple[str | int, ...]]:
        """Return what stands after FROM."""
        return f"{self.subselect} {compiler.quote_name_unless_alias(str(self.table_alias))}", ()

    def relabeled_clone(self, change_map: dict[str | None, str]) -> "_Elsewhere":
        """Return the same under another alias."""
        return _Elsewhere(self.table_name, change_map.get(self.table_alias, self.table_alias), self.subselect)


class _Compiler:
    def __init__(
        self,
        moment: Moment,
        *,
        alone: type[models.Model] | None = None,
        instead: Mapping[type[models.Model], str] | None = None,
    ) -> None:
        """Remember the moment, the model whose table stands alone, without joins, and what others are read from."""
        self.moment, self.alone, self.instead = moment, alone, instead or {}

    def node(self, node: Node, *, holds: bool) -> Any:
        """Return the condition that `node` holds, or that it does not."""
        if isinstance(node, Not):
            return self.node(node.part, holds=not holds)
        if isinstance(node, Group):
            if not node.parts:
                return sql.constant(node.every == holds)
            return sql.joined(
                "AND" if node.every == holds else "OR", [self.node(each, holds=holds) for each in node.parts]
            )
        if isinstance(node, Has):
            found = self.has(node)
            return found if holds else sql.not_true(found)
        return self.leaf(node, holds=holds != node.negated)

    def leaf(self, leaf: Leaf, *, holds: bool) -> Any:
        """Return the condition that the positive operator holds, or that it does not."""
        base, kind = leaf.base, leaf.field.type
        left = self.left(leaf.field)
        if holds:
            return kind.condition(base, left, leaf.operand, self.moment)
        if not leaf.field.nullable and base in FLIPPED:
            return kind.condition(FLIPPED[base], left, leaf.operand, self.moment)
        return sql.not_true(kind.condition(base, left, leaf.operand, self.moment))

    def left(self, field: Field) -> Any:
        """Return the left-hand side; without joins, a path becomes a subquery."""
        if self.alone is None or field.path is None or "__" not in field.path:
            return field.left
        first, _, rest = field.path.partition("__")
        link: Any = self.alone._meta.get_field(first)
        rows = link.related_model._base_manager.filter(pk=OuterRef(link.attname)).values(rest)[:1]
        if subselect := self.instead.get(link.related_model):
            alias = rows.query.get_initial_alias()
            rows.query.alias_map[alias] = _Elsewhere(link.related_model._meta.db_table, alias, subselect)
        return Subquery(rows)

    def has(self, node: Has) -> Any:
        """Return the condition on the number of rows."""
        rows = node.relation.queryset().filter(**{node.relation.link: OuterRef("pk")}).order_by()
        inner = _Compiler(self.moment)
        if node.where is not None:
            rows = rows.filter(Q(inner.node(node.where, holds=True)))
        if node.days is not None:
            moment = node.catalog.find(node.relation.moment)
            if moment is None:
                raise ValueError(f"The catalog of {node.relation.label} has no field “{node.relation.moment}”.")
            recent = moment.type.condition(Op.LAST_DAYS, moment.left, node.days, self.moment)
            rows = rows.filter(Q(recent))
        if (node.op, node.count) in (("gte", 1), ("gt", 0)):
            return Exists(rows)
        if (node.op, node.count) in (("eq", 0), ("lt", 1), ("lte", 0)):
            return sql.not_true(Exists(rows))
        counted = rows.values(node.relation.link).annotate(rule_rows=Count("*")).values("rule_rows")
        return sql.compare(Coalesce(Subquery(counted), Value(0)), _SIGNS[node.op], node.count)
