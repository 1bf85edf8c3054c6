"""How did we do: asked once after a ticket is resolved, answered once through a link that works once."""

import datetime as dt
import hashlib
import secrets
import smtplib
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse

from apps.core import clock
from apps.core.actors import acting_as, system_principal
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.core.events import publish
from apps.core.words import fitting
from apps.tickets.domain.conversation import refuse_reopening, requester_wrote
from apps.tickets.domain.follow_ups import plan
from apps.tickets.domain.rows import locked
from apps.tickets.domain.telling import tell_desk
from apps.tickets.enums import DONE, Intake, MessageKind, Resolution, Tier
from apps.tickets.models import Survey, Ticket

if TYPE_CHECKING:
    from apps.accounts.models import User

VALID_FOR = dt.timedelta(days=21)
LONGEST, LOW = 2000, 2
LOOK_AGAIN, REMIND_AFTER = dt.timedelta(days=2), dt.timedelta(days=5)
MOST = 500
NOT_VALID = "This link opens nothing: the question was answered already, a newer mail replaced it, or it is too old."
NOT_ASKED = (Resolution.DUPLICATE, Resolution.WITHDRAWN, Resolution.NO_ANSWER)


def ask(ticket: Ticket, *, at: dt.datetime | None = None) -> Survey | None:
    """Ask the requester of a resolved ticket by mail; None where nobody is asked, or this time was asked already.

    The mail carries the only copy of the token. Raises what the mail server says, and then nothing was asked.
    """
    moment = at or clock.now()
    with transaction.atomic(), acting_as(system_principal()):
        row = locked(ticket)
        address = row.requester.email if row.requester is not None else row.requester_email
        if row.state not in DONE or row.resolution in NOT_ASKED or not row.queue.asks_score or not address:
            return None
        token = secrets.token_urlsafe(32)
        last = row.messages.filter(kind=MessageKind.PUBLIC, template__isnull=False).order_by("-at", "-id").first()
        survey, made = Survey.objects.get_or_create(
            ticket=row,
            round=row.reopened,
            defaults={
                "queue": row.queue,
                "tier": row.type.tier if row.type is not None else Tier.STANDARD,
                "template": last.template if last is not None else None,
                "agent": row.assignee,
                "token_hash": hash_of(token),
                "asked_at": moment,
                "expires_at": moment + VALID_FOR,
            },
        )
        if not made:
            return None
        _send(row, address, token, survey)
    return survey


def to_remind(at: dt.datetime) -> list[int]:
    """Return the keys of questions nobody has answered for days and that nobody was reminded of, oldest first."""
    rows = Survey.objects.filter(answered_at__isnull=True, reminded_at__isnull=True).exclude(token_hash="")
    waiting = rows.filter(asked_at__lt=at - REMIND_AFTER, expires_at__gt=at + REMIND_AFTER, ticket__state__in=DONE)
    return list(waiting.order_by("asked_at").values_list("pk", flat=True)[:MOST])


def remind(key: int, *, at: dt.datetime | None = None) -> bool:
    """Ask once more, once: the link of the first mail opens nothing any more, for no copy of its token was kept.

    Safe to run twice. Raises what the mail server says, and then the first link still works.
    """
    moment = at or clock.now()
    with transaction.atomic(), acting_as(system_principal()):
        ticket = locked(Survey.objects.select_related("ticket").get(pk=key).ticket)
        survey: Survey = Survey.objects.select_for_update(of=("self",)).get(pk=key)
        address = ticket.requester.email if ticket.requester is not None else ticket.requester_email
        over = survey.answered_at is not None or survey.reminded_at is not None or survey.round != ticket.reopened
        if over or ticket.state not in DONE or not address or not ticket.queue.asks_score:
            return False
        token = secrets.token_urlsafe(32)
        survey.token_hash, survey.reminded_at = hash_of(token), moment
        survey.save(update_fields=["token_hash", "reminded_at"])
        _send(ticket, address, token, survey)
    return True


def survey_for(person: "User", ticket: Ticket) -> Survey | None:
    """Return the question that the requester of a ticket can answer on its page, None where there is none."""
    if ticket.requester_id != person.pk or ticket.state not in DONE:
        return None
    survey: Survey | None = ticket.surveys.filter(round=ticket.reopened).select_related("ticket__requester").first()
    return survey if survey is not None and refuse_score(survey, person=person) is None else None


