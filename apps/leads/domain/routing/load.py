"""How the leads of a pool are shared: who can take one now, and who got how many beside their weight."""

import datetime as dt
from dataclasses import dataclass

from django.db.models import Count

from apps.leads.domain.routing.pools import Candidate, crews
from apps.leads.models import Pool, RoutingDecision

DAYS = 30


@dataclass(frozen=True)
class Share:
    """One person of a pool."""

    candidate: Candidate
    given: int
    part: float
    due: float


def load_of(pool: Pool, *, at: dt.datetime) -> list[Share]:
    """Return everybody of a pool with the leads they got in the last days, their part, and the part of their weight."""
    candidates = crews([pool.pk], at=at)[pool.pk].candidates
    rows = RoutingDecision.objects.filter(pool=pool, at__gte=at - dt.timedelta(days=DAYS), to_person__isnull=False)
    given = dict(rows.order_by().values_list("to_person").annotate(n=Count("pk")))
    total, weights = sum(given.get(each.person, 0) for each in candidates), sum(each.weight for each in candidates)
    return [
        Share(each, given.get(each.person, 0), _part(given.get(each.person, 0), total), _part(each.weight, weights))
        for each in candidates
    ]


def _part(number: int, of: int) -> float:
    return 100 * number / of if of else 0.0
