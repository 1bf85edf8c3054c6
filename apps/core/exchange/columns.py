"""Columns made from a model's fields."""

import json
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models

from apps.core.errors import InvalidInput
from apps.core.exchange import values
from apps.core.exchange.registry import Column, Parse


def column_of(model: type[models.Model], name: str, *, required: bool | None = None, **given: Any) -> Column:
    """Return the column for a field: its label, help text, and a parser for its type.

    Args:
        model: the model.
        name: one of its concrete fields.
        required: None takes it from the field (it may not be blank and has no default).
        given: what to set otherwise, as in `Column`.
    """
    field = model._meta.get_field(name)
    if not isinstance(field, models.Field):
        raise TypeError(f"{name} of {model.__name__} is no field of its own.")
    needed = not field.blank and not field.null and not field.has_default()
    made: dict[str, Any] = {
        "label": str(field.verbose_name),
        "help": str(field.help_text),
        "required": needed if required is None else required,
        "parse": parser_of(field),
        **given,
    }
    return Column(name, **made)


def parser_of(field: "models.Field[Any, Any]") -> Parse:
    """Return the parser for a field's type."""
    if field.choices:
        return values.choice([(value, str(label)) for value, label in field.flatchoices])
    if isinstance(field, models.ForeignKey):
        return reference(field.related_model)
    if isinstance(field, ArrayField):
        return values.listed(parser_of(field.base_field))
    for kind, parse in PARSERS:
        if isinstance(field, kind):
            return parse
    return values.text


def _json(cell: str) -> Any:
    try:
        return json.loads(cell)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"{values.quoted(cell)} is not JSON.") from error


def reference(model: type[models.Model], *names: str) -> Parse:
    """Return a parser that finds a record of `model` by name: the first of `names` that fits, whatever the case.

    Without `names` those of email, name, key, code and title that the model has are tried.
    """
    known = {field.name for field in model._meta.concrete_fields}
    tried = names or tuple(name for name in ("email", "name", "key", "code", "title") if name in known)

    def find(cell: str) -> Any:
        for name in tried:
            found = list(model._base_manager.filter(**{f"{name}__iexact": cell})[:2])
            if len(found) == 1:
                return found[0]
            if found:
                raise InvalidInput(f"More than one {model._meta.verbose_name} is called {values.quoted(cell)}.")
        raise InvalidInput(f"There is no {model._meta.verbose_name} {values.quoted(cell)}; add it first.")

    return find


PARSERS: tuple[tuple[type["models.Field[Any, Any]"], Parse], ...] = (
    (models.BooleanField, values.boolean),
    (models.IntegerField, values.integer),
    (models.DecimalField, values.decimal_number),
    (models.FloatField, lambda cell: float(values.decimal_number(cell))),
    (models.DateTimeField, values.moment),
    (models.DateField, values.date),
    (models.EmailField, values.email),
    (models.JSONField, _json),
)
