"""Sending queued mail: each one claimed, sent once, tried again after a pause, given up in the open.

A mail is claimed in a transaction of its own before it is handed to the server, and never handed over a second time
unless the server refused it: where a process dies in between, nobody knows whether it arrived, and a person decides.
"""

import datetime as dt
import smtplib
from collections import Counter
from typing import Any

import structlog
from django.core.mail import get_connection
from django.db import transaction

from apps.core import access, clock
from apps.core.actors import acting_as
from apps.core.alerts.domain.alerting import raise_alert, resolve_alert
from apps.core.errors import NotAllowed, WrongState
from apps.core.notifications.domain.composing import compose, message_id_of
from apps.core.notifications.domain.links import Readable, readable
from apps.core.notifications.enums import DeliveryState
from apps.core.notifications.models import Delivery, Notification
from apps.core.redaction import redact

log = structlog.get_logger(__name__)
PAUSES = tuple(dt.timedelta(minutes=each) for each in (1, 5, 30, 120, 360))
STUCK_AFTER = dt.timedelta(minutes=15)
DEAD_ALERT = "mail.dead"
LONGEST_ERROR = 1000
UNKNOWN = (
    "The process ended while it was sending: whether the mail arrived is not known. "
    "Look for its message id in the log of the mail server, and send it again if it is not there."
)


def deliver_due(*, most: int = 100) -> dict[str, int]:
    """Send at most `most` mails that are due; returns how many ended in which state."""
    counts: Counter[str] = Counter()
    server = get_connection()
    try:
        for _ in range(most):
            delivery = _claim()
            if delivery is None:
                break
            counts[_deliver(delivery, server)] += 1
    finally:
        server.close()
    return dict(counts)


def give_up_stuck() -> int:
    """End deliveries whose process died while sending; returns how many."""
    before = clock.now() - STUCK_AFTER
    stuck = Delivery.objects.filter(state=DeliveryState.SENDING, claimed_at__lt=before).select_related("person")
    number = 0
    for delivery in stuck:
        if _finish(delivery, DeliveryState.DEAD, error=UNKNOWN):
            _alert(delivery, UNKNOWN)
            number += 1
    return number


def refuse_resend(user: Any, delivery: Delivery) -> str | None:
    """Return why `user` cannot have the mail sent again, None when it works."""
    if not (user.has_perm("notifications.oversee_delivery") and access.can(user, "change", delivery)):
        return "Only who looks after the mail log sends mail again."
    if delivery.state != DeliveryState.DEAD:
        return f"This mail is not given up but {delivery.get_state_display().lower()}."
    return None


def resend(delivery: Delivery, *, by: Any) -> str:
    """Queue a mail that was given up once more, with as many tries as a new one has.

    Raises:
        NotAllowed: `by` does not look after the mail log.
        WrongState: it is not given up.
    """
    with transaction.atomic(), acting_as(by):
        row = Delivery.objects.select_for_update(of=("self",)).get(pk=delivery.pk)
        if refused := refuse_resend(by, row):
            raise (WrongState if access.may(by, "change", row) else NotAllowed)(refused)
        row.state, row.attempts, row.not_before = DeliveryState.QUEUED, 0, clock.now()
        row.save(update_fields=["state", "attempts", "not_before"])
        if not Delivery.objects.filter(state=DeliveryState.DEAD).exists():
            resolve_alert(DEAD_ALERT, why="Everything that was given up is being sent again.")
    return f"The mail to {row.person} is queued again."


def _claim() -> Delivery | None:
    now = clock.now()
    with transaction.atomic():
        due = Delivery.objects.filter(state=DeliveryState.QUEUED, not_before__lte=now).order_by("not_before", "pk")
        delivery = (
            due.select_for_update(of=("self",), skip_locked=True).select_related("person", "notification").first()
        )
        if delivery is None:
            return None
        delivery.state, delivery.claimed_at = DeliveryState.SENDING, now
        delivery.attempts += 1
        delivery.address, delivery.message_id = delivery.person.email, message_id_of(delivery)
        delivery.save(update_fields=["state", "claimed_at", "attempts", "address", "message_id"])
    return delivery


