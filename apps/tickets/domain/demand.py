"""Demand against capacity: how many tickets of each tier the next weeks bring, and whether the desk can work them off.

The forecast is Holt's linear trend with damping (Gardner and McKenzie 1985) over the full weeks of half a year; its
range is what nine of ten of its own one-week-ahead errors stayed within, widened by the square root of the distance.
Beside it stands how far the plain rule "as many as last week" would have been off: where the forecast is no better,
the page says so.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt
from typing import TYPE_CHECKING

from django.db.models import Count, Sum, Value
from django.db.models.functions import Coalesce, TruncWeek
from django.utils.timezone import localtime

from apps.core import access
from apps.core.calendars.domain import business_time
from apps.core.calendars.domain.queries import default_calendar, schedule_for
from apps.tickets.domain.queries import desk_people
from apps.tickets.enums import Intake, Tier
from apps.tickets.models import Ticket, TimeEntry

if TYPE_CHECKING:
    from apps.accounts.models import User

WEEKS, AHEAD, LATELY, FEWEST = 26, 4, 8, 6
LEVEL, TREND, DAMPING = 0.3, 0.1, 0.9
NINE_OF_TEN = 0.9
ONE_WEEK = dt.timedelta(days=7)


@dataclass(frozen=True)
class Forecast:
    """What the next weeks bring.

    Attributes:
        weeks: for each week ahead the number expected, the fewest and the most of the range.
        error: the mean absolute error one week ahead; `naive` that of "as many as last week".
    """

    weeks: tuple[tuple[float, float, float], ...]
    error: float
    naive: float

    @property
    def is_better(self) -> bool:
        """Whether it is closer than the plain rule."""
        return self.error <= self.naive


@dataclass(frozen=True)
class Demand:
    """One tier: what came, what was solved, what is expected, and the work in it.

    Attributes:
        came: tickets of each full week, the oldest first.
        solved: solved a week, the mean of the last eight.
        minutes: written down for one ticket, the mean; None where nobody wrote any.
        forecast: None with too few weeks to say anything.
    """

    tier: str
    came: tuple[int, ...]
    solved: float
    minutes: float | None
    forecast: Forecast | None

    @property
    def expected(self) -> float | None:
        """A week, the mean of the weeks ahead."""
        return sum(each[0] for each in self.forecast.weeks) / AHEAD if self.forecast is not None else None

    @property
    def hours(self) -> float | None:
        """Of work expected a week."""
        if self.expected is None or self.minutes is None:
            return None
        return self.expected * self.minutes / 60

    @property
    def falls_behind(self) -> bool:
        """Whether more is expected than was solved lately."""
        return self.expected is not None and self.expected > self.solved * 1.05


def demand(reader: "User", *, now: dt.datetime) -> tuple[list[Demand], float, int]:
    """Return the demand of each tier as far as `reader` sees tickets, the hours a week of the desk, and its people.

    Imported incidents are left out: nobody here asked for them.
    """
    monday = _monday(now)
    since = monday - WEEKS * ONE_WEEK
    rows = access.visible(reader, Ticket).filter(archived_at__isnull=True).exclude(intake=Intake.IMPORT).order_by()
    tiered = rows.annotate(tier=Coalesce("type__tier", Value(Tier.STANDARD.value)))
    came: dict[str, list[int]] = {}
    opened = tiered.filter(opened_at__gte=since, opened_at__lt=monday)
    for each in opened.values("tier", week=TruncWeek("opened_at")).annotate(n=Count("pk")):
        place = (each["week"] - since).days // 7
        came.setdefault(each["tier"], [0] * WEEKS)[min(max(place, 0), WEEKS - 1)] += each["n"]
    lately = tiered.filter(resolved_at__gte=monday - LATELY * ONE_WEEK, resolved_at__lt=monday)
    solved = {each["tier"]: each["n"] for each in lately.values("tier").annotate(n=Count("pk"))}
    spent = TimeEntry.objects.filter(ticket__in=rows.filter(opened_at__gte=since).values("pk")).order_by()
    per_tier = spent.values(tier=Coalesce("ticket__type__tier", Value(Tier.STANDARD.value)))
    written = per_tier.annotate(total=Sum("minutes"), tickets=Count("ticket", distinct=True))
    minutes = {each["tier"]: each["total"] / each["tickets"] for each in written}
    people = desk_people().filter(is_active=True).distinct().count()
    week = business_time.elapsed(schedule_for(default_calendar()), monday, monday + ONE_WEEK)
    found = [
        Demand(
            tier=tier.value,
            came=tuple(came.get(tier.value, ())),
            solved=solved.get(tier.value, 0) / LATELY,
            minutes=minutes.get(tier.value),
            forecast=forecast(_since_first(came.get(tier.value, ()))),
        )
        for tier in Tier
        if tier != Tier.SELF_SERVICE or tier.value in came
    ]
    return found, people * week.total_seconds() / 3600, people


def forecast(counts: Sequence[float], *, ahead: int = AHEAD) -> Forecast | None:
    """Return the damped trend of weekly counts, the oldest first; None with fewer than six weeks."""
    if len(counts) < FEWEST:
        return None
    level, trend = float(counts[0]), float(counts[1] - counts[0]) / 2
    errors, plain = [], []
    for before, count in pairwise(counts):
        expected = max(0.0, level + DAMPING * trend)
        errors.append(abs(count - expected))
        plain.append(abs(count - before))
        raised = LEVEL * count + (1 - LEVEL) * (level + DAMPING * trend)
        trend = TREND * (raised - level) + (1 - TREND) * DAMPING * trend
        level = raised
    scored = errors[len(errors) // 3 :]  # the first weeks only teach it
    spread = sorted(scored)[min(len(scored) - 1, int(NINE_OF_TEN * len(scored)))]
    weeks, damped = [], 0.0
    for step in range(1, ahead + 1):
        damped += DAMPING**step
        expected, wide = max(0.0, level + damped * trend), spread * sqrt(step)
        weeks.append((expected, max(0.0, expected - wide), expected + wide))
    return Forecast(tuple(weeks), sum(scored) / len(scored), sum(plain[len(plain) // 3 :]) / len(scored))


def _since_first(counts: Sequence[int]) -> Sequence[int]:
    """Leave out the empty weeks before the desk opened."""
    first = next((place for place, count in enumerate(counts) if count), len(counts))
    return counts[first:]


def _monday(now: dt.datetime) -> dt.datetime:
    local = localtime(now)
    return (local - dt.timedelta(days=local.weekday())).replace(hour=0, minute=0, second=0, microsecond=0)
