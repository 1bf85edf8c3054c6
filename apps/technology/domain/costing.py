"""What things cost: a year at the prices of a day, and any span of days to the cent.

The decisions here are plain functions on values; `stack.py` says the same to the database in one statement.
"""

import calendar
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from apps.core.amounts import rounded
from apps.technology.enums import A_YEAR, MONTHS, Period

ONE_DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Price:
    """One price as it is known: what one cost line says about money.

    Attributes:
        amount: in `currency`; per seat or unit where `quantity` says how many.
        quantity: None for a flat amount.
        period: how often it falls due.
        valid_from: the first day.
        valid_to: the last day, None until further notice. What is paid once falls due on its first day.
    """

    amount: Decimal
    quantity: Decimal | None
    period: str
    valid_from: dt.date
    valid_to: dt.date | None = None
    currency: str = "EUR"

    @property
    def each_time(self) -> Fraction:
        """What falls due in one period."""
        return Fraction(self.amount) * Fraction(self.quantity if self.quantity is not None else 1)

    def holds_on(self, day: dt.date) -> bool:
        """Whether the price is in force on `day`."""
        if self.period == Period.ONCE:
            return day == self.valid_from
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


def annualised(price: Price, on: dt.date, *, rate: Decimal = Decimal(1), decimals: int = 2) -> Decimal:
    """Return what a year costs at the price of `on`: the periods of a year times what each costs, times the rate.

    Nothing for a price that is not in force on the day, and for what is paid once.

    Args:
        price: what is known.
        on: the day whose price counts.
        rate: what one unit of the price's currency is worth in the currency of the answer.
        decimals: of the currency of the answer.
    """
    if not price.holds_on(on):
        return Decimal(0).scaleb(-decimals)
    exact = price.each_time * A_YEAR[price.period] * Fraction(rate)
    return rounded(exact, decimals)


def cost_between(price: Price, start: dt.date, end: dt.date, *, decimals: int = 2) -> Decimal:
    """Return what a price costs from `start` to `end`, both included, to the smallest coin.

    A whole month of a monthly price costs the price, whatever its length; a part of a month costs its share of the
    days of that month. Likewise quarters and years, so that 29 February makes the days of a leap year cheaper and the
    year no dearer. Spans add up: the cost of two neighbouring spans is the cost of both together, to the coin, since
    each is the difference of two running totals rounded once.
    """
    before, through = min(start, end + ONE_DAY), end + ONE_DAY
    return rounded(_until(price, through), decimals) - rounded(_until(price, before), decimals)


def _until(price: Price, day: dt.date) -> Fraction:
    """The exact cost of everything before `day`."""
    if day <= price.valid_from:
        return Fraction(0)
    if price.period == Period.ONCE:
        return price.each_time
    until = day if price.valid_to is None else min(day, price.valid_to + ONE_DAY)
    months = MONTHS[price.period]
    return price.each_time * (_periods_until(until, months) - _periods_until(price.valid_from, months))


def _periods_until(day: dt.date, months: int) -> Fraction:
    """How many periods lie before `day`, counted from the year 0, whole ones and the share of days of the last."""
    number, months_in = divmod((day.year * 12 + day.month - 1), months)
    start = dt.date(day.year, day.month - months_in, 1)
    length = sum(calendar.monthrange(start.year, start.month + each)[1] for each in range(months))
    return number + Fraction((day - start).days, length)


@dataclass(frozen=True)
class PriceStep:
    """One price of a series: what a year cost, from when, and how much more than before."""

    since: dt.date
    until: dt.date | None
    yearly: Decimal
    rise: Decimal | None


def price_steps(prices: Sequence[Price]) -> list[PriceStep]:
    """Return the prices of one series in order, each with its rise over the one before in per cent."""
    steps: list[PriceStep] = []
    for price in sorted(prices, key=lambda each: each.valid_from):
        yearly = annualised(price, price.valid_from) if price.period != Period.ONCE else rounded(price.each_time)
        before = steps[-1].yearly if steps else None
        rise = rounded((yearly - before) * 100 / before, 1) if before else None
        steps.append(PriceStep(price.valid_from, price.valid_to, yearly, rise))
    return steps


def summed(figures: Mapping[str, Decimal]) -> Decimal:
    """Return the sum of what each thing costs."""
    return sum(figures.values(), Decimal(0))
