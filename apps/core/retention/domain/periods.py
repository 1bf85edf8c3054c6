"""How long something is kept, as staff tuned it."""

import datetime as dt

from apps.core.retention.models import RetentionPeriod
from apps.core.retention.registry import Period


def days_kept(period: Period) -> int:
    """Return the days of the row, those declared where there is none; never outside the declared limits."""
    tuned = RetentionPeriod.objects.filter(key=period.key, archived_at__isnull=True).values_list("days", flat=True)
    days = tuned.first()
    return period.days if days is None else min(max(days, period.least), period.most)


def kept(period: Period) -> dt.timedelta:
    """Return how long something is kept."""
    return dt.timedelta(days=days_kept(period))
