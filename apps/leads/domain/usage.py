"""Subscription and usage of companies: read from dated snapshots, the newest word on each thing counts."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from apps.core import clock
from apps.core.errors import InvalidInput
from apps.leads.models import Company, CompanySnapshot

OLDEST, LATEST = dt.date(2000, 1, 1), dt.date(2099, 12, 31)
FACTS = ("plan", "status", "seats", "active_users", "actions", "monthly_value", "renews_on")


@dataclass(frozen=True)
class Fact:
    """The newest word on one thing, with its day and its source."""

    value: Any
    taken_on: dt.date
    source: str


@dataclass(frozen=True)
class Standing:
    """What is known about a company as of a day."""

    facts: dict[str, Fact]

    def value(self, name: str) -> Any:
        """Return the newest word on one thing, None where nobody said it."""
        return self.facts[name].value if name in self.facts else None

    @property
    def seat_use(self) -> Decimal | None:
        """The share of seats that are used, None where one of the two is not known."""
        seats, users = self.value("seats"), self.value("active_users")
        return Decimal(users) / Decimal(seats) if seats and users is not None else None


def standing(company: Company, *, as_of: dt.date | None = None) -> Standing:
    """Return what is known about `company` as of a day (today where it is left out): one query."""
    day = as_of or clock.today()
    rows = CompanySnapshot.objects.live().filter(company=company, taken_on__lte=day).order_by("-taken_on", "-pk")
    facts: dict[str, Fact] = {}
    for row in rows:
        for name in FACTS:
            if name not in facts and getattr(row, name) not in (None, ""):
                facts[name] = Fact(getattr(row, name), row.taken_on, row.source)
    return Standing(facts)


def day_that_can_be(day: dt.date) -> dt.date:
    """Return the day of a snapshot.

    Raises:
        InvalidInput: it is to come, or before 2000.
    """
    if day > clock.today():
        raise InvalidInput(f"{day:%-d %b %Y} is still to come.")
    if day < OLDEST:
        raise InvalidInput(f"{day:%-d %b %Y} is before 2000; nothing was recorded then.")
    return day
