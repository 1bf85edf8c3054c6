"""Answers that go out by mail: to people from outside, and to colleagues who asked by mail; each sent once."""

import datetime as dt
import smtplib
from collections import Counter
from typing import Any

import structlog
from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db import transaction

from apps.core import clock
from apps.core.alerts.domain.alerting import raise_alert
from apps.tickets.domain.mail import tokens
from apps.tickets.enums import Intake, SentState
from apps.tickets.models import Mailbox, Message, ReceivedMail, SentMail, Ticket

PAUSES = tuple(dt.timedelta(minutes=each) for each in (1, 5, 30, 120, 360))
STUCK_AFTER = dt.timedelta(minutes=15)
MOST_REFERENCES = 20
UNKNOWN = (
    "The process ended while it was sending: whether the mail arrived is not known. "
    "Look for its message id in the log of the mail server before you answer again."
)
log = structlog.get_logger(__name__)


def queue_answer(message: Message) -> bool:
    """Queue a public answer as a mail where its requester reads mail; returns whether they do."""
    ticket = message.ticket
    address = address_of(ticket)
    if not address:
        return False
    box = mailbox_of(ticket)
    SentMail.objects.create(
        message=message,
        ticket=ticket,
        address=address,
        header_id=tokens.header_id_of(message, box.address if box is not None else ""),
        not_before=clock.now(),
    )
    return True


def address_of(ticket: Ticket) -> str:
    """Return where answers of a ticket go by mail; empty for colleagues who asked by another door."""
    if ticket.requester is None:
        return "" if ticket.intake == Intake.IMPORT else str(ticket.requester_email)
    return str(ticket.requester.email) if ticket.intake == Intake.MAIL else ""


def mailbox_of(ticket: Ticket) -> Mailbox | None:
    """Return the mailbox that answers of a ticket go out from: the one it came through, else one of its queue."""
    came = ReceivedMail.objects.filter(ticket=ticket).select_related("mailbox").order_by("id").first()
    if came is not None and not came.mailbox.is_archived:
        return came.mailbox
    boxes = Mailbox.objects.live().filter(is_active=True)
    found: Mailbox | None = boxes.filter(queue=ticket.queue).first() or boxes.filter(queue__isnull=True).first()
    return found


def send_due(*, most: int = 100) -> dict[str, int]:
    """Send at most `most` answers that are due; returns how many ended in which state."""
    counts: Counter[str] = Counter()
    server = get_connection()
    try:
        for _ in range(most):
            mail = _claim()
            if mail is None:
                break
            counts[_send(mail, server)] += 1
    finally:
        server.close()
    return dict(counts)


def give_up_stuck() -> int:
    """End answers whose process died while sending; returns how many."""
    stuck = SentMail.objects.filter(state=SentState.SENDING, claimed_at__lt=clock.now() - STUCK_AFTER)
    number = 0
    for mail in stuck.select_related("ticket"):
        number += SentMail.objects.filter(pk=mail.pk, state=SentState.SENDING).update(
            state=SentState.DEAD, error=UNKNOWN
        )
        _alert(mail, UNKNOWN)
    return number


def compose(mail: SentMail) -> EmailMessage:
    """Return the mail of an answer: plain words, with everything by which the next mail finds its ticket."""
    message, ticket = mail.message, mail.ticket
    box = mailbox_of(ticket)
    refers = list(
        ReceivedMail.objects.filter(ticket=ticket)
        .exclude(header_id="")
        .order_by("id")
        .values_list("header_id", flat=True)
    )[-MOST_REFERENCES:]
    headers = {"Message-ID": mail.header_id, "X-Auto-Response-Suppress": "All"}
    if refers:
        headers |= {"In-Reply-To": refers[-1], "References": " ".join(refers)}
    return EmailMessage(
        subject=tokens.subject_with_token(ticket),
        body=f"{message.body}\n\n-- \n{ticket.ref}: answer to this mail, and your words go on the ticket.\n",
        from_email=box.address if box is not None else settings.DEFAULT_FROM_EMAIL,
        to=[mail.address],
        reply_to=[tokens.address_with_token(box, ticket)] if box is not None else None,
        headers=headers,
    )


def _claim() -> SentMail | None:
    with transaction.atomic():
        due = SentMail.objects.filter(state=SentState.QUEUED, not_before__lte=clock.now()).order_by("not_before", "pk")
        mail: SentMail | None = due.select_for_update(of=("self",), skip_locked=True).first()
        if mail is None:
            return None
        mail.state, mail.claimed_at, mail.attempts = SentState.SENDING, clock.now(), mail.attempts + 1
        mail.save(update_fields=["state", "claimed_at", "attempts"])
    return SentMail.objects.select_related("message", "ticket__queue", "ticket__requester").get(pk=mail.pk)


def _send(mail: SentMail, server: Any) -> str:
    try:
        message = compose(mail)
        message.connection = server
        message.send()
    except Exception as error:  # noqa: BLE001  # whatever one mail does, it ends in words and the others go on
        server.close()
        return _failed(mail, error)
    SentMail.objects.filter(pk=mail.pk).update(state=SentState.SENT, sent_at=clock.now(), error="")
    return SentState.SENT.value


def _failed(mail: SentMail, error: Exception) -> str:
    words = f"{type(error).__name__}: {error}"[:1000]
    never = isinstance(error, (smtplib.SMTPRecipientsRefused, smtplib.SMTPNotSupportedError, ValueError))
    final = never or mail.attempts > len(PAUSES)
    log.warning("answer.failed", mail=mail.pk, attempt=mail.attempts, final=final, error=words)
    if final:
        SentMail.objects.filter(pk=mail.pk).update(state=SentState.DEAD, error=words)
        _alert(mail, words)
        return SentState.DEAD.value
    later = clock.now() + PAUSES[mail.attempts - 1]
    SentMail.objects.filter(pk=mail.pk).update(state=SentState.QUEUED, error=words, not_before=later)
    return "postponed"


def _alert(mail: SentMail, words: str) -> None:
    raise_alert(
        "tickets.answer_dead",
        title=f"An answer on {mail.ticket.ref} could not be sent by mail.",
        severity="critical",
        detail=words,
        runbook="The requester has not read it. Check the address, then answer again.",
    )
