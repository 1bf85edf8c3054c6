"""What compliance rules can check of campaigns, every night and when one is launched."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.db.models import Q, QuerySet

from apps.campaigns.enums import CampaignState
from apps.campaigns.models import Campaign
from apps.core.conformity import unmet_rules
from apps.processes.domain.queries import unfinished_runs
from apps.processes.registry import register_check

# what a stage of a policy about campaigns can ask to be true first
PRECONDITIONS = {"complies": unmet_rules, "checklist_done": unfinished_runs}
DAYS_TO_CLOSE = 30
_OVER = (CampaignState.CLOSED, CampaignState.CANCELLED)
_NO_OWNER = Q(owner_person__isnull=True, owner_team__isnull=True)
_NO_BACKUP = Q(backup_person__isnull=True, backup_team__isnull=True)


def under_way() -> "QuerySet[Any]":
    """Return the campaigns that are neither closed nor cancelled."""
    return Campaign.objects.live().exclude(state__in=_OVER)


def owned(rows: "QuerySet[Any]", at: dt.datetime) -> Mapping[int, str]:
    """Somebody answers for a campaign, and somebody stands in."""
    nobody = dict.fromkeys(rows.filter(_NO_OWNER).values_list("pk", flat=True), "Nobody answers for it.")
    alone = rows.filter(_NO_BACKUP).exclude(_NO_OWNER).values_list("pk", flat=True)
    return {**dict.fromkeys(alone, "Nobody stands in for its owner."), **nobody}


def closed_in_time(rows: "QuerySet[Any]", at: dt.datetime) -> Mapping[int, str]:
    """A campaign that was live is closed soon after its last day."""
    began = (CampaignState.LIVE, CampaignState.PAUSED, CampaignState.COMPLETED)
    late = rows.filter(state__in=began, ends_on__lt=at.date() - dt.timedelta(days=DAYS_TO_CLOSE))
    return {pk: f"It ended on {day:%-d %B %Y} and is not closed." for pk, day in late.values_list("pk", "ends_on")}


def register() -> None:
    """Make them known."""
    register_check(
        "campaigns.owned",
        "A campaign has an owner and a backup",
        under_way,
        owned,
        help="Fails where nobody answers for a campaign under way, or nobody stands in; it is not launched until then.",
        way_out="Name an owner and a backup on its page.",
    )
    register_check(
        "campaigns.closed",
        f"A campaign is closed within {DAYS_TO_CLOSE} days of its end",
        under_way,
        closed_in_time,
        help="Fails where a campaign is long over and nobody has written down what came of it.",
        way_out="Close it on its page: what came of it, and what was learned.",
    )
