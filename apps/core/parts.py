"""What hangs on one record, of several kinds, read in one question: a page needs them all, and each alone is a trip."""

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.db import connections, models

_ROWS = "(SELECT coalesce(json_agg(each), '[]') FROM ({}) each)::text"


def load_parts(thing: models.Model, names: Sequence[str]) -> None:
    """Read the rows behind reverse foreign keys of `thing` in one question, as `prefetch_related` does in several.

    What was read before stays. The rows are those of the default manager, in the order of their model, and whole.

    Args:
        thing: the record.
        names: its reverse accessors, for instance ("checklist", "audiences").
    """
    kept: dict[str, Any] = thing.__dict__.setdefault("_prefetched_objects_cache", {})
    wanted = [name for name in names if name not in kept]
    if not wanted:
        return
    rows = [getattr(thing, name).all() for name in wanted]
    statements = [each.query.sql_with_params() for each in rows]
    using = rows[0].db
    with connections[using].cursor() as cursor:
        asked = "SELECT " + ", ".join(_ROWS.format(statement) for statement, _ in statements)
        cursor.execute(asked, [value for _, values in statements for value in values])
        answer = cursor.fetchone()
    for name, queryset, text in zip(wanted, rows, answer, strict=True):
        queryset._result_cache = [_made(queryset.model, each, using, thing) for each in _read(text)]
        queryset._prefetch_done = True
        kept[name] = queryset


def _read(text: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(text, parse_float=Decimal)
    return found


def _made(model: type[models.Model], told: dict[str, Any], using: str, thing: models.Model) -> models.Model:
    fields = model._meta.concrete_fields
    row = model.from_db(
        using, [each.attname for each in fields], [each.to_python(told[str(each.column)]) for each in fields]
    )
    for each in fields:
        if each.remote_field and each.related_model is type(thing) and getattr(row, each.attname) == thing.pk:
            each.set_cached_value(row, thing)  # type: ignore[attr-defined]  # a foreign key has it
    return row
