"""Money is written in one way: grouped, with the coins of its currency, the currency behind."""

import datetime as dt
import re
from decimal import Decimal
from pathlib import Path

import pytest
from django.apps import apps
from django.db import models
from django.template import engines
from django.urls import reverse

from apps.accounts.enums import Role
from apps.campaigns.enums import Channel
from apps.campaigns.models import BudgetShift
from apps.core.money import MoneyField, figure, money, number_in_words
from apps.core.templatetags.mops_words import in_sentence
from apps.core.words import NOTHING
from tests.factories.accounts import person_with
from tests.factories.campaigns import CampaignFactory
from tests.factories.technology import ToolFactory

ROOT = Path(__file__).parents[2]
MAY = dt.date(2026, 5, 1)


@pytest.mark.parametrize(
    ("amount", "currency", "told"),
    [
        ("96300", "EUR", "96,300.00 EUR"),
        ("2000.0000", "EUR", "2,000.00 EUR"),
        ("0.005", "EUR", "0.01 EUR"),
        ("-1234.5", "USD", "-1,234.50 USD"),
        ("-0.001", "EUR", "0.00 EUR"),
        ("1234.5", "JPY", "1,235 JPY"),
        ("1234.5", "KWD", "1,234.500 KWD"),
        ("1E+3", "EUR", "1,000.00 EUR"),
        ("12", "", "12.00"),
    ],
)
def test_money_is_grouped_and_names_its_currency(amount, currency, told):
    assert money(Decimal(amount), currency) == told


def test_money_that_is_not_there_is_the_sign_for_nothing():
    assert (money(None, "EUR"), figure(None)) == (NOTHING, NOTHING)


def test_a_price_keeps_what_is_smaller_than_a_coin():
    assert money(Decimal("0.0125"), "EUR", exact=True) == "0.0125 EUR"
    assert money(Decimal("0.0125"), "EUR") == "0.01 EUR"


@pytest.mark.parametrize(
    ("value", "told"), [("0.92340000", "0.9234"), ("1500000", "1,500,000"), ("99.500", "99.5"), ("0.000", "0")]
)
def test_a_figure_says_no_zeros_that_say_nothing(value, told):
    assert figure(Decimal(value)) == told


def test_a_column_of_money_finds_its_currency():
    campaign = apps.get_model("campaigns.Campaign")(currency="SEK")
    shift = apps.get_model("campaigns.BudgetShift")(campaign=campaign, amount=Decimal("2000.0000"))
    column = shift._meta.get_field("amount")
    assert number_in_words(column, shift.amount, shift) == "2,000.00 SEK"
    assert number_in_words(column, shift.amount) == "2,000.00"


def test_a_column_of_money_is_a_plain_number_to_the_database():
    column = apps.get_model("campaigns.BudgetEntry")._meta.get_field("amount")
    assert isinstance(column, MoneyField)
    assert column.deconstruct()[1] == "django.db.models.DecimalField"
    assert "currency" not in column.deconstruct()[3]


def test_templates_know_amounts_and_nothing():
    page = engines["django"].from_string('{{ a|money:"EUR" }} {{ b|money }} {{ c|shown }} {{ a|price:"EUR" }}')
    assert page.render({"a": Decimal("1000.5"), "b": None, "c": ""}) == f"1,000.50 EUR {NOTHING} {NOTHING} 1,000.50 EUR"


@pytest.mark.parametrize(("words", "told"), [("Stages of the past", "stages of the past"), ("UTM links", "UTM links")])
def test_words_after_others_begin_small(words, told):
    assert in_sentence(words) == told


@pytest.mark.django_db
def test_lists_and_fields_that_are_only_read_write_amounts_and_nothing_in_one_way(client):
    shift = BudgetShift.objects.create(
        campaign=CampaignFactory(),
        amount=Decimal(2000),
        reason="It does more.",
        evidence="Figures.",
        from_channel=Channel.EMAIL,
        from_month=MAY,
        to_channel=Channel.EVENT,
        to_month=MAY,
    )
    tool = ToolFactory(annual_cost=Decimal(96300), currency="EUR")
    client.force_login(person_with(Role.AUDITOR))
    page = client.get(reverse("admin:campaigns_budgetshift_change", args=(shift.pk,))).content.decode()
    assert "2,000.00 EUR" in page
    assert "2000.0000" not in page
    page = client.get(reverse("admin:technology_tool_change", args=(tool.pk,))).content.decode()
    assert "96,300.00 EUR" in page
    assert ">-</div>" not in page
    page = client.get(reverse("admin:technology_tool_changelist")).content.decode()
    assert "96,300.00 EUR stated" in page
    assert ">-</td>" not in page


@pytest.mark.django_db
def test_what_was_written_in_lines_is_read_in_lines(client):
    tool = ToolFactory(notes="First <line>\nsecond")
    client.force_login(person_with(Role.AUDITOR))
    page = client.get(reverse("admin:technology_tool_change", args=(tool.pk,))).content.decode()
    assert "First &lt;line&gt;<br>second" in page


# a figure of a row that has a currency and is no money
NO_MONEY = {
    "technology.CostLine.quantity",
    "technology.ExchangeRate.rate",
}


def test_every_amount_beside_a_currency_is_money():
    plain = {
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models()
        if not model.__name__.startswith("Historical") and any(each.name == "currency" for each in model._meta.fields)
        for field in model._meta.fields
        if isinstance(field, models.DecimalField) and not isinstance(field, MoneyField)
    }
    assert plain == NO_MONEY


def test_nothing_and_amounts_are_written_in_one_place():
    """A sign for nothing or a format of money of its own would differ from the others sooner or later."""
    own = re.compile(r"""["'][—–]["']|:,\.2f\}|default(?:_if_none)?:"[-—–]"|floatformat:"?[02]g""")
    told = {
        "apps/core/words.py",  # the sign itself
        "apps/tickets/targets.py",  # signs that files hold
        "apps/core/calendars/domain/definition.py",
    }
    files = [*(ROOT / "apps").rglob("*.py"), *(ROOT / "apps").rglob("*.html"), *(ROOT / "templates").rglob("*.html")]
    found = {str(each.relative_to(ROOT)) for each in files if own.search(each.read_text())}
    assert found - told == set()
