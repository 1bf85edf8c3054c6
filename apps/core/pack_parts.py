"""What the quarterly governance pack is made of: each app registers the parts it can tell from its rows."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from django.db.models import Q


@dataclass(frozen=True)
class Line:
    """One line of a part: what, its number, and what to know about it."""

    what: str
    value: str
    note: str = ""


@dataclass(frozen=True)
class Part:
    """One part of a pack."""

    key: str
    title: str
    head: tuple[str, str, str]
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Span:
    """The quarter a pack tells about: from its first day to the last day that counts."""

    first: dt.date
    last: dt.date
    now: dt.datetime

    @property
    def moments(self) -> tuple[dt.datetime, dt.datetime]:
        """From when to when, the end left out."""
        start, end = (dt.datetime.combine(day, dt.time(), dt.UTC) for day in (self.first, self.last))
        return start, end + dt.timedelta(days=1)

    def within(self, column: str) -> Q:
        """Return the condition that a moment falls into it."""
        start, end = self.moments
        return Q(**{f"{column}__gte": start, f"{column}__lt": end})


# Tells one part from the rows; read by more people than may see each row, so it counts and sums, and names little.
Teller = Callable[[Span], Part]

_tellers: dict[str, tuple[int, Teller]] = {}


def register_part(key: str, tell: Teller, *, position: int) -> None:
    """Let every pack tell this too; from `AppConfig.ready`.

    Args:
        key: of the part, "cost"; registering it again replaces it.
        tell: tells it, in a few statements.
        position: the order among the parts that apps bring.
    """
    _tellers[key] = position, tell


def registered_parts() -> list[Teller]:
    """Return what apps bring, in its order."""
    return [tell for _, tell in sorted(_tellers.values(), key=lambda each: each[0])]
