"""Mail into tickets and answers out of them: threads, loops, forged senders, quotes, files and bombs."""

import datetime as dt
from email.message import EmailMessage

import pytest
from django.core import mail as outbox
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from apps.accounts.enums import Role
from apps.core import clock
from apps.core.attachments.models import Attachment
from apps.core.errors import NotAllowed, WrongState
from apps.tickets.domain import moves
from apps.tickets.domain.conversation import reply
from apps.tickets.domain.linking import merge_into
from apps.tickets.domain.mail import tokens
from apps.tickets.domain.mail.answering import UNKNOWN, give_up_stuck, send_due
from apps.tickets.domain.mail.reading import MOST_FILES, MOST_PARTS, cut_quote, read_mail, text_of_html
from apps.tickets.domain.mail.receiving import receive, replay
from apps.tickets.enums import Intake, LinkKind, MailOutcome, MessageKind, SentState, TicketState
from apps.tickets.models import Mailbox, Message, ReceivedMail, SentMail, Ticket, TicketLink
from tests.factories.accounts import person_with, sign_in
from tests.factories.tickets import QueueFactory, agent, colleague

pytestmark = pytest.mark.django_db
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 40


@pytest.fixture
def box(db, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    return Mailbox.objects.create(
        name="Help",
        address="help@example.com",
        host="localhost",
        username="help",
        secret_name="MOPS_MAILBOX_HELP",
        queue=QueueFactory(is_default=True, name="Desk"),
        runs_as=agent(),
    )


def written(body="The form is broken.", *, sender="Ann <ann@client.example>", subject="Broken form", **headers):
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = sender, headers.pop("to", "help@example.com"), subject
    made["Message-ID"] = headers.pop("id", f"<{abs(hash((body, sender, subject)))}@client.example>")
    for name, value in headers.items():
        made[name.replace("_", "-")] = value
    made.set_content(body)
    return made


_uids = iter(range(1, 100_000))


def take(box, made, at=None):
    raw = made if isinstance(made, bytes) else made.as_bytes()
    return receive(box, raw, uid=next(_uids), uid_validity=1, at=at)


def test_mail_of_a_stranger_opens_a_ticket(box):
    row = take(box, written())
    ticket = row.ticket
    assert (row.outcome, ticket.title, ticket.intake) == (MailOutcome.OPENED, "Broken form", Intake.MAIL)
    assert (ticket.requester, ticket.requester_email, ticket.requester_name) == (None, "ann@client.example", "Ann")
    assert row.message.body == "The form is broken."
    with row.raw.open("rb") as kept:
        assert kept.read().startswith(b"From: Ann")


def test_mail_of_a_colleague_is_theirs(box):
    person = colleague()
    ticket = take(box, written(sender=person.email.upper())).ticket
    assert ticket.requester == person
    assert ticket.messages.get().author == person


def test_answer_goes_out_and_the_reply_comes_back(box):
    ticket = take(box, written(id="<first@client.example>")).ticket
    reply(ticket, body="Which form?", by=box.runs_as)
    assert send_due() == {"sent": 1}
    sent = outbox.outbox[-1]
    assert (sent.to, sent.from_email) == (["ann@client.example"], "help@example.com")
    assert sent.extra_headers["In-Reply-To"] == "<first@client.example>"
    assert sent.reply_to == [f"help+t{ticket.pk}-{tokens.token_of(ticket)}@example.com"]
    for headers in (
        {"to": sent.reply_to[0]},
        {"subject": f"AW: {sent.subject}"},
        {"In_Reply_To": sent.extra_headers["Message-ID"]},
        {"References": "<other@x> <first@client.example>"},
    ):
        row = take(box, written(f"The one for events. {headers}", **headers))
        assert (row.outcome, row.ticket) == (MailOutcome.ANSWERED, ticket), headers
    assert ticket.messages.filter(kind=MessageKind.REQUESTER).count() == 5
    assert Ticket.objects.count() == 1


def test_reply_lets_a_waiting_ticket_go_on_and_reopens_a_done_one(box):
    ticket = take(box, written(id="<a@x>")).ticket
    reply(ticket, body="Which form?", by=box.runs_as, then="waiting_requester")
    take(box, written("That one", In_Reply_To="<a@x>"))
    ticket.refresh_from_db()
    assert ticket.state == TicketState.OPEN
    moves.resolve(ticket, by=box.runs_as, resolution="solved")
    take(box, written("Not yet", In_Reply_To="<a@x>"))
    ticket.refresh_from_db()
    assert (ticket.state, ticket.reopened) == (TicketState.OPEN, 1)


def test_reply_to_a_ticket_done_long_ago_opens_one_that_names_it(box):
    ticket = take(box, written(id="<a@x>")).ticket
    moves.resolve(ticket, by=box.runs_as, resolution="solved")
    row = take(box, written("Again", In_Reply_To="<a@x>"), at=clock.now() + dt.timedelta(days=30))
    assert (row.outcome, row.ticket != ticket) == (MailOutcome.OPENED, True)
    assert TicketLink.objects.get().kind == LinkKind.RELATED


def test_reply_to_a_merged_ticket_goes_where_it_went_on(box):
    one = take(box, written("One", id="<a@x>")).ticket
    two = take(box, written("Two", id="<b@x>")).ticket
    merge_into(one, by=box.runs_as, other=two)
    assert take(box, written("And?", In_Reply_To="<a@x>")).ticket == two


def test_token_made_up_finds_no_ticket(box):
    ticket = take(box, written()).ticket
    row = take(box, written("I am in", sender="mallory@evil.example", subject=f"Re: [T-{ticket.pk}-{'0' * 16}]"))
    assert row.outcome == MailOutcome.OPENED
    assert row.ticket != ticket


def test_somebody_else_who_knows_the_token_is_kept_as_a_note(box):
    ticket = take(box, written()).ticket
    subject = tokens.subject_with_token(ticket)
    row = take(
        box, written("Pay me instead", sender="mallory@evil.example", subject=subject, Reply_To="m@evil.example")
    )
    assert (row.outcome, row.reason) == (MailOutcome.NOTED, "mallory@evil.example is not who asked.")
    assert row.message.kind == MessageKind.INTERNAL
    ticket.refresh_from_db()
    assert ticket.requester_email == "ann@client.example"


def test_references_alone_do_not_let_a_stranger_in(box):
    ticket = take(box, written(id="<a@x>")).ticket
    row = take(box, written("Let me", sender="mallory@evil.example", In_Reply_To="<a@x>"))
    assert row.ticket != ticket


def test_answers_never_go_to_a_reply_address(box):
    ticket = take(box, written(Reply_To="mallory@evil.example")).ticket
    reply(ticket, body="Hello", by=box.runs_as)
    assert SentMail.objects.get().address == "ann@client.example"


def test_sender_whom_the_server_does_not_confirm_is_not_taken_for_a_colleague(box):
    Mailbox.objects.update(checked_by="mx.example.com")
    box.refresh_from_db()
    person = colleague()
    results = "mx.example.com; spf=pass; dmarc=fail header.from=example.com"
    row = take(box, written("Give me access", sender=person.email, Authentication_Results=results, id="<a@x>"))
    assert (row.ticket.requester, row.outcome) == (None, MailOutcome.OPENED)
    assert row.reason == f"The mail server could not confirm that it is from {person.email} (dmarc=fail)."
    forged = take(box, written("Close it", sender="ann@client.example", id="<b@x>")).ticket
    row = take(box, written("Yes", sender="ann@client.example", In_Reply_To="<b@x>", Authentication_Results=results))
    assert (row.outcome, row.ticket) == (MailOutcome.NOTED, forged)
    other = take(box, written("Mine", sender=person.email, Authentication_Results="elsewhere; dmarc=fail"))
    assert other.ticket.requester == person


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        ({"Auto_Submitted": "auto-replied"}, "It is an automatic mail (Auto-Submitted: auto-replied); "),
        ({"Precedence": "bulk"}, "It is an automatic mail (Precedence: bulk); machines are not answered."),
        ({"X_Autoreply": "yes"}, "It is an automatic answer; machines are not answered."),
        ({"List_Id": "<news.example.com>"}, "It came from a mailing list; lists are not answered."),
        ({"Return_Path": "<>"}, "It is a bounce: it has no sender to return to."),
        ({"sender": "help@example.com"}, "It is from our own address; taking it in would go round in circles."),
        ({"sender": ""}, "It names no sender."),
        ({"body": " "}, "There is nothing to read in it."),
    ],
)
def test_machines_and_our_own_mail_are_refused_in_words(box, headers, why):
    row = take(box, written(**headers))
    assert row.outcome == MailOutcome.REJECTED
    assert row.reason.startswith(why)
    assert not Ticket.objects.exists()


