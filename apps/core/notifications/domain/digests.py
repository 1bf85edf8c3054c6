"""The daily digest: one mail a day and person with what waited for it."""

import datetime as dt
import zoneinfo
from typing import Any

from django.contrib.auth import get_user_model
from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.core import clock
from apps.core.notifications.domain.preferring import DEFAULT_DIGEST_AT
from apps.core.notifications.domain.quiet import after_quiet_hours, zone_of
from apps.core.notifications.enums import MailChannel
from apps.core.notifications.models import Delivery, Notification


def is_due(moment: dt.datetime, zone: zoneinfo.ZoneInfo, digest_at: dt.time) -> bool:
    """Whether at `moment` the time of day for the digest has come in `zone`."""
    return moment.astimezone(zone).time() >= digest_at


def queue_digests() -> int:
    """Queue today's digest of everybody whose hour has come and for whom something waits; returns how many."""
    now, queued = clock.now(), 0
    default = zoneinfo.ZoneInfo(timezone.get_default_timezone_name())
    waiting = Notification.objects.filter(in_digest=True, digest__isnull=True, read_at__isnull=True)
    people = (
        get_user_model()
        ._default_manager.filter(pk__in=waiting.values("recipient"), is_active=True)
        .select_related("mail_hours")
    )
    for person in people.order_by("pk").iterator():
        zone, hours = zone_of(person.time_zone, default), getattr(person, "mail_hours", None)
        if is_due(now, zone, hours.digest_at if hours else DEFAULT_DIGEST_AT):
            start = after_quiet_hours(now, zone, hours.quiet_from, hours.quiet_until) if hours else now
            queued += _queue(person, now, now.astimezone(zone).date(), start)
    return queued


def _queue(person: Any, now: dt.datetime, day: dt.date, start: dt.datetime) -> int:
    """Queue one digest; 0 when today's exists already."""
    try:
        with transaction.atomic():
            delivery = Delivery.objects.create(
                person=person, channel=MailChannel.DIGEST, digest_day=day, not_before=start, created_at=now
            )
    except IntegrityError:
        return 0
    rows = Notification.objects.filter(recipient=person, in_digest=True, digest__isnull=True, read_at__isnull=True)
    rows.update(digest=delivery)
    return 1
