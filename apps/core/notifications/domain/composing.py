"""The words of a mail: plain text and HTML, plain addresses, headers that say a machine wrote it; no tracking."""

from email.utils import parseaddr
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse

from apps.core.notifications.domain.links import Readable
from apps.core.notifications.mail import KIND_HEADER
from apps.core.notifications.models import Delivery

MOST_IN_DIGEST = 50


def message_id_of(delivery: Delivery) -> str:
    """Return the id of the mail: the same at every try, so that a repetition is recognised on the way."""
    return f"<delivery-{delivery.pk}-{delivery.created_at:%Y%m%d%H%M%S}@{_domain()}>"


def compose(delivery: Delivery, told: list[Readable]) -> EmailMultiAlternatives:
    """Return the mail of a delivery.

    Args:
        delivery: with its person loaded.
        told: one notification, or those of a digest, as the person may read them now.
    """
    is_digest = delivery.notification_id is None
    name = "digest" if is_digest else "notification"
    kind = "digest" if is_digest else told[0].notification.kind
    subject = told[0].notification.title
    if is_digest:
        subject = f"{len(told)} notifications" if len(told) > 1 else f"Digest: {subject}"
    base = settings.PUBLIC_URL
    context: dict[str, Any] = {
        "person": delivery.person,
        "told": told[:MOST_IN_DIGEST],
        "more": max(0, len(told) - MOST_IN_DIGEST),
        "subject": subject,
        "base": base,
        "inbox": base + reverse("admin:notifications_notification_changelist"),
        "preferences": base + reverse("admin:notifications_notification_preferences"),
    }
    message = EmailMultiAlternatives(
        subject=" ".join(f"[mops] {subject}".split()),
        body=render_to_string(f"email/mops/{name}.txt", context).strip() + "\n",
        to=[delivery.person.email],
        headers={
            "Message-ID": message_id_of(delivery),
            "List-Id": f"mops notifications <notifications.{_domain()}>",
            "Auto-Submitted": "auto-generated",
            "X-Auto-Response-Suppress": "All",
            KIND_HEADER: kind,
        },
    )
    message.attach_alternative(render_to_string(f"email/mops/{name}.html", context), "text/html")
    return message


def _domain() -> str:
    return parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