def test_two_machines_that_answer_each_other_stop(box):
    Mailbox.objects.update(most_per_hour=3)
    box.refresh_from_db()
    rows = [take(box, written(f"Out of office {n}")) for n in range(5)]
    assert [row.outcome for row in rows] == ["opened"] * 3 + ["rejected"] * 2
    assert rows[-1].reason == "ann@client.example has sent 4 mails within an hour; more are taken in later, or by hand."
    later = take(box, written("Next day"), at=clock.now() + dt.timedelta(hours=2))
    assert later.outcome == MailOutcome.OPENED


def test_strangers_are_refused_where_only_colleagues_write(box):
    Mailbox.objects.update(takes_strangers=False)
    box.refresh_from_db()
    row = take(box, written())
    assert row.reason == "ann@client.example is no colleague, and Help takes mail of colleagues alone."
    assert take(box, written(sender=colleague().email)).outcome == MailOutcome.OPENED


def test_the_same_mail_twice_is_one_ticket(box):
    first, second = take(box, written(id="<a@x>")), take(box, written(id="<a@x>"))
    assert (second.outcome, second.ticket) == (MailOutcome.DUPLICATE, first.ticket)
    with pytest.raises(IntegrityError), transaction.atomic():
        ReceivedMail.objects.filter(pk=second.pk).update(outcome=MailOutcome.OPENED)


