"""Overdue work: each app says what of its own is late for a person; the home page shows it."""

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.urls import reverse

if TYPE_CHECKING:
    from django.db import models

    from apps.accounts.models import User


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


Source = Callable[["User", dt.date], Iterable[Overdue]]
_sources: list[Source] = []


def register_overdue(source: Source) -> None:
    """Add a source: `source(person, today)` returns what is late, in one query and a few rows."""
    _sources.append(source)


def overdue_of(person: "User", today: dt.date) -> list[Overdue]:
    """Return what is late for `person`, the longest first; what has no date comes last."""
    late = [each for source in _sources for each in source(person, today)]
    return sorted(late, key=lambda each: (each.since is None, each.since or today, str(each.thing)))
