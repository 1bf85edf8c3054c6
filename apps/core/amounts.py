"""Amounts to the smallest coin: rounded as the database rounds them, and shared without losing one."""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction

PRECISION = 80  # digits; enough for amount × quantity × rate without rounding before the end


def rounded(exact: Decimal | Fraction, decimals: int = 2) -> Decimal:
    """Return an amount rounded to the smallest coin, halves away from nothing, as PostgreSQL's round() does."""
    with localcontext() as context:
        context.prec = PRECISION
        if isinstance(exact, Fraction):
            scale = 10**decimals
            cents, rest = divmod(abs(exact.numerator) * scale, exact.denominator)
            cents += 2 * rest >= exact.denominator
            return Decimal(cents if exact >= 0 else -cents).scaleb(-decimals)
        return exact.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)


def allocate(total: Decimal, weights: Sequence[Decimal | int], *, decimals: int = 2) -> list[Decimal]:
    """Share `total` by `weights` to the smallest coin, losing none: the largest remainders get what is left over.

    Among equal remainders the earlier one gets it. Where all weights are nothing the shares are equal.

    Raises:
        ValueError: there is nobody to share with, or a weight is negative.
    """
    if not weights or any(weight < 0 for weight in weights):
        raise ValueError("A sum is shared by weights that are not negative, and by at least one.")
    parts = [Fraction(weight) for weight in weights]
    whole = sum(parts)
    if not whole:
        parts, whole = [Fraction(1)] * len(parts), Fraction(len(parts))
    coins = int(rounded(abs(total), decimals).scaleb(decimals))
    exact = [coins * part / whole for part in parts]
    shares = [int(each) for each in exact]
    by_remainder = sorted(range(len(exact)), key=lambda each: (shares[each] - exact[each], each))
    for each in by_remainder[: coins - sum(shares)]:
        shares[each] += 1
    sign = -1 if total < 0 else 1
    return [Decimal(sign * share).scaleb(-decimals) for share in shares]
