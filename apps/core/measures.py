"""Measures of the whole operation: numbers that phases of a roadmap and governance packs are bound to.

Each app registers its own from `AppConfig.ready`. A measure counts everything, whoever looks: it tells numbers, and
the rows behind it are narrowed on the page it leads to.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class Reading:
    """What a measure says now.

    Attributes:
        value: the number; None where nothing can be counted yet.
        part: how many of `whole` it counts, where it is a share.
        whole: of how many.
        rows: the address of the page with the rows behind it.
        note: why there is no value, or what else to know.
    """

    value: Decimal | None
    part: int = 0
    whole: int = 0
    rows: str = ""
    note: str = ""


def share(part: int, whole: int, rows: str = "", note: str = "") -> Reading:
    """Return the reading of a share in percent; without a value where there is nothing to count."""
    value = Decimal(str(round(100 * part / whole, 1))) if whole else None
    return Reading(value, part, whole, rows, note or ("" if whole else "There is nothing to count yet."))


@dataclass(frozen=True)
class Measure:
    """One number about the whole operation.

    Attributes:
        key: "processes.documented"; never changes, criteria hang on it.
        title: what it tells.
        formula: how it is counted.
        read: counts it now.
        unit: what stands behind the number.
    """

    key: str
    title: str
    formula: str
    read: Callable[[], Reading]
    unit: str = "%"


_measures: dict[str, Measure] = {}


def register_measure(measure: Measure) -> None:
    """Make a measure known."""
    _measures[measure.key] = measure


def measures() -> list[Measure]:
    """Return all measures by title."""
    return sorted(_measures.values(), key=lambda each: each.title)


def find_measure(key: str) -> Measure | None:
    """Return the measure of this key, None where no installed app brings it."""
    return _measures.get(key)


def read_measure(key: str) -> Reading:
    """Return what the measure of this key says now; without a value, and why, where no installed app brings it."""
    found = find_measure(key)
    if found is None:
        return Reading(None, note=f"There is no measure called “{key}”; the app that brings it is not installed.")
    return found.read()
