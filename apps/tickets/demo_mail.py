"""The demo's mailbox: as it would be set up, and what came to it: a question, its thread, a machine, a meeting."""

import datetime as dt
from email.message import EmailMessage
from typing import Any

from apps.accounts.models import User
from apps.core.actors import acting_as
from apps.tickets.domain.mail.receiving import receive
from apps.tickets.models import Mailbox, Queue

ADDRESS = "marketing-help@example.com"
CLIENT = "Ines Carvalho <ines.carvalho@example.org>"
QUESTION = "<question@example.org>"


def tell_mail(company: Any, people: dict[str, User], queues: dict[str, Queue]) -> None:
    """Set up a mailbox that nobody fetches, for there is no server behind the demo, and take in some mails by hand."""
    with acting_as(people["technology_administrator"]):
        box = Mailbox.objects.create(
            name="Marketing help",
            address=ADDRESS,
            host="imap.example.com",
            username="marketing-help",
            secret_name="MOPS_MAILBOX_MARKETING_HELP_PASSWORD",  # noqa: S106  # the name of a variable
            queue=queues["Marketing desk"],
            runs_as=people["specialist"],
            is_active=False,
        )
    for number, (message, at) in enumerate(_mails(company), start=1):
        receive(box, message.as_bytes(), uid=number, uid_validity=1, at=at)


def _mails(company: Any) -> list[tuple[EmailMessage, dt.datetime]]:
    question = _mail(
        "Webinar recording", CLIENT, QUESTION, "Where can I find the recording of last week's webinar?\n\nInes Carvalho"
    )
    thanks = _mail(
        "Re: Webinar recording",
        CLIENT,
        "<thanks@example.org>",
        "It is about the one on predictive maintenance.\n\nOn Monday, Ines Carvalho wrote:\n> Where can I find it?",
    )
    thanks["In-Reply-To"] = QUESTION
    away = _mail("Out of office", "Tom Becker <tom.becker@example.org>", "<away@example.org>", "I am back next week.")
    away["Auto-Submitted"] = "auto-replied"
    meeting = _mail("Planning", "Tom Becker <tom.becker@example.org>", "<meeting@example.org>", "")
    meeting.set_content("BEGIN:VCALENDAR\nVERSION:2.0\nEND:VCALENDAR\n", subtype="calendar")
    return [
        (question, company.at(4, 9)),
        (thanks, company.at(4, 10)),
        (away, company.at(3, 7)),
        (meeting, company.at(3, 8)),
    ]


def _mail(subject: str, sender: str, key: str, words: str) -> EmailMessage:
    message = EmailMessage()
    message["Subject"], message["From"], message["To"], message["Message-ID"] = subject, sender, ADDRESS, key
    if words:
        message.set_content(words)
    return message
