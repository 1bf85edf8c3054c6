"""What a version of a campaign template says, read line by line; and how a budget is spread, to the cent. Pure."""

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import TextChoices

from apps.campaigns.domain.money import first_of
from apps.campaigns.enums import Channel, CheckKind
from apps.campaigns.models.utm import NEEDED, WORDED
from apps.content.enums import Kind as ContentKind
from apps.core.amounts import allocate
from apps.core.errors import InvalidInput

MOST_LINES, LONGEST = 60, 200


@dataclass(frozen=True)
class Task:
    """Something to do so many days before the first day."""

    title: str
    days_before: int


@dataclass(frozen=True)
class Link:
    """A link of the UTM plan; its landing page and campaign tag come with the campaign."""

    source: str
    medium: str
    content: str
    note: str


@dataclass(frozen=True)
class Brief:
    """A piece of content to ask for."""

    kind: str
    title: str
    brief: str


@dataclass(frozen=True)
class Contents:
    """Everything a version sets up."""

    tasks: tuple[Task, ...] = ()
    checklist: tuple[tuple[CheckKind, str], ...] = ()
    shares: tuple[tuple[str, Decimal], ...] = ()
    links: tuple[Link, ...] = ()
    briefs: tuple[Brief, ...] = ()
    success_metrics: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether nothing would be set up."""
        return not (self.tasks or self.checklist or self.shares or self.links or self.briefs)

    @property
    def told_shares(self) -> list[tuple[str, Decimal]]:
        """The shares of the budget with the channels as people call them."""
        return [(str(Channel(channel).label), share) for channel, share in self.shares]


class _Unreadable(Exception):
    """A line that cannot be read; its text is the sentence."""


def read(version: Any) -> Contents:
    """Read what a version sets up.

    Raises:
        InvalidInput: names the part and the line that cannot be read, and how it is written.
    """
    try:
        return _read(version)
    except _Unreadable as wrong:
        raise InvalidInput(str(wrong)) from None


def problem_of(version: Any) -> str | None:
    """Return why a version cannot set anything up, in a sentence; None when it can."""
    try:
        contents = _read(version)
    except _Unreadable as wrong:
        return str(wrong)
    return "There is nothing to approve yet: a template sets up at least one thing." if contents.is_empty else None


def _read(version: Any) -> Contents:
    return Contents(
        tuple(_tasks(version.tasks)),
        tuple(_checklist(version.checklist)),
        tuple(_shares(version.budget)),
        tuple(_links(version.links)),
        tuple(_briefs(version.briefs)),
        version.success_metrics.strip(),
    )


def _rows(text: str, part: str, least: int, most: int, how: str) -> Iterator[tuple[str, list[str]]]:
    lines = [(number, line) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]
    if len(lines) > MOST_LINES:
        raise _Unreadable(f"{part}: at most {MOST_LINES} lines.")
    seen = set()
    for number, line in lines:
        cells, where = [each.strip() for each in line.split("|")], f"{part}, line {number}"
        if not least <= len(cells) <= most or not all(cells[:least]):
            raise _Unreadable(f"{where}: write for instance “{how}”.")
        if max(map(len, cells)) > LONGEST:
            raise _Unreadable(f"{where}: a part has at most {LONGEST} characters.")
        if tuple(cells) in seen:
            raise _Unreadable(f"{where}: it stands there twice.")
        seen.add(tuple(cells))
        yield where, cells + [""] * (most - len(cells))


def _choice(where: str, given: str, choices: type[TextChoices]) -> str:
    for value, label in choices.choices:
        if given.casefold() in (str(value).casefold(), str(label).casefold()):
            return str(value)
    raise _Unreadable(f"{where}: “{given}” is none of {', '.join(choices.values)}.")


def _tasks(text: str) -> Iterator[Task]:
    for where, (title, days) in _rows(text, "Tasks", 1, 2, "Book the speaker | 30"):
        if days and not (days.isascii() and days.isdigit() and int(days) <= 730):
            raise _Unreadable(f"{where}: “{days}” is no number of days between 0 and 730.")
        yield Task(title, int(days or 0))


def _checklist(text: str) -> Iterator[tuple[CheckKind, str]]:
    for where, (kind, title) in _rows(text, "Checklist", 2, 2, "legal | Prize draw: terms are on the page"):
        yield CheckKind(_choice(where, kind, CheckKind)), title


def _shares(text: str) -> Iterator[tuple[str, Decimal]]:
    total, had = Decimal(0), set[str]()
    for where, (channel, percent) in _rows(text, "Budget", 2, 2, "paid_social | 60"):
        number = percent.removesuffix("%").strip()
        if not number.isascii() or not number.replace(".", "", 1).isdigit() or not 0 < Decimal(number) <= 100:
            raise _Unreadable(f"{where}: “{percent}” is no percentage above 0 and up to 100.")
        value = _choice(where, channel, Channel)
        if value in had:
            raise _Unreadable(f"{where}: {channel} stands there twice; add the two together.")
        had.add(value)
        total += Decimal(number)
        yield value, Decimal(number)
    if had and total != 100:
        raise _Unreadable(f"Budget: the lines come to {total.normalize():f} percent; they must come to 100.")


def _links(text: str) -> Iterator[Link]:
    for where, (source, medium, content, note) in _rows(text, "UTM plan", 2, 4, "newsletter | email | top | Mail"):
        for value in (source, medium, content):
            if value and not re.match(NEEDED, value):
                raise _Unreadable(f"{where}: “{value}”. {WORDED}")
        yield Link(source, medium, content, note[:150])


def _briefs(text: str) -> Iterator[Brief]:
    for where, (kind, title, brief) in _rows(text, "Briefs", 3, 3, "landing_page | Page | Register in two steps"):
        yield Brief(_choice(where, kind, ContentKind), title, brief)


def months_of(first: dt.date, last: dt.date) -> list[dt.date]:
    """Return the first days of the months from `first` to `last`, both included."""
    found, month = [], first_of(first)
    while month <= last:
        found.append(month)
        month = first_of(month + dt.timedelta(days=32))
    return found


def spread(
    budget: Decimal, shares: Sequence[tuple[str, Decimal]], months: Sequence[dt.date], decimals: int
) -> list[tuple[str, dt.date, Decimal]]:
    """Return the planned amounts by channel and month; they come to `budget` exactly, and none is nothing.

    `decimals` is how finely the currency is divided: 2 for euros.
    """
    pieces = [(channel, month, share / len(months)) for channel, share in shares for month in months]
    amounts = allocate(budget, [weight for _, _, weight in pieces], decimals=decimals)
    return [(channel, month, amount) for (channel, month, _), amount in zip(pieces, amounts, strict=True) if amount]