def hash_of(token: str) -> str:
    """Return what is stored of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def survey_of_token(token: str) -> Survey | None:
    """Return the survey a link opens, None where it opens nothing."""
    rows = Survey.objects.select_related("ticket__requester", "ticket__queue")
    found: Survey | None = rows.filter(token_hash=hash_of(token)).first() if token else None
    return found


def refuse_score(survey: Survey | None, *, person: "User | None", at: dt.datetime | None = None) -> str | None:
    """Return why whoever holds the link cannot answer, None when they can.

    Args:
        survey: of the link; None where there is none.
        person: who is signed in, None where nobody is: the link needs no sign-in, but is for one person.
        at: when; now when not given.
    """
    if survey is None:
        return NOT_VALID
    if person is not None and person.pk != survey.ticket.requester_id:
        return f"This question went to {survey.ticket.asked_by}. You are signed in as {person} and cannot answer it."
    if survey.answered_at is not None:
        return "You have answered this already; thank you. The link works once."
    if (at or clock.now()) > survey.expires_at:
        return f"This question could be answered until {survey.expires_at:%-d %b %Y}. Write on the ticket instead."
    return None


def record_score(
    survey: Survey,
    *,
    score: int,
    comment: str = "",
    unsolved: bool = False,
    person: "User | None" = None,
    at: dt.datetime | None = None,
) -> str:
    """Keep what a requester thought; what is not solved reopens the ticket, a low score is followed up.

    Args:
        survey: locked and checked again here, so that two clicks count once.
        score: 1 to 5.
        comment: in their words.
        unsolved: the ticket is not solved.
        person: who is signed in, if anybody.
        at: when; now when not given.

    Raises:
        InvalidInput: no score from one to five, or too long a comment.
        NotAllowed: somebody else is signed in.
        WrongState: as `refuse_score` says.
    """
    moment = at or clock.now()
    if score not in range(1, 6):
        raise InvalidInput("Choose from one to five.", fields={"score": "Choose from one to five."})
    words = fitting(comment, LONGEST, field="comment", what="The comment")
    actor = survey.ticket.requester or system_principal()
    with transaction.atomic(), acting_as(actor):
        ticket = locked(survey.ticket)
        row = Survey.objects.select_for_update(of=("self",)).select_related("ticket__requester").get(pk=survey.pk)
        if refused := refuse_score(row, person=person, at=moment):
            raise (NotAllowed if row.answered_at is None and person is not None else WrongState)(refused)
        row.score, row.comment, row.unsolved, row.answered_at = score, words, unsolved, moment
        row.save(update_fields=["score", "comment", "unsolved", "answered_at"])
        said = _after(ticket, row, actor, moment)
        publish("ticket.scored", ticket_id=ticket.pk)
    return said


def _after(ticket: Ticket, survey: Survey, actor: "User", at: dt.datetime) -> str:
    """Reopen what is not solved, and have a low score looked at."""
    title = f"{survey.score} of 5 for {ticket}"
    if survey.unsolved and refuse_reopening(ticket, now=at) is None:
        text = survey.comment or "It is not solved."
        requester_wrote(ticket, text, by=actor, channel=Intake.PORTAL, at=at)
        return f"Thank you. {ticket.ref} is open again; the desk has been told."
    if survey.score is not None and (survey.score <= LOW or survey.unsolved):
        question = "It is not solved: ask what is missing" if survey.unsolved else "Low score: ask what was missing"
        plan(ticket, question=question, due_on=(at + LOOK_AGAIN).date(), assignee=ticket.assignee)
        tell_desk(ticket, "ticket.scored", title=title, body=survey.comment, by=actor)
        return "Thank you. Somebody will look at what was missing."
    tell_desk(ticket, "ticket.scored", title=title, body=survey.comment, by=actor)
    return "Thank you."


def _send(ticket: Ticket, address: str, token: str, survey: Survey) -> None:
    link = f"{settings.PUBLIC_URL}{reverse('ticket-survey', args=(token,))}"
    body = render_to_string("tickets/mail/survey.txt", {"ticket": ticket, "link": link, "survey": survey})
    again = "Once more: h" if survey.reminded_at is not None else "H"
    title, headers = f"{again}ow did we do with {ticket.ref}?", {"Auto-Submitted": "auto-generated"}
    mail = EmailMessage(title, body.strip() + "\n", None, [address], headers=headers)
    try:
        mail.send()
    except (smtplib.SMTPException, OSError) as error:
        raise WrongState(f"The mail server did not take the question about {ticket.ref}; it is tried again.") from error
