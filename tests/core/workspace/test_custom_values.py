"""Custom fields: what each type takes and refuses, in words."""

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.errors import InvalidInput
from apps.core.workspace.domain.custom_values import (
    checked_value,
    typed,
)
from apps.core.workspace.enums import FieldType
from apps.core.workspace.models import CustomField


def field(kind, **more):
    choices = ["EMEA", "APAC"] if kind == FieldType.CHOICE else []
    return CustomField(key="it", label="It", type=kind, choices=choices, **more)


@pytest.mark.parametrize(
    ("kind", "given", "stored"),
    [
        ("text", "  a b ", "a b"),
        ("number", "1250", "1250"),
        ("number", "099.50", "99.5"),
        ("number", "-0", "0"),
        ("number", "1e3", "1000"),
        ("number", Decimal("2.10"), "2.1"),
        ("number", 7, "7"),
        ("date", "2026-03-31", "2026-03-31"),
        ("date", dt.date(2026, 3, 31), "2026-03-31"),
        ("boolean", "Yes", True),
        ("boolean", False, False),
        ("boolean", "0", False),
        ("choice", "APAC", "APAC"),
        ("url", "https://example.com/a?b=1", "https://example.com/a?b=1"),
        ("text", "", None),
        ("date", "  ", None),
        ("boolean", None, None),
    ],
)
def test_what_each_type_takes(kind, given, stored):
    assert checked_value(field(kind), given) == stored


@pytest.mark.parametrize(
    ("kind", "given", "sentence"),
    [
        ("text", "x" * 1001, "It is too long; 1,000 characters fit."),
        ("text", "a\x00b", "It holds a character that no text holds; type it again."),
        ("number", "many", "It must be a number such as 1250 or 99.5."),
        ("number", "1,250", "It must be a number such as 1250 or 99.5."),
        ("number", "NaN", "It must be a number such as 1250 or 99.5."),
        ("number", "-Infinity", "It must be a number such as 1250 or 99.5."),
        ("number", "1e999999999", "It has too many digits; 20 fit."),
        ("number", "1e-999999", "It has too many digits; 20 fit."),
        ("number", "0." + "1" * 21, "It has too many digits; 20 fit."),
        ("date", "31.03.2026", "It must be a date such as 2026-03-31."),
        ("date", "2026-02-30", "It must be a date such as 2026-03-31."),
        ("boolean", "perhaps", "It must be yes or no."),
        ("choice", "Mars", "It must be one of: EMEA, APAC."),
        ("url", "javascript:alert(1)", "It must be a web address such as https://example.com/page."),
        ("url", "ftp://example.com", "It must be a web address such as https://example.com/page."),
        ("url", "example", "It must be a web address such as https://example.com/page."),
        ("url", "https://example.com/" + "x" * 500, "It is too long; 500 characters fit."),
    ],
)
def test_what_each_type_refuses(kind, given, sentence):
    with pytest.raises(InvalidInput) as refusal:
        checked_value(field(kind), given)
    assert str(refusal.value) == sentence


@pytest.mark.parametrize("kind", FieldType.values)
def test_required_fields_need_a_value(kind):
    with pytest.raises(InvalidInput, match=r"^It is required\.$"):
        checked_value(field(kind, required=True), " ")


def test_an_answer_taken_from_the_choices_stays_where_it_was_given():
    assert checked_value(field("choice"), "Mars", before="Mars") == "Mars"


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**12), max_value=10**12))
def test_numbers_come_back_as_they_went_in(number):
    kind = field("number")
    assert typed(kind, checked_value(kind, number)) == number


@given(st.text(max_size=40))
def test_nothing_typed_is_a_server_error(text):
    for kind in FieldType.values:
        try:
            stored = checked_value(field(kind), text)
        except InvalidInput:
            continue
        typed(field(kind), stored)