def test_refused_mail_is_brought_in_by_somebody_who_looked(box):
    row = take(box, written(Precedence="list"))
    assert replay(row, by=box.runs_as) == f"Opened a ticket: T-{Ticket.objects.get().pk}."
    row.refresh_from_db()
    assert (row.outcome, row.attempts, row.reason) == (MailOutcome.OPENED, 2, "")
    with pytest.raises(WrongState, match=r"This mail needs no second try: opened a ticket\."):
        replay(row, by=box.runs_as)
    with pytest.raises(NotAllowed, match=r"Mail is brought in by the people of the desk\."):
        replay(row, by=colleague())


def test_our_own_mail_stays_out_even_by_hand(box):
    row = take(box, written(sender="help@example.com"))
    assert replay(row, by=box.runs_as).startswith("Still not: It is from our own address")


def test_quotes_are_cut_and_kept(box):
    row = take(
        box, written("Yes, please.\n\nOn Mon, 2 Mar 2026 at 10:00, Desk <help@example.com> wrote:\n> Shall we?\n> T")
    )
    assert row.message.body == "Yes, please."
    assert row.quoted.startswith("On Mon, 2 Mar 2026")


@pytest.mark.parametrize(
    ("text", "said", "quoted"),
    [
        ("Hi\n\nAm 2.3.2026 um 10 schrieb Ann:\n> alt", "Hi", "Am 2.3.2026 um 10 schrieb Ann:\n> alt"),
        ("Hi\n-----Original Message-----\nold", "Hi", "-----Original Message-----\nold"),
        ("Hi\nFrom: Ann <a@x.example>\nSent: today\nold", "Hi", "From: Ann <a@x.example>\nSent: today\nold"),
        ("Hi\nOn Mon, Ann\n<ann@x.example> wrote:\n> old", "Hi", "On Mon, Ann\n<ann@x.example> wrote:\n> old"),
        ("> one\nYes\n> two\nNo", "Yes\nNo", "> one\n> two"),
        ("> only", "> only", ""),
        ("No quote at all", "No quote at all", ""),
    ],
)
def test_new_words_and_quotes_are_told_apart(text, said, quoted):
    assert cut_quote(text) == (said, quoted)


