"""Watching a live campaign: figures are compared with the range they were agreed to stay in, and the owner alerted."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.models import Sum

from apps.campaigns.enums import CampaignState
from apps.campaigns.models import Campaign, MetricDay, Threshold
from apps.core import clock
from apps.core.actors import acting_as, system_principal
from apps.core.alerts.domain.alerting import raise_alert, resolve_alert
from apps.core.gates import Finding
from apps.core.transitions import transition

CHART_DAYS = 14
# The sum of each threshold's own days up to yesterday, for campaigns that are live; those without figures are left out.
_SUMS = """
    SELECT t.id, sum(m.value) FROM campaigns_threshold t
    JOIN campaigns_campaign c ON c.id = t.campaign_id AND c.state = %(live)s AND c.archived_at IS NULL
    JOIN campaigns_metricday m ON m.campaign_id = t.campaign_id AND m.metric = t.metric
         AND m.day < %(today)s AND m.day >= %(today)s::date - t.days
    WHERE t.archived_at IS NULL AND c.launched_at < %(today)s::date - t.days
    GROUP BY t.id
"""
_WRITE = """
    INSERT INTO campaigns_metricday AS had (campaign_id, metric, day, value, source)
    SELECT * FROM unnest(%s::bigint[], %s::text[], %s::date[], %s::numeric[], %s::text[])
    ON CONFLICT (campaign_id, metric, day) DO UPDATE SET value = excluded.value, source = excluded.source
    WHERE had.value IS DISTINCT FROM excluded.value
"""


class Figure(NamedTuple):
    """One figure of one day, as it comes in."""

    campaign_id: int
    metric: str
    day: dt.date
    value: Decimal
    source: str = ""


@dataclass(frozen=True)
class Total:
    """One figure of a campaign over all its days, and its last days one by one."""

    metric: str
    total: Decimal
    threshold: Threshold | None


def is_outside(value: Decimal, low: Decimal | None, high: Decimal | None, *, was: bool, margin: int) -> bool:
    """Whether a figure is outside its range.

    Args:
        value: the figure.
        low: the lower limit, itself inside.
        high: the upper limit, itself inside.
        was: whether it was outside before; then it must come inside by `margin`, so that an alert does not flicker.
        margin: in percent of the limit.
    """
    inward = Decimal(margin) / 100 if was else Decimal(0)
    if low is not None and value < low + abs(low) * inward:
        return True
    return high is not None and value > high - abs(high) * inward


def write_figures(figures: Iterable[Figure]) -> int:
    """Write figures by day; what is there already with another value is replaced. Returns how many differ."""
    columns: list[list[Any]] = [list(column) for column in zip(*figures, strict=True)]
    if not columns:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(_WRITE, columns)
        return int(cursor.rowcount)


def threshold_finding(campaign: Campaign, today: dt.date) -> Finding:
    """Say whether it is agreed which figures are watched."""
    agreed = campaign.live_parts("thresholds")
    if not agreed:
        return Finding(False, "no threshold is set; take it back to planning and say which figure must stay where")
    return Finding(True, "; ".join(map(str, agreed)))


def totals_of(campaign: Campaign) -> list[Total]:
    """Return every figure of a campaign with its sum and threshold, by name."""
    agreed = {each.metric: each for each in campaign.live_parts("thresholds")}
    rows = MetricDay.objects.filter(campaign=campaign).values_list("metric").annotate(Sum("value")).order_by("metric")
    sums = dict(rows)
    return [Total(name, sums.get(name, Decimal(0)), agreed.get(name)) for name in sorted({*sums, *agreed})]


def days_of(campaign: Campaign, metric: str) -> list[tuple[dt.date, Decimal]]:
    """Return the last days of one figure, oldest first."""
    rows = MetricDay.objects.filter(campaign=campaign, metric=metric).order_by("-day")
    return list(reversed(rows.values_list("day", "value")[:CHART_DAYS]))


def watch(today: dt.date, *, now: dt.datetime | None = None) -> dict[str, int]:
    """Compare what live campaigns did with their thresholds; alert their owners, and end alerts that are over.

    A campaign is watched once it has been live for as many days as the threshold sums up.
    """
    sums = sums_in_window(today)
    counts = {"watched": len(sums), "outside": 0, "back": 0}
    for key, value in sums.items():
        became = _judge(key, value, now or clock.now())
        if became:
            counts[became] += 1
    return counts


def sums_in_window(today: dt.date) -> dict[int, Decimal]:
    """Return what the figure of each threshold of a live campaign came to in its days up to yesterday, in one go."""
    with connection.cursor() as cursor:
        cursor.execute(_SUMS, {"live": CampaignState.LIVE.value, "today": today})
        return dict(cursor.fetchall())


def _judge(key: int, value: Decimal, now: dt.datetime) -> str:
    """Write down where one figure stands: "outside" when it is, "back" when it has just come inside, else ""."""
    with transaction.atomic(), acting_as(system_principal(), reason="Compared with its threshold"):
        row = Threshold.objects.select_for_update(of=("self",)).select_related("campaign").get(pk=key)
        was = row.out_since is not None
        outside = is_outside(value, row.low, row.high, was=was, margin=row.margin)
        if outside != was or row.last_value != value:
            row.out_since, row.last_value = (row.out_since or now) if outside else None, value
            with transition(Threshold):
                row.save(update_fields=["out_since", "last_value"])
        campaign, cause = row.campaign, f"campaign.threshold:{row.pk}"
        if outside:
            raise_alert(
                cause,
                title=f"{campaign}: {row.metric} is {value.normalize():,f}, expected {row.range_words}",
                severity="warning",
                detail=f"Sum of the last {row.days} whole days; outside since {row.out_since:%Y-%m-%d}.",
                subject=campaign,
                owner=campaign.owner,
                runbook=row.runbook,
            )
            return "outside"
        if was:
            resolve_alert(cause, why=f"{row.metric} is {value.normalize():,f}: {row.range_words} again.")
            return "back"
    return ""
