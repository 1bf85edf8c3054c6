"""Amounts, numbers and nothing, as every page writes them; templates know these filters without loading them."""

from typing import Any, NamedTuple

from django import template
from django.db import models
from django.template.defaultfilters import linebreaksbr

from apps.core import money as of_money
from apps.core.words import NOTHING

register = template.Library()


class Told(NamedTuple):
    """What stands in a field that is only read."""

    words: Any
    is_there: bool


@register.filter
def money(amount: Any, currency: str = "") -> str:
    """Return an amount with its currency, for instance "96,300.00 EUR"."""
    return of_money.money(amount, currency or "") if amount not in (None, "") else NOTHING


@register.filter
def price(amount: Any, currency: str = "") -> str:
    """Return an amount with all that is smaller than a coin, as prices per unit have it."""
    return of_money.money(amount, currency or "", exact=True) if amount not in (None, "") else NOTHING


@register.filter
def shown(value: Any) -> Any:
    """Return the value, or the sign for nothing where there is none."""
    return NOTHING if value is None or value == "" else value


@register.filter
def in_sentence(words: Any) -> str:
    """Return words as they stand after others: with a small first letter, but SOP and UTM as they are."""
    text = str(words)
    return text[:1].lower() + text[1:] if text[1:2].islower() else text


@register.filter
def is_nothing(words: Any) -> bool:
    """Whether what was read is the sign for nothing."""
    return bool(words == NOTHING)


@register.simple_tag
def read_only(field: Any) -> Told:
    """Return what a field that is only read shows; the theme asks up to three times and knows no amounts."""
    resolved = getattr(field, "resolved_field", False)
    if isinstance(resolved, tuple):
        column, _, value = resolved
        if isinstance(column, models.DecimalField) and value is not None and not column.choices:
            return Told(of_money.number_in_words(column, value, field.form.instance), is_there=True)
        if isinstance(column, models.TextField) and value and not column.choices:
            return Told(linebreaksbr(value), is_there=True)  # what was written in lines is read in lines
        if isinstance(column, models.JSONField) and value in ({}, [], None):
            return Told(NOTHING, is_there=False)
    contents = field.contents() if hasattr(field, "contents") else ""
    is_there = str(contents).strip() not in ("", "-", "None")
    return Told(contents if is_there else NOTHING, is_there)
