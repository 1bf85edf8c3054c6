"""Promised times as staff write them, line by line, and what contradicts itself in them."""

import datetime as dt
import re
from dataclasses import dataclass
from itertools import pairwise

from apps.core.errors import InvalidInput
from apps.tickets.enums import Priority, Tier

TIERS = {"self-service": Tier.SELF_SERVICE, "standard": Tier.STANDARD, "project": Tier.PROJECT}
NAMES = ("first answer", "next answer", "solution")
_AMOUNT = re.compile(r"(\d{1,4})\s*(min|m|h|d)?", re.IGNORECASE)
MINUTES = {"m": 1, "min": 1, "h": 60, "d": 480, "": 1}
LONGEST = dt.timedelta(hours=4000)


@dataclass(frozen=True)
class Target:
    """What is promised for one tier and priority; None promises nothing."""

    first_response: dt.timedelta | None
    next_reply: dt.timedelta | None
    resolution: dt.timedelta | None

    @property
    def amounts(self) -> tuple[dt.timedelta | None, ...]:
        """The three, in the order they are written."""
        return (self.first_response, self.next_reply, self.resolution)


@dataclass(frozen=True)
class Targets:
    """All promises of an agreement; a tier of "" holds for every tier that has no line of its own."""

    lines: dict[tuple[str, int], Target]

    def of(self, tier: str, priority: int) -> Target | None:
        """Return what is promised to a ticket, None where nothing is."""
        return self.lines.get((tier, priority)) or self.lines.get(("", priority))

    def rows(self) -> list[tuple[str, str, Target]]:
        """Return the lines to show, tier by tier."""
        return [
            (Tier(tier).label if tier else "Every tier", Priority(priority).label, target)
            for (tier, priority), target in sorted(self.lines.items())
        ]


def read_targets(text: str) -> Targets:
    """Read "standard P1 | 30 min | 2 h | 8 h" line by line; a day (d) is eight working hours, a dash is no promise.

    Raises:
        InvalidInput: names the line and what is wrong with it, or which promises stand in the wrong order.
    """
    lines: dict[tuple[str, int], Target] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            key, target = _read_line(line, number)
            if key in lines:
                raise InvalidInput(f"Line {number} promises for {_named(*key)} a second time.")
            lines[key] = target
    if not lines:
        raise InvalidInput("An agreement promises something; write for instance “P1 | 30 min | 2 h | 8 h”.")
    _check_order(lines)
    return Targets(lines)


def _read_line(line: str, number: int) -> tuple[tuple[str, int], Target]:
    head, *amounts = (part.strip() for part in line.split("|"))
    words = head.lower().split()
    tier, level = (words[0], words[1]) if len(words) == 2 else ("", words[0] if words else "")
    if (tier and tier not in TIERS) or not re.fullmatch(r"p[1-4]", level) or len(words) > 2:
        raise InvalidInput(
            f"Line {number} begins with a tier and a priority, like “standard P1”, or with the priority alone."
        )
    if len(amounts) != len(NAMES):
        raise InvalidInput(f"Line {number} needs three times after bars: {', '.join(NAMES)}.")
    read = [_amount(amount, number) for amount in amounts]
    target = Target(*read)
    _check_line(target, number)
    return (TIERS[tier].value if tier else "", int(level[1])), target


def _amount(text: str, number: int) -> dt.timedelta | None:
    if text in ("-", "–", "—", ""):
        return None
    found = _AMOUNT.fullmatch(text)
    minutes = int(found[1]) * MINUTES[(found[2] or "").lower()] if found else 0
    amount = dt.timedelta(minutes=minutes)
    if not dt.timedelta(0) < amount <= LONGEST:
        raise InvalidInput(f"Line {number}: “{text}” is no time; write 30 min, 4 h or 2 d.")
    return amount


def _check_line(target: Target, number: int) -> None:
    if not any(target.amounts):
        raise InvalidInput(f"Line {number} promises nothing; leave it out.")
    for name, amount in zip(NAMES[:2], target.amounts[:2], strict=True):
        if amount and target.resolution and amount > target.resolution:
            raise InvalidInput(f"Line {number}: the {name} would be due after the solution; shorten one of the two.")


def _check_order(lines: dict[tuple[str, int], Target]) -> None:
    for tier in {tier for tier, _ in lines}:
        levels = sorted(level for each, level in lines if each == tier)
        for higher, lower in pairwise(levels):
            above, below = lines[tier, higher].amounts, lines[tier, lower].amounts
            for name, more, less in zip(NAMES, above, below, strict=True):
                if more and less and more > less:
                    raise InvalidInput(
                        f"{_named(tier, higher)} would wait longer for the {name} than {_named(tier, lower)}; "
                        "what matters more comes first."
                    )


def _named(tier: str, level: int) -> str:
    return " ".join(filter(None, (Tier(tier).label if tier else "", f"P{level}")))
