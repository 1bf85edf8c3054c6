"""Leads that nobody can take: an alert says so before they are forgotten."""

import datetime as dt

from apps.core import clock
from apps.core.alerts.domain.alerting import raise_alert, resolve_alert
from apps.leads.enums import OPEN_STAGES
from apps.leads.models import Lead, WaitingLead

ALERT, PATIENCE = "leads.unassigned", dt.timedelta(hours=4)


def watch(*, at: dt.datetime | None = None) -> int:
    """Raise an alert while leads wait for a pool, or for anybody, longer than they should; return how many do."""
    limit = (at or clock.now()) - PATIENCE
    for_pool = WaitingLead.objects.filter(since__lt=limit, lead__archived_at__isnull=True)
    unowned = Lead.objects.unowned().filter(stage__in=OPEN_STAGES, created_at__lt=limit)
    waits = for_pool.count() + unowned.count()
    if not waits:
        resolve_alert(ALERT, why="Every lead has somebody.")
        return 0
    noun = "lead waits" if waits == 1 else "leads wait"
    raise_alert(
        ALERT,
        title=f"{waits:,} {noun} for somebody for more than {PATIENCE.seconds // 3600} hours.",
        severity="warning",
        detail="Nobody of the pool is free, or no rules of routing are in force.",
        runbook="Leads → Pools says who is passed over and why. Raise a limit, add somebody, or give the leads away.",
    )
    return waits
