"""A/B tests in figures: who gets which variant, whether people are split as planned, and whether one does better.

Pure. Assignment: the first 64 bits of SHA-256 over "salt:key", as a share of 2^64, fall into the variants' weights in
the order of their letters, so that every tool that knows the salt sends the same person the same variant.
"""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

SPLIT_ALARM = 0.001  # below this probability of chance a split is not believed


@dataclass(frozen=True)
class Comparison:
    """How a variant does against the first one.

    Attributes:
        difference: of the two rates.
        low: lower end of the interval for it.
        high: upper end.
        p: probability of a difference at least as large by chance alone.
    """

    difference: float
    low: float
    high: float
    p: float


def place_of(salt: str, key: str) -> float:
    """Return where a key falls between 0 and 1, the same at every asking."""
    return int(hashlib.sha256(f"{salt}:{key}".encode()).hexdigest()[:16], 16) / 2**64


def assigned(salt: str, key: str, weights: Sequence[tuple[str, int]]) -> str:
    """Return the variant of a key.

    Args:
        salt: of the test; another test splits the same people otherwise.
        key: of the person, for instance the number of a lead.
        weights: variants in order, each with its weight.
    """
    mark = place_of(salt, key) * sum(weight for _, weight in weights)
    for name, weight in weights:
        mark -= weight
        if mark < 0:
            return name
    return weights[-1][0]


def compare(successes: int, people: int, base_successes: int, base_people: int, *, confidence: float) -> Comparison:
    """Compare two rates: two-proportion z test with pooled variance, interval of Agresti and Caffo (2000).

    Args:
        successes: of the variant.
        people: of the variant, more than none.
        base_successes: of the first one.
        base_people: of the first one, more than none.
        confidence: of the interval, 0.95 for 95 %.
    """
    rate, base = successes / people, base_successes / base_people
    pooled = (successes + base_successes) / (people + base_people)
    spread = math.sqrt(pooled * (1 - pooled) * (1 / people + 1 / base_people))
    p = math.erfc(abs(rate - base) / spread / math.sqrt(2)) if spread else 1.0
    one, two = (successes + 1) / (people + 2), (base_successes + 1) / (base_people + 2)
    error = math.sqrt(one * (1 - one) / (people + 2) + two * (1 - two) / (base_people + 2))
    reach = NormalDist().inv_cdf((1 + confidence) / 2) * error
    return Comparison(rate - base, one - two - reach, one - two + reach, p)


def chance_of(statistic: float, freedom: int) -> float:
    """Return the probability that a chi-square value of `freedom` degrees is at least `statistic` (closed forms)."""
    half = statistic / 2
    if freedom % 2 == 0:
        return math.exp(-half) * sum(math.pow(half, i) / math.factorial(i) for i in range(freedom // 2))
    more = sum(math.pow(half, i - 0.5) / math.gamma(i + 0.5) for i in range(1, (freedom - 1) // 2 + 1))
    return math.erfc(math.sqrt(half)) + math.exp(-half) * more


def split_chance(people: Sequence[int], weights: Sequence[int]) -> float:
    """Return how probable a split at least as uneven is by chance where people fall by these weights (chi-square)."""
    total, whole = sum(people), sum(weights)
    if not total:
        return 1.0
    expected = [total * each / whole for each in weights]
    statistic = sum((seen - meant) ** 2 / meant for seen, meant in zip(people, expected, strict=True))
    return chance_of(statistic, len(people) - 1)
