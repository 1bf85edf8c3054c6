"""Fetching a mailbox: over a private line, a bounded number of mails of a bounded size at a time, each exactly once."""

import imaplib
import os
import re
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy

import structlog
from django.db import transaction

from apps.core import clock
from apps.core.alerts.domain.alerting import raise_alert, resolve_alert
from apps.core.errors import DomainError, WrongState
from apps.tickets.domain.mail.reading import read_head
from apps.tickets.domain.mail.receiving import MEGABYTE, MOST_BYTES, receive, refuse_unread
from apps.tickets.enums import MailSecurity
from apps.tickets.models import Mailbox, MailboxState, ReceivedMail

MOST_AT_ONCE = 200
SECONDS = 30
_SIZE = re.compile(rb"RFC822\.SIZE (\d+)")
_QUOTED = re.compile(r"[\r\n\x00]")
log = structlog.get_logger(__name__)
Tick = Callable[[], None]


def fetch(mailbox: Mailbox, *, tick: Tick = lambda: None) -> dict[str, int]:
    """Fetch what is new in a mailbox and take it in; returns how many mails had which outcome.

    A mail that breaks something is kept with its reason and holds up no other. Where the server cannot be reached
    the mailbox says why and an alert is raised.

    Args:
        mailbox: which.
        tick: asked between two mails; raises to stop.
    """
    counts: dict[str, int] = {}
    try:
        with _server(mailbox) as server:
            for row in _take_in(mailbox, server, tick):
                counts[row.outcome] = counts.get(row.outcome, 0) + 1
    except (OSError, imaplib.IMAP4.error, WrongState) as error:
        _cannot(mailbox, error)
        return {**counts, "problems": 1}
    MailboxState.objects.filter(mailbox=mailbox).update(fetched_at=clock.now(), problem="")
    resolve_alert(f"tickets.mailbox:{mailbox.pk}", why="It was fetched again.")
    return counts


def password_of(mailbox: Mailbox) -> str:
    """Return the password, which stands in the environment alone.

    Raises:
        WrongState: it is not there.
    """
    secret = os.environ.get(mailbox.secret_name, "")
    if not secret:
        raise WrongState(f"The environment has no {mailbox.secret_name}; set it where the workers run.")
    return secret


@contextmanager
def _server(mailbox: Mailbox) -> Iterator[imaplib.IMAP4]:
    secret = password_of(mailbox)
    context = ssl.create_default_context()
    if mailbox.security == MailSecurity.TLS:
        server: imaplib.IMAP4 = imaplib.IMAP4_SSL(mailbox.host, mailbox.port, ssl_context=context, timeout=SECONDS)
    else:
        server = imaplib.IMAP4(mailbox.host, mailbox.port, timeout=SECONDS)
    try:
        if mailbox.security == MailSecurity.STARTTLS:
            server.starttls(context)
        server.login(mailbox.username, secret)
        yield server
    finally:
        try:
            server.logout()
        except (OSError, imaplib.IMAP4.error):  # the line was gone already
            log.info("mailbox.line_was_gone", mailbox=mailbox.pk)


def _take_in(mailbox: Mailbox, server: imaplib.IMAP4, tick: Tick) -> Iterator[ReceivedMail]:
    folder = _QUOTED.sub("", mailbox.folder).replace("\\", "\\\\").replace('"', '\\"')
    status, told = server.select(f'"{folder}"')
    if status != "OK":
        raise WrongState(f"The server has no folder {mailbox.folder}: {_text(told)}")
    validity = int((server.response("UIDVALIDITY")[1] or [b"0"])[0] or 0)
    standing, _ = MailboxState.objects.get_or_create(mailbox=mailbox)
    last = standing.last_uid if standing.uid_validity == validity else 0
    status, found = server.uid("SEARCH", f"UID {last + 1}:*")
    if status != "OK":
        raise WrongState(f"The server does not search: {_text(found)}")
    # "n:*" always names the last mail, even one that is older
    uids = sorted(uid for uid in map(int, (found[0] or b"").split()) if uid > last)
    for uid in uids[:MOST_AT_ONCE]:
        tick()
        row = _one(mailbox, server, uid, validity)
        if row is not None:
            yield row
            server.uid("STORE", str(uid), "+FLAGS.SILENT", r"(\Seen)")


def _one(mailbox: Mailbox, server: imaplib.IMAP4, uid: int, validity: int) -> ReceivedMail | None:
    """Take in one mail; None where another worker was faster or the mail is gone."""
    if ReceivedMail.objects.filter(mailbox=mailbox, uid_validity=validity, uid=uid).exists():
        return None
    status, told = server.uid("FETCH", str(uid), "(RFC822.SIZE)")
    size = _SIZE.search(b" ".join(part if isinstance(part, bytes) else part[0] for part in told if part))
    if status != "OK" or size is None:
        return None
    if int(size[1]) > MOST_BYTES:
        head = read_head(message_from_bytes(_body(server, uid, "HEADER"), policy=policy.default))
        why = f"It has {int(size[1]) / MEGABYTE:.1f} MB; mails of up to {MOST_BYTES // MEGABYTE} MB are fetched."
        return refuse_unread(mailbox, head, why, uid=uid, uid_validity=validity, size=int(size[1]))
    raw = _body(server, uid, "")
    try:
        with transaction.atomic():
            return receive(mailbox, raw, uid=uid, uid_validity=validity)
    except DomainError as refusal:
        why = refusal.message
    except Exception as error:  # a mail that nobody thought of: it is kept and told, and holds up no other
        log.exception("mail.failed", mailbox=mailbox.pk, uid=uid)
        why = f"It could not be read: {type(error).__name__}. An administrator finds more in the log of the worker."
    head = read_head(message_from_bytes(raw, policy=policy.default))
    return refuse_unread(mailbox, head, why, uid=uid, uid_validity=validity, size=len(raw), raw=raw)


def _body(server: imaplib.IMAP4, uid: int, part: str) -> bytes:
    status, told = server.uid("FETCH", str(uid), f"(BODY.PEEK[{part}])")
    bodies = [each[1] for each in told if isinstance(each, tuple)]
    if status != "OK" or not bodies:
        raise WrongState(f"The server does not give mail {uid}.")
    return bytes(bodies[0])


def _cannot(mailbox: Mailbox, error: Exception) -> None:
    secret = os.environ.get(mailbox.secret_name, "")
    told = error.message if isinstance(error, DomainError) else f"{type(error).__name__}: {error}"
    words = told.replace(secret, "…")[:500] if secret else told[:500]
    MailboxState.objects.update_or_create(mailbox=mailbox, defaults={"problem": words, "fetched_at": clock.now()})
    raise_alert(
        f"tickets.mailbox:{mailbox.pk}",
        title=f"The mailbox {mailbox} cannot be fetched.",
        severity="critical",
        detail=words,
        runbook="Check server, user name and password variable on the page of the mailbox; it is tried each minute.",
    )


def _text(told: object) -> str:
    first = told[0] if isinstance(told, list) and told else b""
    return first.decode(errors="replace")[:200] if isinstance(first, bytes) else str(first)[:200]
