"""What becomes of a mail: a new ticket, a word on one, a note, or a refusal in words; always a row."""

import datetime as dt
import hashlib
import re
from io import BytesIO
from typing import Any

from django.conf import settings
from django.core.files.base import ContentFile, File
from django.db import transaction
from django.db.models import Q

from apps.accounts.models import User
from apps.core import access, clock
from apps.core.actors import acting_as
from apps.core.attachments.domain.files import attach, refuse_attach, refuse_size, sha256_of
from apps.core.attachments.domain.kinds import refuse_content, refuse_kind
from apps.core.attachments.domain.names import safe_name
from apps.core.attachments.models import Attachment
from apps.core.errors import NotAllowed, WrongState
from apps.core.private_files import private_files
from apps.tickets.domain.conversation import note_by_mail, refuse_reopening, word_by_mail
from apps.tickets.domain.intake import LONGEST_TITLE, open_ticket
from apps.tickets.domain.mail import tokens
from apps.tickets.domain.mail.reading import Mail, read_mail
from apps.tickets.domain.rows import locked
from apps.tickets.enums import Intake, LinkKind, MailOutcome
from apps.tickets.models import Mailbox, MailboxState, Message, Queue, ReceivedMail, Ticket, TicketLink

ACCEPTED = (MailOutcome.OPENED, MailOutcome.ANSWERED, MailOutcome.NOTED)
AGAIN = (MailOutcome.REJECTED, MailOutcome.FAILED)
MEGABYTE = 1024 * 1024
MOST_BYTES = 25 * MEGABYTE
AN_HOUR = dt.timedelta(hours=1)
NO_SUBJECT = "(no subject)"
_FAILS = re.compile(r"\b(spf|dkim|dmarc)=(fail|softfail|permerror)\b", re.IGNORECASE)


def receive(
    mailbox: Mailbox, raw: bytes, *, uid: int, uid_validity: int, at: dt.datetime | None = None
) -> ReceivedMail:
    """Take in a mail that was fetched, in one transaction with the row that tells what became of it.

    Raises:
        NotAllowed: nobody works at the desk any more in whose name it could be written down.
    """
    by: User = mailbox.runs_as
    if not access.has_model_permission(by, "add", Ticket):
        raise NotAllowed(f"{by}, in whose name {mailbox} is fetched, no longer works at the desk; name somebody else.")
    with transaction.atomic(), acting_as(by, reason=f"Mail to {mailbox.address}"):
        row = _row(mailbox, read_mail(raw), uid=uid, uid_validity=uid_validity, size=len(raw), at=at or clock.now())
        row.sha256 = hashlib.sha256(raw).hexdigest()
        row.raw = _keep(row, raw)
        _decide(row, read_mail(raw), by=by)
        row.save()
        _move_on(mailbox, uid, uid_validity)
    return row


def refuse_unread(
    mailbox: Mailbox, head: Mail, reason: str, *, uid: int, uid_validity: int, size: int, raw: bytes | None = None
) -> ReceivedMail:
    """Write down a mail that was not taken in: too big to fetch, or not readable."""
    outcome = MailOutcome.REJECTED if raw is None else MailOutcome.FAILED
    with transaction.atomic(), acting_as(mailbox.runs_as):
        row = _row(mailbox, head, uid=uid, uid_validity=uid_validity, size=size, at=clock.now())
        row.outcome, row.reason = outcome, reason
        if raw is not None:
            row.sha256 = hashlib.sha256(raw).hexdigest()
            row.raw = _keep(row, raw)
        row.save()
        _move_on(mailbox, uid, uid_validity)
    return row


def refuse_replay(user: User, mail: ReceivedMail) -> str | None:
    """Return why `user` cannot bring `mail` in all the same, None when they can."""
    if not access.has_model_permission(user, "add", Ticket):
        return "Mail is brought in by the people of the desk."
    if mail.outcome not in AGAIN:
        return f"This mail needs no second try: {mail.get_outcome_display().lower()}."
    return None if mail.raw else "The mail itself was not fetched because of its size; open a ticket by hand."


def replay(mail: ReceivedMail, *, by: User) -> str:
    """Bring in a refused mail all the same; somebody has looked at it, so what machines write is taken too.

    Raises:
        NotAllowed, WrongState: as `refuse_replay` says.
    """
    with transaction.atomic(), acting_as(by):
        row = ReceivedMail.objects.select_for_update(of=("self",)).select_related("mailbox__queue").get(pk=mail.pk)
        if refused := refuse_replay(by, row):
            raise (WrongState if access.has_model_permission(by, "add", Ticket) else NotAllowed)(refused)
        with row.raw.open("rb") as stored:
            content = stored.read()
        row.attempts += 1
        row.reason = ""
        _decide(row, read_mail(content), by=by, looked_at=True)
        row.save()
    if row.outcome in AGAIN:
        return f"Still not: {row.reason}"
    return f"{row.get_outcome_display()}: {row.ticket.ref if row.ticket is not None else row.reason}."


