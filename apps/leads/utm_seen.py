"""UTM tags of touches, for the drift report of campaigns: how often each combination came, without saying of whom."""

import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING

from django.db.models import Count, Max, Min

from apps.campaigns.models.utm import PARAMETER
from apps.campaigns.registry import SeenTags, TagWitness, register_witness
from apps.core.access import has_model_permission, visible
from apps.leads.models import Touchpoint

if TYPE_CHECKING:
    from apps.accounts.models import User


def tags_of(utm: Mapping[str, object]) -> tuple[str, str, str, str, str]:
    """Return source, medium, campaign, term and content of a touch, whether its keys begin with "utm_" or not."""
    found = [str(utm.get(name) or utm.get(name.removeprefix("utm_")) or "") for name in PARAMETER.values()]
    return (found[0], found[1], found[2], found[3], found[4])


def seen_in_touches(user: "User", since: dt.date, most: int) -> list[SeenTags]:
    """Return the tags of the touches `user` may see since a day, most often first; machines are left out."""
    if not has_model_permission(user, "view", Touchpoint):
        return []
    begin = dt.datetime.combine(since, dt.time(), dt.UTC)
    rows = visible(user, Touchpoint).filter(occurred_at__gte=begin, is_machine=False).exclude(utm={})
    counted = (
        rows.order_by().values_list("utm").annotate(n=Count("pk"), first=Min("occurred_at"), last=Max("occurred_at"))
    )
    sums: dict[tuple[str, str, str, str, str], SeenTags] = {}
    for utm, number, first, last in counted.order_by("-n")[:most]:
        tags = tags_of(utm)
        had = sums.get(tags) or SeenTags(tags, 0, first.date(), last.date(), "")
        sums[tags] = SeenTags(tags, had.number + number, min(had.first, first.date()), max(had.last, last.date()), "")
    return [each for each in sums.values() if any(each.tags)]


def register() -> None:
    """Let the drift report look into touches."""
    register_witness(TagWitness("leads.touches", "Touches of leads", seen_in_touches))