def test_ten_thousand_quoted_lines_are_cut_at_once():
    said, quoted = cut_quote("Thanks\n\n" + "> old line\n" * 10_000)
    assert said == "Thanks"
    assert quoted.count("\n") == 9_999


def test_long_mail_is_shortened_with_a_remark(box):
    row = take(box, written("word " * 20_000))
    assert row.message.body.endswith("[The rest of this mail is longer than fits here; the mail itself is kept.]")


def test_page_with_scripts_becomes_its_words(box):
    made = written()
    made.set_content(
        "<html><head><title>t</title><style>p{}</style></head><body onload='evil()'><p>Hello <b>desk</b></p>"
        "<script>alert(1)</script><img src='http://evil.example/p'><blockquote>old words</blockquote></body></html>",
        subtype="html",
    )
    row = take(box, made)
    assert row.message.body == "Hello desk"
    assert row.quoted == "> old words"


def test_words_of_a_page_hold_no_markup():
    assert text_of_html("<p>a &lt;script&gt;</p><p>b</p><template>no</template>") == "a <script>\n\nb"


def test_files_are_attached_and_what_is_not_taken_is_said(box):
    made = written()
    made.add_attachment(PNG, maintype="image", subtype="png", filename="screen.png")
    made.add_attachment(b"MZ\x90\x00", maintype="application", subtype="octet-stream", filename="setup.exe")
    made.add_attachment(b"not a picture", maintype="image", subtype="png", filename="fake.png")
    made.add_attachment("BEGIN:VCALENDAR", subtype="calendar", filename="invite.ics")
    row = take(box, made)
    assert list(Attachment.objects.about(row.ticket).values_list("name", flat=True)) == ["screen.png"]
    assert "setup.exe was left out: Files of type .exe are not accepted." in row.remarks
    assert "fake.png was left out" in row.remarks
    assert "A calendar invitation was left out: tickets have no calendar." in row.remarks
    assert "setup.exe" in Message.objects.get(kind=MessageKind.INTERNAL).body


def test_calendar_invitation_alone_is_refused(box):
    made = written()
    made.set_content("BEGIN:VCALENDAR\nMETHOD:REQUEST\nEND:VCALENDAR", subtype="calendar")
    row = take(box, made)
    assert row.reason == (
        "There is nothing to read in it. A calendar invitation was left out: tickets have no calendar."
    )


def test_mail_of_many_parts_is_bounded():
    made = written()
    for number in range(MOST_PARTS + 50):
        made.add_attachment(b"x", maintype="application", subtype="octet-stream", filename=f"{number}.txt")
    read = read_mail(made.as_bytes())
    assert len(read.files) == MOST_FILES
    assert f"It has more than {MOST_PARTS} parts; the others were left out." in read.remarks


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x00\xff garbage",
        b"From: \xff\xfe\nSubject: =?utf-8?q?=ff?=\nContent-Type: text/plain; charset=nonsense\n\nHi \xff",
        b"From: a@b.example\nContent-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: multipart/mixed\n\n",
        b"From: <<a@b.example>\nMessage-ID: no id\nReferences: <\nIn-Reply-To: >\n\nHi",
        b"From: a@b.example\nContent-Transfer-Encoding: base64\n\n!!!!",
    ],
)
def test_what_is_no_proper_mail_breaks_nothing(box, raw):
    assert take(box, raw).outcome in (MailOutcome.REJECTED, MailOutcome.OPENED)


