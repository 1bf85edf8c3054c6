"""What the builder on the page is told: the fields a person may ask about, with their operators and choices."""

from typing import Any

from apps.core.rules.bodies import BodyShape, OutcomeField, RuleListBody
from apps.core.rules.catalog import Catalog, Field
from apps.core.rules.domain.tree import COUNTS
from apps.core.rules.field_types import FieldType
from apps.core.rules.operators import IN_DAYS, MANY_VALUES, WITHOUT_VALUE, Op

TAKES = {Op.BETWEEN: "two", **dict.fromkeys(WITHOUT_VALUE, "none"), **dict.fromkeys(MANY_VALUES, "many")}
TAKES |= dict.fromkeys(IN_DAYS, "days")


def describe_catalog(catalog: Catalog) -> dict[str, Any]:
    """Return a catalog as the builder reads it."""
    relations = [
        {
            "key": each.key,
            "label": each.label,
            "dated": bool(each.moment),
            "catalog": describe_catalog(catalog.of_relation(each)),
        }
        for each in catalog.relations
    ]
    return {
        "fields": [_field(each) for each in catalog.fields],
        "relations": relations,
        "counts": [[key, words] for key, words in COUNTS.items()],
    }


def describe_shape(shape: BodyShape, catalog: Catalog | None) -> dict[str, Any]:
    """Return what the editor of a body needs."""
    found: dict[str, Any] = {"editor": shape.editor}
    if catalog is not None:
        found["catalog"] = describe_catalog(catalog)
    if isinstance(shape, RuleListBody):
        found["firstWins"] = shape.first_wins
        found["groupBy"] = shape.group_by
        found["outcomes"] = [_said(each) for each in shape.outcomes]
        found["settings"] = [_said(each) for each in shape.settings]
    return found


def _said(each: OutcomeField) -> dict[str, Any]:
    plain = {name: getattr(each, name) for name in ("key", "label", "required", "help", "completes")}
    return {**plain, **_type(each.type)}


def _field(field: Field) -> dict[str, Any]:
    ops = [[op.value, words, TAKES.get(op, "one")] for op, words in field.type.words.items()]
    return {"key": field.key, "label": field.label, "help": field.help, "ops": ops, **_type(field.type)}


def _type(kind: FieldType) -> dict[str, Any]:
    options = kind.options()
    return {
        "type": kind.key,
        "options": None
        if options is None
        else [[getattr(value, "value", value), str(label)] for value, label in options],
        "unit": str(getattr(kind, "currency", "") or getattr(kind, "unit", "")),
        "whole": bool(getattr(kind, "whole", False)),
    }