def _deliver(delivery: Delivery, server: Any) -> str:
    told = _told(delivery)
    if (why_not := _why_not(delivery, told)) is not None:
        _finish(delivery, DeliveryState.CANCELLED, error=why_not)
        return DeliveryState.CANCELLED
    try:
        message = compose(delivery, told)
        message.connection = server
        message.send()
    except Exception as error:  # noqa: BLE001  # whatever one mail does, it ends in words and the others go on
        server.close()
        return _failed(delivery, error)
    _finish(delivery, DeliveryState.SENT)
    return DeliveryState.SENT


def _told(delivery: Delivery) -> list[Readable]:
    rows: Any = [delivery.notification] if delivery.notification_id else _digested(delivery)
    return [
        each for each in readable(delivery.person, rows) if not each.is_hidden and each.notification.read_at is None
    ]


def _digested(delivery: Delivery) -> list[Notification]:
    return list(Notification.objects.filter(digest=delivery).order_by("-pk"))


def _why_not(delivery: Delivery, told: list[Readable]) -> str | None:
    if not delivery.person.is_active:
        return f"{delivery.person} was deactivated before it was sent."
    if told:
        return None
    row = delivery.notification
    if row is not None and row.read_at is None:
        return f"{delivery.person} may not see what it is about."
    return "It was read in mops before the mail was sent."


def _failed(delivery: Delivery, error: Exception) -> str:
    """Try again later, or give up when the server said never or the tries are used up."""
    sentence = redact(f"{type(error).__name__}: {_reason(error)}")[:LONGEST_ERROR]
    final = _is_final(error) or delivery.attempts > len(PAUSES)
    log.warning("mail.failed", delivery=delivery.pk, attempt=delivery.attempts, final=final, error=sentence)
    if final:
        _finish(delivery, DeliveryState.DEAD, error=sentence)
        _alert(delivery, sentence)
        return DeliveryState.DEAD
    pause = PAUSES[delivery.attempts - 1]
    delivery.state, delivery.error, delivery.not_before = DeliveryState.QUEUED, sentence, clock.now() + pause
    delivery.save(update_fields=["state", "error", "not_before"])
    return "postponed"


def _reason(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return "; ".join(f"{code} {_text(text)}" for code, text in error.recipients.values())
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code} {_text(error.smtp_error)}"
    return str(error)


def _text(answer: bytes | str) -> str:
    return answer.decode(errors="replace") if isinstance(answer, bytes) else answer


def _is_final(error: Exception) -> bool:
    """Whether trying again is useless: the server refused this mail for good, or it cannot be written at all."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(code >= 500 for code, _ in error.recipients.values())
    if isinstance(error, (smtplib.SMTPAuthenticationError, smtplib.SMTPConnectError, smtplib.SMTPHeloError)):
        return False
    if isinstance(error, smtplib.SMTPResponseException):
        return 500 <= error.smtp_code < 600
    return not isinstance(error, (OSError, smtplib.SMTPException))


def _finish(delivery: Delivery, state: DeliveryState, *, error: str = "") -> int:
    now = clock.now()
    delivery.state = state
    return Delivery.objects.filter(pk=delivery.pk, state=DeliveryState.SENDING).update(
        state=state, error=error, sent_at=now if state == DeliveryState.SENT else None
    )


def _alert(delivery: Delivery, sentence: str) -> None:
    raise_alert(
        DEAD_ALERT,
        title="Mail to people has been given up",
        severity="warning",
        detail=f"The last one was to {delivery.person}. {sentence}",
        runbook="Open the mail log, look at those given up, mend the cause, and send them again from there.",
    )
