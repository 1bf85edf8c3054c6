"""What the whole stack costs on a day, in one statement; the rule of `costing.annualised` in the database's words."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection, models
from django.db.models import Case, DecimalField, F, OuterRef, Q, Subquery, Sum, Value, When
from django.db.models.functions import Coalesce, Round

from apps.core import clock
from apps.core.errors import InvalidInput
from apps.core.money import decimals
from apps.technology.domain.cost_lines import price_of
from apps.technology.domain.costing import annualised
from apps.technology.domain.rates import counting_rates_sql, missing_rate, policy, rates_on
from apps.technology.enums import A_YEAR, Period
from apps.technology.models import CostLine, StackPolicy, Tool

# how often in a year each period is paid
_TIMES = ", ".join(f"('{period}', {times})" for period, times in A_YEAR.items() if times)
# what is known at a moment, in force on a day, in the reporting currency, each line rounded to the smallest coin
LINES_SQL = """
    SELECT l.tool_id, l.cost_type, l.currency, factors.factor IS NULL AS lacks_rate,
           round(l.amount * coalesce(l.quantity, 1) * factors.factor, %(digits)s) AS yearly
    FROM technology_costline l LEFT JOIN factors ON factors.currency = l.currency AND factors.period = l.period
    WHERE l.recorded_at <= %(known)s AND (l.retired_at IS NULL OR l.retired_at > %(known)s)
      AND l.valid_from <= %(on)s AND (l.valid_to IS NULL OR l.valid_to >= %(on)s) AND l.period <> 'once'
"""
RATES_SQL = f"""
    rates(currency, rate) AS MATERIALIZED (
        ({counting_rates_sql()}) UNION ALL SELECT %(into)s, 1),
    factors AS MATERIALIZED (
        SELECT rates.currency, paid.period, rates.rate * paid.times AS factor
        FROM rates CROSS JOIN (VALUES {_TIMES}) paid(period, times))
"""
_STACK = f"""
    WITH {RATES_SQL}, lines AS ({LINES_SQL})
    SELECT tool_id, coalesce(sum(yearly), 0),
           coalesce(array_agg(DISTINCT currency) FILTER (WHERE lacks_rate), '{{}}')
    FROM lines GROUP BY tool_id
"""


@dataclass(frozen=True)
class AsOf:
    """A day and a moment: at the prices of which day, as known when, told in which currency."""

    on: dt.date
    known: dt.datetime
    into: str
    rate_days: int

    @classmethod
    def of(
        cls, on: dt.date | None = None, *, known: dt.datetime | None = None, by: StackPolicy | None = None
    ) -> "AsOf":
        """Return `on` (today) as known at `known` (now), told as the policy says."""
        steering = by or policy()
        return cls(on or clock.today(), known or clock.now(), steering.currency, steering.rate_days)

    @property
    def parameters(self) -> dict[str, Any]:
        """What the statements ask for."""
        return {
            "on": self.on,
            "known": self.known,
            "into": self.into,
            "age": self.rate_days,
            "digits": decimals(self.into),
        }


@dataclass(frozen=True)
class StackCost:
    """What each tool costs in a year, and the currencies for which a rate is missing."""

    as_of: AsOf
    tools: dict[int, Decimal]
    missing: frozenset[str]

    @property
    def total(self) -> Decimal:
        """What the whole stack costs in a year."""
        return sum(self.tools.values(), Decimal(0))

    def problems(self) -> list[str]:
        """Say which rates are missing."""
        return [missing_rate(each, self.as_of.into, self.as_of.on) for each in sorted(self.missing)]

    def complete(self) -> "StackCost":
        """Return itself when every line could be converted.

        Raises:
            InvalidInput: a rate is missing, naming the nearest there is.
        """
        if self.missing:
            raise InvalidInput(" ".join(self.problems()))
        return self


def stack_cost(as_of: AsOf) -> StackCost:
    """Return the annualised cost of every tool that has any, in one statement."""
    with connection.cursor() as cursor:
        cursor.execute(_STACK, as_of.parameters)
        rows = cursor.fetchall()
    missing = frozenset(code for _, _, codes in rows for code in codes)
    return StackCost(as_of, {tool: yearly for tool, yearly, _ in rows}, missing)


def in_force(on: dt.date) -> Q:
    """Lines whose price counts on `on`, among those known now."""
    until = Q(valid_to__isnull=True) | Q(valid_to__gte=on)
    return Q(retired_at__isnull=True, valid_from__lte=on) & until & ~Q(period=Period.ONCE)


def with_yearly_cost(tools: "models.QuerySet[Tool]", as_of: AsOf) -> "models.QuerySet[Tool]":
    """Add `yearly` to the tools of a list: what each costs in a year; empty without a cost or a rate."""
    rates = rates_on(as_of.on, into=as_of.into, age=as_of.rate_days, known=as_of.known)
    money = DecimalField(max_digits=40, decimal_places=8)
    rate = Case(*(When(currency=code, then=Value(value, money)) for code, value in rates.items()), output_field=money)
    times = Case(*(When(period=name, then=Value(times)) for name, times in A_YEAR.items()), output_field=money)
    yearly = Round(
        F("amount") * Coalesce(F("quantity"), Value(1), output_field=money) * times * rate, decimals(as_of.into)
    )
    lines = CostLine.objects.filter(in_force(as_of.on), tool=OuterRef("pk")).order_by().values("tool")
    total = lines.annotate(total=Sum(yearly, output_field=money)).values("total")
    told_in = Value(as_of.into, models.CharField(max_length=3))
    return tools.annotate(yearly=Subquery(total, output_field=money), told_in=told_in)


@dataclass(frozen=True)
class ToolCost:
    """What one tool costs in a year, None without a cost or where a rate is missing, and which rates are."""

    yearly: Decimal | None
    problems: list[str]


def tool_cost(tool: Tool, as_of: AsOf) -> ToolCost:
    """Return what `tool` costs in a year: `costing.annualised` over its lines, as known at the moment asked for."""
    lines = CostLine.objects.filter(tool=tool, recorded_at__lte=as_of.known, valid_from__lte=as_of.on)
    still = Q(retired_at__isnull=True) | Q(retired_at__gt=as_of.known)
    prices = [price_of(line) for line in lines.filter(still) if line.period != Period.ONCE]
    prices = [price for price in prices if price.holds_on(as_of.on)]
    if not prices:
        return ToolCost(None, [])
    rates = rates_on(as_of.on, into=as_of.into, age=as_of.rate_days, known=as_of.known)
    missing = sorted({price.currency for price in prices} - set(rates))
    if missing:
        return ToolCost(None, [missing_rate(each, as_of.into, as_of.on) for each in missing])
    coins = decimals(as_of.into)
    parts = [annualised(each, as_of.on, rate=rates[each.currency], decimals=coins) for each in prices]
    return ToolCost(sum(parts, Decimal(0)), [])
