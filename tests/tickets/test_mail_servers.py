"""Fetching and answering over the wire: a real IMAP server, a real SMTP server, and what goes wrong between."""

import os
from email import message_from_bytes, policy

import pytest

from apps.core.alerts.models import Alert
from apps.core.jobs.api import enqueue
from apps.core.jobs.testing import run_queued_jobs
from apps.tickets.domain.conversation import reply
from apps.tickets.domain.mail import fetching
from apps.tickets.domain.mail.fetching import fetch
from apps.tickets.enums import MailOutcome, MailSecurity
from apps.tickets.models import Mailbox, MailboxState, ReceivedMail, Ticket
from tests.factories.tickets import QueueFactory, agent

servers_module = pytest.importorskip(
    "tests.tickets.mail_servers", reason="The servers of these tests are Twisted's; install it to run them."
)
from tests.tickets.test_mail import written  # noqa: E402  # after the skip

pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore::DeprecationWarning:twisted")]


@pytest.fixture(scope="module", autouse=True)
def reactor():
    servers_module.start_reactor()


@pytest.fixture
def servers():
    made = servers_module.Servers()
    yield made
    made.stop()


@pytest.fixture
def box(servers, settings, tmp_path, monkeypatch):
    settings.MEDIA_ROOT = tmp_path
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", servers.smtp_port
    monkeypatch.setitem(os.environ, "MOPS_MAILBOX_HELP", servers_module.PASSWORD)
    return Mailbox.objects.create(
        name="Help",
        address="help@example.com",
        host="127.0.0.1",
        port=servers.imap_port,
        security=MailSecurity.NONE,
        username="help",
        secret_name="MOPS_MAILBOX_HELP",
        queue=QueueFactory(is_default=True),
        runs_as=agent(),
    )


def test_conversation_over_the_wire(servers, box):
    servers.inbox.put(written(id="<first@client.example>").as_bytes())
    enqueue("tickets.fetch_mail", by=None)
    run_queued_jobs()
    ticket = Ticket.objects.get()
    reply(ticket, body="Which **form**?", by=box.runs_as)
    enqueue("tickets.send_answers", by=None)
    run_queued_jobs()
    sent = message_from_bytes(servers.sent[0], policy=policy.default)
    assert (sent["To"], sent["In-Reply-To"]) == ("ann@client.example", "<first@client.example>")
    answer = written("The one for events", In_Reply_To=sent["Message-ID"], to=sent["Reply-To"], subject=sent["Subject"])
    servers.inbox.put(answer.as_bytes())
    assert fetch(box) == {"answered": 1}
    assert ticket.messages.count() == 3
    assert all(r"\Seen" in mail.flags for mail in servers.inbox.mails)


def test_each_mail_is_fetched_once(servers, box):
    servers.inbox.put(written().as_bytes())
    assert fetch(box) == {"opened": 1}
    assert fetch(box) == {}
    assert ReceivedMail.objects.count() == 1


def test_mailbox_that_was_made_anew_brings_nothing_twice(servers, box):
    servers.inbox.put(written().as_bytes())
    fetch(box)
    servers.inbox.validity = 8
    assert fetch(box) == {"duplicate": 1}
    assert Ticket.objects.count() == 1


def test_mail_that_is_too_big_is_never_fetched(servers, box, monkeypatch):
    monkeypatch.setattr(fetching, "MOST_BYTES", 5_000)
    servers.inbox.put(written("x" * 70 + "\n" + "word\n" * 5_000, subject="Bomb").as_bytes())
    servers.inbox.put(written("small").as_bytes())
    assert fetch(box) == {"rejected": 1, "opened": 1}
    row = ReceivedMail.objects.get(subject="Bomb")
    assert row.reason.endswith("mails of up to 0 MB are fetched.")
    assert not row.raw


def test_flood_is_taken_in_portions(servers, box, monkeypatch):
    monkeypatch.setattr(fetching, "MOST_AT_ONCE", 3)
    for number in range(5):
        servers.inbox.put(written(f"Mail {number}").as_bytes())
    assert fetch(box) == {"opened": 3}
    assert fetch(box) == {"opened": 2}


def test_wrong_password_is_told_and_holds_up_nothing(servers, box, monkeypatch):
    monkeypatch.setitem(os.environ, "MOPS_MAILBOX_HELP", "wrong")
    assert fetch(box) == {"problems": 1}
    problem = MailboxState.objects.get().problem
    assert problem.startswith("error:")
    assert "wrong" not in problem
    assert Alert.objects.get(fingerprint=f"tickets.mailbox:{box.pk}").title == "The mailbox Help cannot be fetched."
    monkeypatch.setitem(os.environ, "MOPS_MAILBOX_HELP", servers_module.PASSWORD)
    assert fetch(box) == {}
    assert MailboxState.objects.get().problem == ""


def test_password_that_is_not_there_is_said(box, monkeypatch):
    monkeypatch.delitem(os.environ, "MOPS_MAILBOX_HELP")
    fetch(box)
    said = "The environment has no MOPS_MAILBOX_HELP; set it where the workers run."
    assert MailboxState.objects.get().problem == said


def test_server_that_is_not_there_is_said(servers, box):
    servers.stop()
    servers._ports = []
    assert fetch(box) == {"problems": 1}
    assert "refused" in MailboxState.objects.get().problem


def test_mail_that_nobody_thought_of_is_kept_and_holds_up_no_other(servers, box):
    Mailbox.objects.update(queue=None)
    box.queue.is_default = False
    box.queue.save()
    box.refresh_from_db()
    servers.inbox.put(written().as_bytes())
    assert fetch(box) == {"failed": 1}
    row = ReceivedMail.objects.get()
    assert (row.outcome, row.raw.name != "") == (MailOutcome.FAILED, True)
    assert row.reason == "There is no queue to put it in; an administrator makes one the default under Queues."