def _decide(row: ReceivedMail, mail: Mail, *, by: User, looked_at: bool = False) -> None:
    """Do with a mail what there is to do, and write on its row what that was."""
    row.quoted, row.remarks = mail.quoted, "\n".join(mail.remarks)
    if why := _refuse(row, mail, looked_at=looked_at):
        row.outcome, row.reason = MailOutcome.REJECTED, why
        return
    if mail.header_id and (twin := _twin(row, mail)) is not None:
        row.outcome, row.ticket = MailOutcome.DUPLICATE, twin.ticket
        row.reason = f"The same mail came before, on {twin.fetched_at:%Y-%m-%d %H:%M} UTC."
        return
    doubt = _doubt(row.mailbox, mail)
    ticket, knows_token = _thread(mail)
    if ticket is not None and _is_requester(ticket, mail) and not doubt:
        _go_on(row, ticket, mail, by=by)
    elif ticket is not None and (knows_token or (doubt and _is_requester(ticket, mail))):
        _note(row, ticket, mail, doubt or f"{mail.sender} is not who asked.", by=by)
    else:
        _open(row, mail, doubt, by=by)
    if row.ticket is not None:
        _attach(row, row.ticket, mail, by=by)


def _refuse(row: ReceivedMail, mail: Mail, *, looked_at: bool) -> str | None:
    """Say why a mail is not taken in, if so."""
    if not mail.sender or "@" not in mail.sender:
        return "It names no sender."
    if mail.sender in _own_addresses():
        return "It is from our own address; taking it in would go round in circles."
    if not mail.text and not mail.files:
        return "There is nothing to read in it." + (f" {mail.remarks[0]}" if mail.remarks else "")
    if looked_at:
        return None
    if mail.automatic:
        return mail.automatic
    since = row.fetched_at - AN_HOUR
    recent = ReceivedMail.objects.filter(sender=mail.sender, fetched_at__gt=since).exclude(pk=row.pk).count()
    if recent >= row.mailbox.most_per_hour:
        return f"{mail.sender} has sent {recent} mails within an hour; more are taken in later, or by hand."
    if not row.mailbox.takes_strangers and _colleague(mail.sender) is None and _knows_no_token(mail):
        return f"{mail.sender} is no colleague, and {row.mailbox} takes mail of colleagues alone."
    return None


def _knows_no_token(mail: Mail) -> bool:
    """Whether a mail knows no ticket's token."""
    return tokens.ticket_by_token(mail.recipients, mail.subject, mail.refers) is None


def _twin(row: ReceivedMail, mail: Mail) -> ReceivedMail | None:
    rows = ReceivedMail.objects.filter(mailbox=row.mailbox, header_id=mail.header_id, outcome__in=ACCEPTED)
    found: ReceivedMail | None = rows.exclude(pk=row.pk).first()
    return found


def _doubt(mailbox: Mailbox, mail: Mail) -> str:
    """Say why the sender may not be who the mail says, by what our own server checked; empty where nothing says so."""
    if not mailbox.checked_by:
        return ""
    for result in mail.results:
        signed, _, verdict = result.partition(";")
        words = signed.split()
        if words and words[0].casefold() == mailbox.checked_by.casefold() and (failed := _FAILS.search(verdict)):
            return f"The mail server could not confirm that it is from {mail.sender} ({failed[0].lower()})."
    return ""


def _thread(mail: Mail) -> tuple[Ticket | None, bool]:
    """Return the ticket a mail belongs to, and whether it knows its token; merged ones lead on."""
    ticket = tokens.ticket_by_token(mail.recipients, mail.subject, mail.refers)
    knows_token = ticket is not None
    if ticket is None and mail.refers:
        rows = ReceivedMail.objects.filter(header_id__in=mail.refers, outcome__in=ACCEPTED).select_related("ticket")
        ticket = next((row.ticket for row in rows.order_by("-id") if row.ticket is not None), None)
    for _ in range(10):
        if ticket is None or ticket.merged_into is None:
            break
        ticket = ticket.merged_into
    return (None, False) if ticket is None or ticket.is_archived else (ticket, knows_token)


def _is_requester(ticket: Ticket, mail: Mail) -> bool:
    asks = ticket.requester.email if ticket.requester is not None else ticket.requester_email
    return bool(asks) and asks.casefold() == mail.sender


