"""How long a campaign was in each of its states, and how long setting up and launching took."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connection

from apps.campaigns.enums import CampaignState
from apps.campaigns.models import Campaign, StateChange


@dataclass(frozen=True)
class Interval:
    """One stay in a state; `until` is None while it lasts."""

    state: CampaignState
    since: dt.datetime
    until: dt.datetime | None
    lasted: dt.timedelta
    who: str
    reason: str

    @property
    def words(self) -> str:
        """How long it lasted, in the unit that fits."""
        hours = self.lasted.total_seconds() / 3600
        if hours < 1:
            return f"{max(round(hours * 60), 0)} min"
        return f"{hours:.0f} h" if hours < 48 else f"{hours / 24:.0f} days"


def intervals_of(campaign: Campaign, now: dt.datetime) -> list[Interval]:
    """Return the stays of a campaign in its states, oldest first."""
    changes = list(StateChange.objects.filter(campaign=campaign).order_by("pk"))
    ends: list[dt.datetime | None] = [each.at for each in changes[1:]]
    return [
        Interval(
            CampaignState(change.state),
            change.at,
            end,
            (end or now) - change.at,
            change.actor_label or "mops",
            change.reason,
        )
        for change, end in zip(changes, [*ends, None], strict=True)
    ]


@dataclass(frozen=True)
class Cycle:
    """What setting up and launching took: medians in hours, None where nothing was sent or launched."""

    sent: int
    launched: int
    set_up_hours: float | None
    launch_hours: float | None


# Of campaigns that began since a day: from the first entry of the trail to the first time sent for approval, and to
# the first time live; medians, since a few that lay still for months say nothing about the others. For each template,
# for all of them, and for what was set up without one.
_BY_TEMPLATE = """
    SELECT coalesce(t.name, ''), count(*), count(*) FILTER (WHERE sent IS NOT NULL),
           count(*) FILTER (WHERE live IS NOT NULL),
           percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM sent - begun) / 3600),
           percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM live - begun) / 3600),
           GROUPING(t.name), (u.id IS NOT NULL)
    FROM (SELECT campaign_id, min(at) AS begun, min(at) FILTER (WHERE state = 'in_approval') AS sent,
                 min(at) FILTER (WHERE state = 'live') AS live
          FROM campaigns_statechange GROUP BY campaign_id) c
    LEFT JOIN campaigns_templateuse u ON u.campaign_id = c.campaign_id
    LEFT JOIN campaigns_campaigntemplateversion v ON v.id = u.version_id
    LEFT JOIN campaigns_campaigntemplate t ON t.id = v.template_id
    WHERE begun >= %(since)s
    GROUP BY GROUPING SETS ((u.id IS NOT NULL, t.name), (u.id IS NOT NULL))
    ORDER BY 8, 7 DESC, 1
"""


@dataclass(frozen=True)
class CycleLine:
    """What setting up and launching took with a template, with all templates together, or without one."""

    label: str
    campaigns: int
    cycle: Cycle
    is_sum: bool
    with_template: bool


def cycle_times_by_template(since: dt.datetime) -> list[CycleLine]:
    """Return the medians of what began since then: without a template, with templates together, by template."""
    with connection.cursor() as cursor:
        cursor.execute(_BY_TEMPLATE, {"since": since})
        rows = cursor.fetchall()
    lines = []
    for name, number, sent, live, set_up, launch, is_sum, with_template in rows:
        if not with_template and not is_sum:
            continue
        label = ("With a template" if with_template else "Without a template") if is_sum else name
        lines.append(CycleLine(label, number, Cycle(sent, live, set_up, launch), bool(is_sum), with_template))
    return lines


def saved_percent(lines: Iterable[CycleLine]) -> int | None:
    """Return by how many percent set-up is shorter with a template; None where one of the two was not measured."""
    sums = {each.with_template: each.cycle.set_up_hours for each in lines if each.is_sum}
    without, with_one = sums.get(False), sums.get(True)
    return round(100 * (1 - with_one / without)) if without and with_one is not None else None
