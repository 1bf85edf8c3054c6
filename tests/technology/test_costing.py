"""Money to the coin: leap years, changes within a period, splits that add up, sums shared without losing one."""

import datetime as dt
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.technology.domain.costing import Price, annualised, cost_between, price_steps

DAY = st.dates(dt.date(2019, 1, 1), dt.date(2033, 12, 31))
AMOUNT = st.decimals(0, 100_000, places=4)
PERIOD = st.sampled_from(["month", "quarter", "year", "once"])


@st.composite
def prices(draw):
    start = draw(DAY)
    period = draw(PERIOD)
    ends = st.none() if period == "once" else st.none() | st.dates(start, dt.date(2034, 12, 31))
    quantity = draw(st.none() | st.decimals(1, 5_000, places=3))
    return Price(draw(AMOUNT), quantity, period, start, draw(ends))


@pytest.mark.parametrize(
    ("price", "a_year"),
    [
        (Price(Decimal(100), None, "month", dt.date(2026, 1, 1)), "1200.00"),
        (Price(Decimal(100), None, "quarter", dt.date(2026, 1, 1)), "400.00"),
        (Price(Decimal("49.90"), Decimal(25), "month", dt.date(2026, 1, 1)), "14970.00"),
        (Price(Decimal("0.0125"), Decimal(1000), "month", dt.date(2026, 1, 1)), "150.00"),
        (Price(Decimal(5000), None, "once", dt.date(2026, 1, 1)), "0.00"),
        (Price(Decimal(100), None, "year", dt.date(2026, 1, 1), dt.date(2026, 3, 31)), "0.00"),
        (Price(Decimal(100), None, "year", dt.date(2026, 7, 1)), "0.00"),
    ],
)
def test_a_year_at_the_price_of_a_day(price, a_year):
    assert annualised(price, dt.date(2026, 6, 15)) == Decimal(a_year)


def test_a_year_in_three_currencies_and_their_coins():
    price = Price(Decimal("99.99"), Decimal(3), "month", dt.date(2026, 1, 1), currency="USD")
    on = dt.date(2026, 6, 15)
    assert annualised(price, on, rate=Decimal("0.92153")) == Decimal("3317.18")  # 3599.64 × 0.92153 = 3317.176…
    assert annualised(price, on, rate=Decimal("161.27"), decimals=0) == Decimal(580514)  # yen have no decimals
    assert annualised(price, on, rate=Decimal("0.30715"), decimals=3) == Decimal("1105.629")  # dinars have three


@pytest.mark.parametrize(
    ("price", "start", "end", "cost"),
    [
        # whole periods cost the price, however long they are
        (Price(Decimal(310), None, "month", dt.date(2024, 1, 1)), dt.date(2024, 2, 1), dt.date(2024, 2, 29), "310.00"),
        (Price(Decimal(366), None, "year", dt.date(2024, 1, 1)), dt.date(2024, 1, 1), dt.date(2024, 12, 31), "366.00"),
        (Price(Decimal(365), None, "year", dt.date(2023, 1, 1)), dt.date(2023, 1, 1), dt.date(2023, 12, 31), "365.00"),
        # 29 February is one day of 29, of 91, of 366
        (Price(Decimal(290), None, "month", dt.date(2024, 1, 1)), dt.date(2024, 2, 29), dt.date(2024, 2, 29), "10.00"),
        (
            Price(Decimal(910), None, "quarter", dt.date(2024, 1, 1)),
            dt.date(2024, 2, 29),
            dt.date(2024, 2, 29),
            "10.00",
        ),
        (Price(Decimal(366), None, "year", dt.date(2024, 1, 1)), dt.date(2024, 2, 29), dt.date(2024, 2, 29), "1.00"),
        # begins and ends in the middle of a month: 17 of 31 days, and 10 of 30
        (Price(Decimal(310), None, "month", dt.date(2026, 1, 15)), dt.date(2026, 1, 1), dt.date(2026, 1, 31), "170.00"),
        (
            Price(Decimal(300), None, "month", dt.date(2026, 1, 1), dt.date(2026, 4, 10)),
            dt.date(2026, 4, 1),
            dt.date(2026, 12, 31),
            "100.00",
        ),
        # once falls due on its day
        (Price(Decimal(99), None, "once", dt.date(2026, 5, 5)), dt.date(2026, 5, 5), dt.date(2026, 5, 5), "99.00"),
        (Price(Decimal(99), None, "once", dt.date(2026, 5, 5)), dt.date(2026, 5, 6), dt.date(2026, 12, 31), "0.00"),
    ],
)
def test_what_a_span_costs(price, start, end, cost):
    assert cost_between(price, start, end) == Decimal(cost)


def test_a_change_within_the_month_costs_both_prices_by_their_days():
    old = Price(Decimal(300), None, "month", dt.date(2026, 1, 1), dt.date(2026, 4, 14))
    new = Price(Decimal(360), None, "month", dt.date(2026, 4, 15))
    april = [cost_between(each, dt.date(2026, 4, 1), dt.date(2026, 4, 30)) for each in (old, new)]
    assert april == [Decimal("140.00"), Decimal("192.00")]


@given(prices(), st.lists(DAY, min_size=2, max_size=6, unique=True))
def test_spans_add_up_to_the_coin(price, days):
    cuts = sorted(days)
    parts = [cost_between(price, a, b - dt.timedelta(days=1)) for a, b in pairwise(cuts)]
    assert sum(parts) == cost_between(price, cuts[0], cuts[-1] - dt.timedelta(days=1))


@given(prices(), DAY, DAY)
def test_a_line_cut_in_two_costs_the_same_year(price, cut, on):
    if price.period == "once" or not price.valid_from < cut or (price.valid_to and cut > price.valid_to):
        return
    first = Price(price.amount, price.quantity, price.period, price.valid_from, cut - dt.timedelta(days=1))
    second = Price(price.amount, price.quantity, price.period, cut, price.valid_to)
    assert annualised(first, on) + annualised(second, on) == annualised(price, on)


def test_price_rises_are_told_in_per_cent():
    steps = price_steps(
        [
            Price(Decimal(110), None, "month", dt.date(2025, 1, 1), dt.date(2025, 12, 31)),
            Price(Decimal(100), None, "month", dt.date(2024, 1, 1), dt.date(2024, 12, 31)),
            Price(Decimal(99), None, "month", dt.date(2026, 1, 1)),
        ]
    )
    assert [(step.yearly, step.rise) for step in steps] == [
        (Decimal("1200.00"), None),
        (Decimal("1320.00"), Decimal("10.0")),
        (Decimal("1188.00"), Decimal("-10.0")),
    ]
