"""Predicates, as other apps use them: one import for building, checking, compiling, matching and saying them."""

from apps.core.rules.catalog import (
    Catalog,
    Field,
    Relation,
    catalog_of,
    has_catalog,
    model_fields,
    register_catalog,
)
from apps.core.rules.date_types import Date, DateTime
from apps.core.rules.domain.compiling import compile_q, compile_sql
from apps.core.rules.domain.matching import Outcome, matches, values_of, values_used
from apps.core.rules.domain.reasoning import always_holds, can_hold, implies
from apps.core.rules.domain.tree import Node, Predicate, Problem, fields_used, readable
from apps.core.rules.domain.validating import slips, validate
from apps.core.rules.domain.wording import in_words
from apps.core.rules.field_types import Boolean, Choice, FieldType, Reference, Text
from apps.core.rules.ordered_types import Money, Number
from apps.core.rules.tags import Tags

__all__ = [
    "Boolean",
    "Catalog",
    "Choice",
    "Date",
    "DateTime",
    "Field",
    "FieldType",
    "Money",
    "Node",
    "Number",
    "Outcome",
    "Predicate",
    "Problem",
    "Reference",
    "Relation",
    "Tags",
    "Text",
    "always_holds",
    "can_hold",
    "catalog_of",
    "compile_q",
    "compile_sql",
    "fields_used",
    "has_catalog",
    "implies",
    "in_words",
    "matches",
    "model_fields",
    "readable",
    "register_catalog",
    "slips",
    "validate",
    "values_of",
    "values_used",
]
