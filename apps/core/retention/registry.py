"""What is kept for a while only: each area declares its periods here, beside the code that prunes."""

from dataclasses import dataclass

_periods: dict[str, "Period"] = {}


@dataclass(frozen=True)
class Period:
    """How long one kind of working data is kept, before anybody tunes it.

    Attributes:
        key: `area.what`, for good: rows go by it.
        title: what is kept.
        days: how long, unless a row says otherwise.
        least: staff may not go below.
        most: staff may not go above.
        counted_from: from when the days count.
    """

    key: str
    title: str
    days: int
    least: int
    most: int
    counted_from: str


def register_period(period: Period) -> Period:
    """Declare a period; returns it, so that the declaration is also the constant one prunes by."""
    if not 1 <= period.least <= period.days <= period.most:
        raise ValueError(f"{period.key}: {period.days} days lie outside {period.least} to {period.most}.")
    _periods[period.key] = period
    return period


def all_periods() -> list[Period]:
    """Return every declared period, by key."""
    return [_periods[key] for key in sorted(_periods)]


def find_period(key: str) -> Period | None:
    """Return the declaration, None when the code that declared it is gone."""
    return _periods.get(key)
