"""Mail without a mail server: every message is kept, and can be read in the product by those it concerns."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from apps.core import clock
from apps.core.notifications.models import StoredMail

KIND_HEADER = "X-Mops-Kind"  # only notifications carry it; mail without it may hold the key to an account
KEPT_HEADERS = (KIND_HEADER, "Reply-To", "List-Id", "Auto-Submitted")
NOT_KEPT = (
    "The text of this mail is not kept: it may hold the key to an account, and this is not a demo. "
    "Set EMAIL_URL so that mail reaches people."
)


def is_in_use() -> bool:
    """Whether mail stays in the product."""
    own = f"{StoredMailBackend.__module__}.{StoredMailBackend.__name__}"
    return bool(own == settings.EMAIL_BACKEND)


class StoredMailBackend(BaseEmailBackend):
    """Django's mail, into `StoredMail`; the same message is stored once, however often it is sent."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Store the messages; returns how many there were."""
        rows = [_row(message) for message in email_messages if message.recipients()]
        StoredMail.objects.bulk_create(rows, ignore_conflicts=True)
        return len(rows)


def _row(message: EmailMessage) -> StoredMail:
    built = message.message()  # what a server would get; refuses line breaks in headers
    sensitive = KIND_HEADER not in message.extra_headers
    keep = settings.DEBUG or not sensitive
    alternatives: list[Any] = getattr(message, "alternatives", None) or []
    html = next((str(content) for content, kind in alternatives if kind == "text/html"), "")
    return StoredMail(
        message_id=str(built["Message-ID"])[:200],
        sender=message.from_email[:254],
        to=", ".join(message.to)[:1000],
        recipients=sorted({address.lower() for address in message.recipients()}),
        subject=str(message.subject)[:500],
        text=str(message.body) if keep else NOT_KEPT,
        html=html if keep else "",
        headers={name: str(built[name]) for name in KEPT_HEADERS if built[name]},
        is_sensitive=sensitive,
        created_at=clock.now(),
    )
