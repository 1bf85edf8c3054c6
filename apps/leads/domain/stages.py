"""How leads move through their stages: how long they stay, who is stuck, and how many of a month go on to sales."""

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import Count, Exists, F, Max, Min, OuterRef
from django.db.models.functions import TruncMonth

from apps.core import access
from apps.leads.enums import Stage
from apps.leads.models import Lead, StageInterval

if TYPE_CHECKING:
    from apps.accounts.models import User

ON_THE_WAY = (Stage.MQL, Stage.SQL)
GOAL = 0.35  # of the leads that became MQL, those that became SQL


@dataclass(frozen=True)
class Stay:
    """One stretch in a stage."""

    interval: StageInterval
    days: int

    @property
    def words(self) -> str:
        """How long, in words."""
        return "less than a day" if not self.days else "1 day" if self.days == 1 else f"{self.days:,} days"


@dataclass(frozen=True)
class StageFigures:
    """One stage: who is there, and how long those stayed who have left it."""

    stage: Stage
    leads: int
    left: int
    median_days: float | None


@dataclass(frozen=True)
class Cohort:
    """The leads that became MQL in a month: how many became SQL since, whenever that was."""

    month: dt.date
    qualified: int
    accepted: int

    @property
    def share(self) -> float:
        """The part that was accepted."""
        return self.accepted / self.qualified

    @property
    def is_met(self) -> bool:
        """Whether it reaches the goal."""
        return self.share >= GOAL


def stages_of(lead: Lead, *, now: dt.datetime) -> list[Stay]:
    """Return the stages a lead has been in, the latest first: one query."""
    rows = StageInterval.objects.filter(lead=lead)
    return [Stay(each, ((each.exited_at or now) - each.entered_at).days) for each in rows]


def stuck(rows: "models.QuerySet[Any]", days: int, *, now: dt.datetime) -> "models.QuerySet[Any]":
    """Return those of `rows` on their way to sales that have stood in their stage for more than `days` days."""
    standing = StageInterval.objects.filter(
        lead=OuterRef("pk"), exited_at__isnull=True, entered_at__lt=now - dt.timedelta(days=days)
    )
    return rows.filter(Exists(standing), stage__in=ON_THE_WAY, archived_at__isnull=True)


def figures_by_stage(user: "User", *, now: dt.datetime) -> list[StageFigures]:
    """Return every stage with the leads that `user` sees there and how long leads stay: two queries."""
    there = dict(
        access.visible(user, Lead)
        .filter(archived_at__isnull=True)
        .order_by()
        .values_list("stage")
        .annotate(Count("pk"))
    )
    spent = (
        access.visible(user, StageInterval)
        .filter(exited_at__isnull=False)
        .order_by()
        .values("stage")
        .annotate(left=Count("pk"), median=_Median(F("exited_at") - F("entered_at")))
    )
    known = {row["stage"]: (row["left"], row["median"].total_seconds() / 86_400) for row in spent}
    return [StageFigures(stage, there.get(stage, 0), *known.get(stage, (0, None))) for stage in Stage]


class _Median(models.Aggregate):
    """The middle of the values."""

    function = "PERCENTILE_CONT"
    template = "%(function)s(0.5) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = models.DurationField()


def cohorts(user: "User", *, months: int, now: dt.datetime) -> list[Cohort]:
    """Return the last months with the leads that first became MQL in them: by cohort, so late successes count.

    A lead counts as accepted where it became SQL after that; what was before, as another system told it, does not.
    """
    rows = access.visible(user, StageInterval)
    first = (
        rows.filter(stage=Stage.MQL)
        .order_by()
        .values("lead")
        .annotate(moment=Min("entered_at"), month=TruncMonth(Min("entered_at")))
        .filter(month__gt=now - dt.timedelta(days=31 * months))
    )
    taken = rows.filter(stage=Stage.SQL).order_by().values_list("lead").annotate(Max("entered_at"))
    accepted: dict[int, dt.datetime] = dict(taken)
    found: dict[dt.datetime, list[bool]] = {}
    for row in first:
        latest = accepted.get(row["lead"])
        found.setdefault(row["month"], []).append(latest is not None and latest >= row["moment"])
    return [Cohort(month.date(), len(each), sum(each)) for month, each in sorted(found.items(), reverse=True)]
