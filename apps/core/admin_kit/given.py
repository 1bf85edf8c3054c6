"""What comes in with an address or a form, judged before anything reads it: lookups, and keys of other records."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import models

# how a declared field may be compared; what is none of these would lead on to another field or record
COMPARISONS = frozenset(
    (
        *("exact", "iexact", "in", "isnull", "isempty", "gt", "gte", "lt", "lte", "range", "id", "pk"),
        *("contains", "icontains", "startswith", "istartswith", "date", "year", "quarter", "month", "week", "day"),
    )
)


def is_declared(lookup: str, declared: Iterable[str]) -> bool:
    """Whether a lookup compares one of the declared fields, and leads no further than that."""
    parts = lookup.split("__")
    for name in declared:
        own = name.split("__")
        if parts[: len(own)] == own and all(part in COMPARISONS for part in parts[len(own) :]):
            return True
    return False


def forged_key(model: type[models.Model], posted: Mapping[str, Any]) -> str | None:
    """Return the sentence for a form that names a record by something that is no number, None where all is well."""
    fields: list[Any] = list(model._meta.concrete_fields)
    for field in fields:
        value = str(posted.get(field.name) or "").strip()
        by_number = field.is_relation and isinstance(field.target_field, models.IntegerField)
        if by_number and value and not value.isdecimal():
            return f"{str(field.verbose_name).capitalize()}: choose one of those offered; nothing was saved."
    return None
