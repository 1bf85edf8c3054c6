"""What is put away after a while: read notifications, old lines of the mail log, stored mail."""

import datetime as dt

from django.conf import settings
from django.db.models import Q

from apps.core import clock
from apps.core.notifications.enums import DeliveryState
from apps.core.notifications.models import Delivery, Notification, StoredMail

READ_KEPT = dt.timedelta(days=180)
UNREAD_KEPT = dt.timedelta(days=730)
LOG_KEPT = dt.timedelta(days=365)
MAIL_KEPT = dt.timedelta(days=90)


def prune() -> dict[str, int]:
    """Delete what is older than its time; returns how many rows of each kind.

    Mail that may hold the key to an account goes as soon as such keys have expired.
    """
    now = clock.now()
    secret_kept = dt.timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT)
    mail = Q(created_at__lt=now - MAIL_KEPT) | Q(is_sensitive=True, created_at__lt=now - secret_kept)
    told = Q(read_at__lt=now - READ_KEPT) | Q(created_at__lt=now - UNREAD_KEPT)
    over = (DeliveryState.SENT, DeliveryState.CANCELLED, DeliveryState.DEAD)
    log = Q(state__in=over, created_at__lt=now - LOG_KEPT)
    return {
        "mail": StoredMail.objects.filter(mail).delete()[0],
        "log_lines": Delivery.objects.filter(log).delete()[0],
        "notifications": Notification.objects.filter(told).exclude(deliveries__state=DeliveryState.QUEUED).delete()[0],
    }
