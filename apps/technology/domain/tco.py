"""What three years cost in total, and how far that may be off: each driver up and down, widest first."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from apps.technology.enums import CostType
from apps.technology.models.cases import TCO_FIELDS, YEARS

CENT = Decimal("0.01")


@dataclass(frozen=True)
class Swing:
    """What the total becomes when one driver costs less or more than estimated."""

    driver: str
    percent: int
    low: Decimal
    high: Decimal

    @property
    def width(self) -> Decimal:
        """How much of the total depends on this driver's estimate."""
        return self.high - self.low


@dataclass(frozen=True)
class Sensitivity:
    """The total as estimated, at its least and most, and what each driver does to it."""

    total: Decimal
    least: Decimal
    most: Decimal
    swings: tuple[Swing, ...]


def sums(thing: Any) -> dict[CostType, Decimal]:
    """Return what three years cost by type; what is not stated counts as nothing."""
    return {
        kind: sum((getattr(thing, f"{kind.value}_{year}") or Decimal(0) for year in YEARS), Decimal(0))
        for kind in CostType
    }


def spreads(thing: Any) -> dict[CostType, int]:
    """Return by how many per cent each type may differ from its estimate."""
    return {kind: int(getattr(thing, f"{kind.value}_spread")) for kind in CostType}


def unstated(thing: Any) -> list[str]:
    """Return the types of cost for which a year is not stated, in words."""
    open_ones = [name for name in TCO_FIELDS if getattr(thing, name) is None]
    return list(dict.fromkeys(CostType(name.rsplit("_", 1)[0]).label.lower() for name in open_ones))


def sensitivity(costs: Mapping[CostType, Decimal], by: Mapping[CostType, int]) -> Sensitivity:
    """Return the total and what ± `by` per cent of each driver makes of it; one driver at a time, widest first.

    Args:
        costs: what three years cost by type.
        by: per cent by which each may differ, 0 to 100.
    """
    total = sum(costs.values(), Decimal(0))
    offs = {kind: (cost * by[kind] / 100).quantize(CENT, ROUND_HALF_EVEN) for kind, cost in costs.items()}
    swings = [Swing(kind.label, by[kind], total - off, total + off) for kind, off in offs.items()]
    every = sum(offs.values(), Decimal(0))
    ordered = tuple(sorted(swings, key=lambda each: (-each.width, each.driver)))
    return Sensitivity(total, total - every, total + every, ordered)


def sensitivity_of(thing: Any) -> Sensitivity:
    """Return the sensitivity of a candidate's three years."""
    return sensitivity(sums(thing), spreads(thing))