def _go_on(row: ReceivedMail, ticket: Ticket, mail: Mail, *, by: User) -> None:
    """Let a ticket go on with what its requester wrote; one done long ago is followed by a new one."""
    kept = locked(ticket)
    if refuse_reopening(kept, now=row.fetched_at) is not None:
        _open(row, mail, "", by=by)
        if row.ticket is not None:
            TicketLink.objects.create(ticket=row.ticket, other=kept, kind=LinkKind.RELATED)
        return
    row.message = word_by_mail(kept, _words(mail), by=by, at=row.fetched_at)
    row.outcome, row.ticket = MailOutcome.ANSWERED, kept


def _note(row: ReceivedMail, ticket: Ticket, mail: Mail, why: str, *, by: User) -> None:
    """Keep a mail that knows its ticket and is not from its requester where only the desk reads it."""
    text = f"Mail from {mail.sender}. {why} Only the desk reads it.\n\n{_words(mail)}"
    row.message = note_by_mail(locked(ticket), text, by=by, at=row.fetched_at, signed=mail.sender)
    row.outcome, row.ticket, row.reason = MailOutcome.NOTED, ticket, why


def _open(row: ReceivedMail, mail: Mail, doubt: str, *, by: User) -> None:
    colleague = None if doubt else _colleague(mail.sender)
    asks: dict[str, Any] = {"requester": colleague}
    if colleague is None:
        asks = {"requester_email": mail.sender, "requester_name": mail.sender_name}
    ticket = open_ticket(
        title=(tokens.bare_subject(mail.subject) or NO_SUBJECT)[:LONGEST_TITLE],
        body=_words(mail),
        by=by,
        queue=_queue_named(mail) or row.mailbox.queue,
        channel=Intake.MAIL,
        at=row.fetched_at,
        **asks,
    )
    row.outcome, row.ticket, row.reason = MailOutcome.OPENED, ticket, doubt
    row.message = Message.objects.filter(ticket=ticket).order_by("id").first()


def _attach(row: ReceivedMail, ticket: Ticket, mail: Mail, *, by: User) -> None:
    """Attach what the kit for files takes; say of the rest why not."""
    left: list[str] = []
    if mail.files and (refused := refuse_attach(by, ticket)):
        left.append(f"No file was attached: {refused}")
    for each in mail.files if not left else []:
        name = safe_name(each.name)
        content = BytesIO(each.content)
        why = refuse_size(name, len(each.content)) or refuse_kind(name) or refuse_content(name, content)
        if why is None and Attachment.objects.about(ticket).live().filter(sha256=sha256_of(content)).exists():
            why = f"{name} is attached already."
        if why is not None:
            left.append(f"{name} was left out: {why}")
        else:
            attach(ticket, File(BytesIO(each.content), name=name), by=by, description=f"By mail from {mail.sender}")
    row.remarks = "\n".join(filter(None, (row.remarks, *left)))
    if left:
        words = "Left out of the mail:\n\n" + "\n".join(f"- {each}" for each in left)
        note_by_mail(locked(ticket), words, by=by, at=row.fetched_at)


def _words(mail: Mail) -> str:
    return mail.text or "(The mail has no words, only files.)"


def _colleague(address: str) -> User | None:
    found: User | None = User.objects.working().filter(email__iexact=address).first()
    return found


def _queue_named(mail: Mail) -> Queue | None:
    """Return the queue whose own address a mail went to; the first as the mail names them."""
    queues = Queue.objects.live().exclude(address="").select_related("team")
    known = {queue.address.lower(): queue for queue in queues}
    return next((known[each] for each in mail.recipients if each in known), None)


def _own_addresses() -> set[str]:
    own = {address.lower() for address in Mailbox.objects.values_list("address", flat=True)}
    own |= {address.lower() for address in Queue.objects.exclude(address="").values_list("address", flat=True)}
    sender = settings.DEFAULT_FROM_EMAIL.rpartition("<")[2].strip(" >").lower()
    return own | {sender}


def _row(mailbox: Mailbox, mail: Mail, *, uid: int, uid_validity: int, size: int, at: dt.datetime) -> ReceivedMail:
    return ReceivedMail(
        mailbox=mailbox,
        uid=uid,
        uid_validity=uid_validity,
        header_id=mail.header_id,
        sender=mail.sender,
        subject=mail.subject,
        size=size,
        fetched_at=at,
    )


def _keep(row: ReceivedMail, raw: bytes) -> str:
    """Keep the mail itself; the same bytes are kept once."""
    store = private_files()
    place = f"mail/{row.mailbox_id}/{row.sha256[:2]}/{row.sha256}"
    return place if store.exists(place) else str(store.save(place, ContentFile(raw)))


def _move_on(mailbox: Mailbox, uid: int, uid_validity: int) -> None:
    MailboxState.objects.get_or_create(mailbox=mailbox)
    MailboxState.objects.filter(Q(last_uid__lt=uid) | ~Q(uid_validity=uid_validity), mailbox=mailbox).update(
        last_uid=uid, uid_validity=uid_validity
    )
