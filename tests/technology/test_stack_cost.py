"""The whole stack in one statement says what the rule says tool by tool, as of any day and any moment."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.accounts.enums import Role
from apps.core import clock
from apps.core.errors import InvalidInput
from apps.core.transitions import transition
from apps.technology.domain.cost_lines import add_cost, change_price, close_cost, correct_cost, remove_cost
from apps.technology.domain.rates import correct_rate, set_rate
from apps.technology.domain.stack import AsOf, stack_cost, tool_cost, with_yearly_cost
from apps.technology.models import CostLine, ExchangeRate, Tool
from tests.factories.accounts import person_with
from tests.factories.technology import CostLineFactory, ExchangeRateFactory, ToolFactory

ON = dt.date(2026, 6, 15)
pytestmark = pytest.mark.django_db


def as_of(on=ON, known=None):
    return AsOf(on, known or clock.now(), "EUR", 35)


def rates():
    ExchangeRateFactory(currency="USD", on=ON, rate=Decimal("0.92153"))
    ExchangeRateFactory(currency="GBP", on=ON - dt.timedelta(days=3), rate=Decimal("1.17421"))


line = st.fixed_dictionaries(
    {
        "amount": st.decimals(0, 90_000, places=4),
        "quantity": st.none() | st.decimals(1, 900, places=3),
        "currency": st.sampled_from(["EUR", "USD", "GBP"]),
        "period": st.sampled_from(["month", "quarter", "year", "once"]),
        "valid_from": st.dates(dt.date(2024, 1, 1), dt.date(2027, 1, 1)),
        "days": st.none() | st.integers(0, 700),
        "retired": st.booleans(),
    }
)


@settings(max_examples=settings.default.max_examples // 2, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(line, min_size=1, max_size=8))
def test_one_statement_and_the_rule_agree(db, lines):
    CostLine.objects.all().delete(), ExchangeRate.objects.all().delete()
    rates()
    tools = list(Tool.objects.order_by("pk")[:2])
    tools = tools if len(tools) > 1 else [ToolFactory(active=True), ToolFactory(active=True)]
    for number, given_ in enumerate(lines):
        values = dict(given_)
        days, retired = values.pop("days"), values.pop("retired")
        once = values["period"] == "once"
        ends = None if days is None or once else values["valid_from"] + dt.timedelta(days=days)
        basis = "flat" if values["quantity"] is None else "seat"
        made = CostLineFactory(tool=tools[number % 2], basis=basis, valid_to=ends, **values)
        if retired:
            made.retired_at = clock.now()
            with transition(CostLine):
                made.save(update_fields=["retired_at"])
    asked = as_of()
    whole = stack_cost(asked)
    listed = {tool.pk: tool.yearly for tool in with_yearly_cost(Tool.objects.all(), asked)}
    for tool in tools:
        alone = tool_cost(tool, asked).yearly
        assert whole.tools.get(tool.pk) == alone == listed[tool.pk]
    assert whole.total == sum(each or 0 for each in whole.tools.values())


def test_the_whole_stack_is_one_statement():
    rates()
    for currency in ("EUR", "USD", "GBP"):
        CostLineFactory(currency=currency, amount=Decimal(100), period="month")
    with CaptureQueriesContext(connection) as asked:
        cost = stack_cost(as_of())
    assert len(asked) == 1
    assert cost.total == Decimal("1200.00") + Decimal("1105.84") + Decimal("1409.05")


def test_a_past_figure_stays_after_later_edits():
    ops, tool = person_with(Role.OPS), ToolFactory(active=True)
    rates()
    line = CostLineFactory(
        tool=tool, amount=Decimal(100), period="month", currency="USD", valid_from=dt.date(2025, 1, 1)
    )
    then = as_of(known=clock.now())
    told = stack_cost(then)
    change_price(line, amount=Decimal(130), starts_on=dt.date(2026, 5, 1), by=ops)
    known = CostLine.objects.known().get(valid_from=dt.date(2025, 1, 1))
    correct_cost(known, by=ops, reason="A typo", amount=Decimal(90))
    correct_rate(ExchangeRate.objects.get(currency="USD"), rate=Decimal("0.5"), by=ops)
    assert stack_cost(then).tools == told.tools == {tool.pk: Decimal("1105.84")}
    assert tool_cost(tool, then).yearly == Decimal("1105.84")
    assert stack_cost(as_of()).tools == {tool.pk: Decimal("780.00")}
    assert stack_cost(as_of(on=dt.date(2026, 4, 30))).missing == {"USD"}


def test_a_missing_rate_names_the_nearest():
    ExchangeRateFactory(currency="USD", on=dt.date(2026, 1, 10), rate=Decimal("0.91"))
    ExchangeRateFactory(currency="USD", on=dt.date(2026, 9, 1), rate=Decimal("0.93"))
    tool = CostLineFactory(currency="USD").tool
    sentence = (
        "There is no exchange rate from USD into EUR for 15 June 2026; the nearest is 0.93 of 1 September 2026. "
        "Add one under Contracts and costs, Exchange rates."
    )
    assert stack_cost(as_of()).problems() == [sentence]
    assert tool_cost(tool, as_of()).problems == [sentence]
    with pytest.raises(InvalidInput) as refused:
        stack_cost(as_of()).complete()
    assert refused.value.message == sentence


def test_without_any_rate_it_says_so():
    CostLineFactory(currency="CHF")
    assert "there is none of any day" in stack_cost(as_of()).problems()[0]


def test_a_rate_serves_for_the_days_the_policy_says():
    ExchangeRateFactory(currency="USD", on=ON - dt.timedelta(days=35), rate=Decimal("0.9"))
    CostLineFactory(currency="USD", amount=Decimal(10), period="year")
    assert stack_cost(as_of()).total == Decimal("9.00")
    assert stack_cost(as_of(on=ON + dt.timedelta(days=1))).missing == {"USD"}


def test_setting_the_same_rate_again_changes_nothing():
    ops = person_with(Role.OPS)
    assert set_rate("USD", "EUR", ON, Decimal("0.9"), by=ops, source="ECB")[1] is True
    assert set_rate("USD", "EUR", ON, Decimal("0.90"), by=ops, source="ECB")[1] is False
    assert set_rate("USD", "EUR", ON, Decimal("0.91"), by=ops, source="ECB")[1] is True
    assert [(each.rate, each.retired_at is None) for each in ExchangeRate.objects.order_by("pk")] == [
        (Decimal("0.9"), False),
        (Decimal("0.91"), True),
    ]


def test_ending_and_taking_back_keep_what_was_known():
    ops, tool = person_with(Role.OPS), ToolFactory(active=True)
    line = add_cost(CostLine(tool=tool, label="Plan", amount=Decimal(1200), currency="EUR", valid_from=ON), by=ops)
    before = as_of(on=ON + dt.timedelta(days=9))
    close_cost(line, ends_on=ON + dt.timedelta(days=4), by=ops)
    assert stack_cost(before).total == Decimal(1200)
    assert stack_cost(as_of(on=before.on)).total == 0
    known = CostLine.objects.known().get()
    remove_cost(known, by=ops, reason="Never bought")
    assert stack_cost(as_of()).total == 0
    assert stack_cost(before).total == Decimal(1200)
