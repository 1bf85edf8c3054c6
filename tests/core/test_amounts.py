"""Amounts to the smallest coin: rounded and shared without losing one."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.amounts import allocate, rounded


@given(
    st.integers(0, 10**10),
    st.lists(st.integers(0, 10_000) | st.decimals("0.01", "100", places=2), min_size=1, max_size=40),
    st.sampled_from([0, 2, 3]),
)
def test_shares_add_up_and_are_fair(coins, weights, decimals):
    total = Decimal(coins).scaleb(-decimals)
    shares = allocate(total, weights, decimals=decimals)
    assert sum(shares) == total
    whole = sum(weights) or len(weights)
    for share, weight in zip(shares, weights, strict=True):
        exact = total * (weight if sum(weights) else 1) / whole
        assert abs(share - exact) < Decimal(1).scaleb(-decimals) + Decimal("1e-9")


def test_the_largest_remainder_gets_the_last_coin():
    assert allocate(Decimal("100.00"), [1, 1, 1]) == [Decimal("33.34"), Decimal("33.33"), Decimal("33.33")]
    assert allocate(Decimal("0.05"), [5, 3, 2]) == [Decimal("0.03"), Decimal("0.01"), Decimal("0.01")]
    assert allocate(Decimal("-0.05"), [1, 1]) == [Decimal("-0.03"), Decimal("-0.02")]
    assert allocate(Decimal(7), [0, 0], decimals=0) == [Decimal(4), Decimal(3)]


@pytest.mark.parametrize("weights", [[], [1, -1]])
def test_nothing_is_shared_with_nobody(weights):
    with pytest.raises(ValueError, match="at least one"):
        allocate(Decimal(1), weights)


def test_rounding_goes_away_from_nothing():
    assert [rounded(Decimal(each)) for each in ("0.125", "0.135", "-0.125")] == [
        Decimal("0.13"),
        Decimal("0.14"),
        Decimal("-0.13"),
    ]