def test_answers_to_colleagues_who_asked_elsewhere_stay_in_the_product(box):
    from tests.factories.tickets import ticket

    reply(ticket(queue=box.queue), body="Hello", by=box.runs_as)
    assert not SentMail.objects.exists()


def test_internal_notes_never_go_out(box):
    reply(take(box, written()).ticket, body="Careful", by=box.runs_as, internal=True)
    assert not SentMail.objects.exists()


def test_answer_is_sent_once_though_a_process_died(box):
    reply(take(box, written()).ticket, body="Hello", by=box.runs_as)
    SentMail.objects.update(state=SentState.SENDING, claimed_at=clock.now() - dt.timedelta(hours=1))
    assert send_due() == {}
    assert give_up_stuck() == 1
    sent = SentMail.objects.get()
    assert (sent.state, sent.error) == (SentState.DEAD, UNKNOWN)


def test_answer_that_cannot_be_sent_is_tried_again_and_told(box, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    reply(take(box, written()).ticket, body="Hello", by=box.runs_as)
    assert send_due() == {"postponed": 1}
    sent = SentMail.objects.get()
    assert (sent.state, sent.attempts) == (SentState.QUEUED, 1)
    assert "refused" in sent.error


def test_mailboxes_that_make_no_sense_are_refused(box):
    box.security, box.host = "none", "mail.example.com"
    with pytest.raises(ValidationError, match=r"Without TLS anybody on the way reads the password; choose TLS\."):
        box.full_clean()
    box.security, box.runs_as = "tls", colleague()
    with pytest.raises(ValidationError, match="does not work at the desk, so no mail could be written down"):
        box.full_clean()
    box.runs_as, box.secret_name = agent(), "SECRET_KEY"
    with pytest.raises(ValidationError, match="The name begins with MOPS_MAILBOX_"):
        box.full_clean()


def test_pages_show_what_became_of_mail(client, box):
    take(box, written())
    take(box, written(Precedence="bulk"))
    sign_in(client, person_with(Role.AUDITOR))
    page = client.get("/admin/tickets/receivedmail/").content.decode()
    assert "It is an automatic mail" in page
    assert "Bring it in all the same" not in client.get(
        f"/admin/tickets/receivedmail/{ReceivedMail.objects.first().pk}/change/"
    ).content.decode().replace("Bring it in all the same</h", "")
    assert client.get("/admin/tickets/mailbox/").status_code == 200
    assert client.get("/admin/tickets/sentmail/").status_code == 200


def test_mail_to_the_address_of_a_queue_comes_there(box):
    lists = QueueFactory(name="Lists", address="Lists@example.com")
    assert take(box, written(to="help@example.com, lists@example.com")).ticket.queue == lists
    assert take(box, written("Another", to="help@example.com")).ticket.queue.name == "Desk"
    assert take(box, written("Round", sender="lists@example.com")).reason == (
        "It is from our own address; taking it in would go round in circles."
    )
    with pytest.raises(ValidationError, match="Another queue has this address"):
        QueueFactory.build(address="lists@EXAMPLE.com", team=lists.team).full_clean()


@pytest.mark.parametrize("note", ["The mapping follows the new field.", ""])
def test_who_asked_by_mail_reads_by_mail_that_it_is_resolved(box, note):
    made = take(box, written()).ticket
    moves.resolve(made, by=box.runs_as, resolution="solved", note=note)
    send_due()
    sent = outbox.outbox[-1]
    assert sent.to == ["ann@client.example"]
    assert (note or f"{made.ref} is resolved: solved. Answer this mail if it is not.") in sent.body
    # a sentence that a machine writes is no first answer; the note of a person is one
    assert (Ticket.objects.get(pk=made.pk).first_response_at is not None) is bool(note)
