"""How available tools were against their target: what nobody measured is unknown, never up."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from typing import TYPE_CHECKING

from django.db import connection

from apps.core import access
from apps.core.errors import InvalidInput
from apps.technology.models import AvailabilitySample, ServiceTarget, Tool

if TYPE_CHECKING:
    from apps.accounts.models import User

DAYS = 30
MOST_RESPONSE = 600_000
_THOUSANDTH = Decimal("0.001")
_OF_ALL = """
    SELECT s.tool_id, sum(s.up_minutes), sum(s.down_minutes), max(s.response_ms)
    FROM technology_availabilitysample s
    WHERE s.tool_id = ANY (%(tools)s) AND s.starts_at >= %(start)s AND s.ends_at <= %(end)s
    GROUP BY s.tool_id
"""


@dataclass(frozen=True)
class Availability:
    """Minutes of a span, by what is known of them."""

    up: int
    down: int
    unknown: int
    response_ms: int | None = None

    @property
    def percent(self) -> Decimal | None:
        """How much of the whole span the tool was known to be up, rounded down; None when nothing is known."""
        whole = self.up + self.down + self.unknown
        if not self.up + self.down:
            return None
        return (Decimal(self.up) * 100 / whole).quantize(_THOUSANDTH, ROUND_DOWN)

    @property
    def at_best(self) -> Decimal:
        """What it would be if the tool had been up whenever nobody measured."""
        whole = self.up + self.down + self.unknown
        return (Decimal(self.up + self.unknown) * 100 / whole).quantize(_THOUSANDTH, ROUND_DOWN)


def verdict(found: Availability, target: Decimal | None) -> str:
    """Return "met", "missed" or "unknown": missed is certain only where the unknown could not make up for it."""
    if target is None or found.percent is None:
        return "unknown"
    if found.percent >= target:
        return "met"
    return "missed" if found.at_best < target else "unknown"


def availability_of(tools: Sequence[int], start: dt.datetime, end: dt.datetime) -> dict[int, Availability]:
    """Return how available each tool was from `start` to `end`, in one statement; every minute counts once.

    Samples count that lie within the span; what none of them covers is unknown.

    Raises:
        InvalidInput: the span ends before it starts.
    """
    if end <= start:
        raise InvalidInput("A span ends after it starts; look at the two moments.")
    whole = int((end - start).total_seconds() // 60)
    with connection.cursor() as cursor:
        cursor.execute(_OF_ALL, {"tools": list(tools), "start": start, "end": end})
        rows = {tool: (int(up), int(down), slow) for tool, up, down, slow in cursor.fetchall()}
    found = {}
    for tool in tools:
        up, down, slow = rows.get(tool, (0, 0, None))
        found[tool] = Availability(up, down, max(whole - up - down, 0), slow)
    return found


def last_days(tool: Tool, now: dt.datetime, target: ServiceTarget | None, days: int = DAYS) -> tuple[Availability, str]:
    """Return how available a tool was in the last days, and what that means against its target."""
    found = availability_of([tool.pk], now - dt.timedelta(days=days), now)[tool.pk]
    return found, verdict(found, target.availability if target else None)


def refuse_sample(user: "User") -> str | None:
    """Return why `user` cannot record measurements, None when they can."""
    allowed = access.has_model_permission(user, "add", AvailabilitySample)
    return None if allowed else "You may not record measurements."


def refuse_values(sample: AvailabilitySample, now: dt.datetime) -> dict[str, str]:
    """Return what is wrong with a measurement, by field."""
    wrong: dict[str, str] = {}
    if sample.ends_at <= sample.starts_at:
        wrong["ends_at"] = "A period ends after it starts; look at the two moments."
        return wrong
    if sample.ends_at > now:
        wrong["ends_at"] = "Nobody has measured what is still to come."
    minutes = int((sample.ends_at - sample.starts_at).total_seconds() // 60)
    if sample.up_minutes + sample.down_minutes > minutes:
        wrong["up_minutes"] = f"The period has {minutes:,} minutes; up and down together are more."
    if sample.response_ms is not None and sample.response_ms > MOST_RESPONSE:
        wrong["response_ms"] = "An answer after more than ten minutes is none; count it as down."
    return wrong
