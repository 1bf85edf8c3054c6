"""Overdue work: each app says what of its own is late for a person; the home page shows it."""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Value
from django.urls import reverse

if TYPE_CHECKING:
    from django.db import models

    from apps.accounts.models import User


SHOWN = 20  # rows of one kind


@dataclass(frozen=True)
class Overdue:
    """One thing that is late: what to do, with which row, since when (None: no date, but missing)."""

    thing: "models.Model"
    to_do: str
    since: dt.date | None = None

    @property
    def link(self) -> str:
        """The page of the row."""
        opts = self.thing._meta
        return reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=(self.thing.pk,))


@dataclass(frozen=True)
class LateRows:
    """Rows that are late alike, asked for only when there are any; iterating gives the first of them.

    Attributes:
        rows: those that are late, the longest first.
        to_do: what is to be done with each.
        since: the date or moment since when, by the name of its column; "" where there is none.
    """

    rows: "models.QuerySet[Any]"
    to_do: str
    since: str = "due_on"

    def __iter__(self) -> Iterator[Overdue]:
        """Yield the first of them."""
        for row in self.rows[:SHOWN]:
            since = getattr(row, self.since) if self.since else None
            yield Overdue(row, self.to_do, since.date() if isinstance(since, dt.datetime) else since)


Source = Callable[["User", dt.date], Iterable[Overdue]]
_sources: list[Source] = []


def register_overdue(source: Source) -> None:
    """Add a source: `source(person, today)` returns `LateRows`, or what is late, in one query and a few rows."""
    _sources.append(source)


def overdue_of(person: "User", today: dt.date) -> list[Overdue]:
    """Return what is late for `person`, the longest first; what has no date comes last."""
    told = [source(person, today) for source in _sources]
    late = [each for some in _any_of(told) for each in some]
    return sorted(late, key=lambda each: (each.since is None, each.since or today, str(each.thing)))


def _any_of(told: list[Iterable[Overdue]]) -> list[Iterable[Overdue]]:
    """Leave out the rows of which there are none: one question for all kinds, since most have nothing late."""
    asked = [(place, each) for place, each in enumerate(told) if isinstance(each, LateRows)]
    if not asked:
        return told
    firsts = [
        each.rows.order_by().annotate(place=Value(place)).values_list("place", flat=True) for place, each in asked
    ]
    some = set(firsts[0][:1].union(*(each[:1] for each in firsts[1:]), all=True))
    return [each for place, each in enumerate(told) if place in some or not isinstance(each, LateRows)]
