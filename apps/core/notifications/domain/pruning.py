"""What is put away after a while: read notifications, old lines of the mail log, stored mail."""

import datetime as dt

from django.conf import settings
from django.db.models import Q

from apps.core import clock
from apps.core.notifications.enums import DeliveryState
from apps.core.notifications.models import Delivery, Notification, StoredMail
from apps.core.retention.domain.periods import kept
from apps.core.retention.registry import Period, register_period

READ = register_period(Period("notifications.read", "Notifications that were read", 180, 30, 730, "reading"))
UNREAD = register_period(Period("notifications.unread", "Notifications nobody read", 730, 90, 1825, "sending"))
LOG = register_period(Period("notifications.log", "Mail log", 365, 30, 1825, "sending"))
MAIL = register_period(Period("notifications.mail", "Mail kept where there is no server", 90, 1, 365, "sending"))


def prune() -> dict[str, int]:
    """Delete what is older than its time; returns how many rows of each kind.

    Mail that may hold the key to an account goes as soon as such keys have expired.
    """
    now = clock.now()
    secret_kept = dt.timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT)
    mail = Q(created_at__lt=now - kept(MAIL)) | Q(is_sensitive=True, created_at__lt=now - secret_kept)
    told = Q(read_at__lt=now - kept(READ)) | Q(created_at__lt=now - kept(UNREAD))
    over = (DeliveryState.SENT, DeliveryState.CANCELLED, DeliveryState.DEAD)
    log = Q(state__in=over, created_at__lt=now - kept(LOG))
    return {
        "mail": StoredMail.objects.filter(mail).delete()[0],
        "log_lines": Delivery.objects.filter(log).delete()[0],
        "notifications": Notification.objects.filter(told).exclude(deliveries__state=DeliveryState.QUEUED).delete()[0],
    }
