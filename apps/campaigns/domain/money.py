"""What a campaign's budget comes to: pure arithmetic on exact amounts, never on floats."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from apps.campaigns.enums import Money

ZERO = Decimal(0)
WARN_FROM = Decimal("0.9")  # share of the budget from which the owner is warned


class Amount(NamedTuple):
    """One entry, as the sums need it."""

    kind: str
    channel: str
    month: dt.date
    reference: str
    amount: Decimal


@dataclass(frozen=True)
class Sums:
    """Planned, committed and actual of some entries, and what of the budget they use up.

    An invoice pays the order of its number: of the two only the larger one uses up budget.
    """

    planned: Decimal = ZERO
    committed: Decimal = ZERO
    actual: Decimal = ZERO
    used: Decimal = ZERO


@dataclass(frozen=True)
class Standing:
    """Where the budget of a campaign stands.

    Attributes:
        budget: what may be spent; None where the plan does not say.
        total: of all entries.
        cells: by month and channel, in this order; what they use up is told in the total alone, since an order of one
            month may be paid in another.
    """

    budget: Decimal | None
    total: Sums
    cells: tuple[tuple[dt.date, str, Sums], ...]

    @property
    def left(self) -> Decimal | None:
        """What can still be committed; less than nothing where it is overspent."""
        return None if self.budget is None else self.budget - self.total.used

    @property
    def is_overspent(self) -> bool:
        """Whether more is used up than there is."""
        return self.left is not None and self.left < 0

    @property
    def is_nearly_spent(self) -> bool:
        """Whether nine tenths are used up, and not more than all."""
        return bool(self.budget) and not self.is_overspent and self.total.used >= (self.budget or ZERO) * WARN_FROM

    @property
    def percent(self) -> int:
        """What is used up, in percent of the budget, rounded down; 0 where there is none."""
        return int(self.total.used * 100 // self.budget) if self.budget else 0


def standing_of(budget: Decimal | None, entries: Iterable[Amount]) -> Standing:
    """Return where a budget stands after `entries`; the order in which they come does not matter."""
    cells: dict[tuple[dt.date, str], dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    orders: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for each in entries:
        cells[each.month, each.channel][each.kind] += each.amount
        sums[each.kind] += each.amount
        if each.kind != Money.PLANNED:
            orders[each.reference][each.kind] += each.amount
    unnumbered = orders.pop("", {})
    used = sum((max(one[Money.COMMITTED], one[Money.ACTUAL]) for one in orders.values()), ZERO)
    used += sum(unnumbered.values(), ZERO)
    total = Sums(sums[Money.PLANNED], sums[Money.COMMITTED], sums[Money.ACTUAL], used)
    told = (
        (month, channel, Sums(one[Money.PLANNED], one[Money.COMMITTED], one[Money.ACTUAL]))
        for (month, channel), one in sorted(cells.items())
    )
    return Standing(budget, total, tuple(told))


def first_of(day: dt.date) -> dt.date:
    """Return the first day of the month of `day`."""
    return day.replace(day=1)
