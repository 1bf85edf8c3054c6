"""Whose turn it is: weights become slots in a fair order, and leads are dealt along them. Pure functions."""

from collections.abc import Mapping, Sequence
from math import gcd


def slots_of(weights: Mapping[int, int]) -> list[int]:
    """Return the keys in the order of one round, each as often as its weight, spread as evenly as it goes.

    Smooth weighted round robin: in each step everybody gains their weight, the one with most takes the turn and pays
    the sum of all. Weights with a common divisor make a shorter round.
    """
    if not weights:
        return []
    common = gcd(*weights.values())
    shares = {key: weights[key] // common for key in sorted(weights)}
    total = sum(shares.values())
    credit = dict.fromkeys(shares, 0)
    round_ = []
    for _ in range(total):
        for key, share in shares.items():
            credit[key] += share
        chosen = max(credit, key=lambda key: credit[key])
        credit[chosen] -= total
        round_.append(chosen)
    return round_


def deal(
    slots: Sequence[int], *, position: int, count: int, left: Mapping[int, int | None]
) -> tuple[list[tuple[int, int]], int]:
    """Deal `count` turns from `position` on; return (key, position of the turn) for each, and the next position.

    Whoever has nothing left is passed over; when nobody has, fewer turns are dealt than were asked for.

    Args:
        slots: one round, as `slots_of` returns it.
        position: of the next turn, counted since the pool began.
        count: how many turns are wanted.
        left: how many more each can take; None for no limit.
    """
    remaining = {key: left.get(key) for key in slots}
    dealt: list[tuple[int, int]] = []
    able = {key for key, number in remaining.items() if number is None or number > 0}
    while len(dealt) < count and able:
        key = slots[position % len(slots)]
        if key in able:
            dealt.append((key, position))
            number = remaining[key]
            if number is not None:
                remaining[key] = number - 1
                if number == 1:
                    able.discard(key)
        position += 1
    return dealt, position
