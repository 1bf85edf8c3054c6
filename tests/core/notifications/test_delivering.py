"""Sending queued mail."""

import datetime as dt
import smtplib

import pytest
import time_machine
from django.core import mail

from apps.accounts.enums import Role
from apps.accounts.models import Team
from apps.core import clock
from apps.core.alerts.models import Alert
from apps.core.errors import NotAllowed, WrongState
from apps.core.jobs.api import JobRun
from apps.core.jobs.testing import run_queued_jobs
from apps.core.notifications.domain import delivering
from apps.core.notifications.domain.digests import is_due, queue_digests
from apps.core.notifications.domain.notifying import notify
from apps.core.notifications.domain.pruning import prune
from apps.core.notifications.domain.reading import mark_all_read
from apps.core.notifications.enums import DeliveryState, Reach
from apps.core.notifications.models import Delivery, MailHours, Notification, Preference, StoredMail
from tests.factories.accounts import TeamFactory, UserFactory, person_with

pytestmark = pytest.mark.django_db


class Server:
    """A mail server that answers what it is told to: an exception is raised, anything else accepts."""

    def __init__(self, monkeypatch):
        self.answers, self.got = [], []
        monkeypatch.setattr(delivering, "get_connection", lambda: self)

    def send_messages(self, messages):
        self.got += messages
        if self.answers and (answer := self.answers.pop(0)):
            raise answer
        return len(messages)

    def close(self):
        pass


@pytest.fixture
def server(monkeypatch):
    return Server(monkeypatch)


def queue_one(person=None, **fields):
    person = person or UserFactory()
    notify([person], "approval.requested", **{"title": "Approve the plan", "body": "It waits.", **fields})
    return Delivery.objects.get(person=person)


def test_a_job_sends_what_was_queued_with_the_notification():
    person = person_with(Role.OPS)
    team = TeamFactory(name="<b>Data & more</b>")
    queue_one(person, subject=team, title="Look at <Data>")
    queue_one(person_with(Role.OPS))
    assert JobRun.objects.filter(key="notifications.deliver_mail").count() == 1  # asked for once
    [run] = run_queued_jobs()
    assert run.counts == {"sent": 2}
    sent = next(each for each in mail.outbox if each.to == [person.email])
    link = f"http://localhost:8000/admin/accounts/team/{team.pk}/change/"
    assert sent.subject == "[mops] Look at <Data>"
    assert f"<b>Data & more</b>: {link}" in sent.body
    [(html, kind)] = sent.alternatives
    assert kind == "text/html"
    assert "&lt;b&gt;Data &amp; more&lt;/b&gt;" in html
    assert "<b>Data" not in html
    assert (sent.cc, sent.bcc, sent.extra_headers["Auto-Submitted"]) == ([], [], "auto-generated")
    assert sent.extra_headers["List-Id"] == "mops notifications <notifications.localhost>"
    row = Delivery.objects.get(person=person)
    assert (row.state, row.attempts, row.address) == ("sent", 1, person.email)
    assert row.message_id == sent.extra_headers["Message-ID"]


def test_a_mail_carries_nothing_that_tracks():
    queue_one(body="See https://example.com/x")
    run_queued_jobs()
    html = mail.outbox[0].alternatives[0][0]
    assert "<img" not in html
    assert "http" not in html.replace("http://localhost:8000/", "").replace("https://example.com/x", "")


def test_the_server_gets_each_mail_once(server):
    queue_one()
    assert delivering.deliver_due() == {"sent": 1}
    assert delivering.deliver_due() == {}
    assert len(server.got) == 1


def test_what_may_pass_is_tried_again_after_growing_pauses(server):
    server.answers = [ConnectionRefusedError("nobody there"), smtplib.SMTPServerDisconnected("gone")]
    with time_machine.travel("2026-03-02 10:00:00+00:00", tick=False) as travel:
        row = queue_one()
        pauses = []
        for _ in range(2):
            assert delivering.deliver_due() == {"postponed": 1}
            assert delivering.deliver_due() == {}
            row.refresh_from_db()
            pauses.append(row.not_before - clock.now())
            travel.move_to(row.not_before)
        assert delivering.deliver_due() == {"sent": 1}
    assert pauses == [dt.timedelta(minutes=1), dt.timedelta(minutes=5)]
    row.refresh_from_db()
    assert (row.state, row.attempts, row.error) == ("sent", 3, "")


def test_a_mail_is_given_up_after_six_tries_and_an_alert_says_so(server):
    administrator = person_with(Role.ADMINISTRATOR)
    server.answers = [OSError("password=hunter2 refused")] * 6
    row = queue_one()
    for _ in range(6):
        Delivery.objects.filter(pk=row.pk).update(not_before=clock.now())
        delivering.deliver_due(most=1)
    row.refresh_from_db()
    assert (row.state, row.attempts) == ("dead", 6)
    assert row.error == "OSError: password=[redacted] refused"
    alert = Alert.objects.get()
    assert (alert.fingerprint, alert.severity) == ("mail.dead", "warning")
    assert "hunter2" not in alert.detail
    assert Notification.objects.filter(recipient=administrator, kind="alert.warning").count() == 1


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (smtplib.SMTPRecipientsRefused({"a@b.example": (550, b"no such user")}), "dead"),
        (smtplib.SMTPRecipientsRefused({"a@b.example": (450, b"busy")}), "queued"),
        (smtplib.SMTPDataError(554, b"spam"), "dead"),
        (smtplib.SMTPDataError(451, b"later"), "queued"),
        (smtplib.SMTPAuthenticationError(535, b"wrong password"), "queued"),
        (TimeoutError("slow"), "queued"),
        (KeyError("a mistake of ours"), "dead"),
    ],
)
def test_what_the_server_refuses_for_good_is_not_tried_again(server, error, state):
    server.answers = [error]
    row = queue_one()
    delivering.deliver_due()
    row.refresh_from_db()
    assert row.state == state
    assert type(error).__name__ in row.error


def test_one_bad_mail_does_not_hold_up_the_others(server):
    server.answers = [KeyError("a mistake of ours"), None]
    queue_one(), queue_one()
    assert delivering.deliver_due() == {"dead": 1, "sent": 1}


def test_a_mail_whose_sender_died_is_not_sent_a_second_time_unasked(server):
    row = queue_one()
    Delivery.objects.update(state=DeliveryState.SENDING, claimed_at=clock.now() - dt.timedelta(minutes=16))
    assert delivering.give_up_stuck() == 1
    assert delivering.deliver_due() == {}
    row.refresh_from_db()
    assert (row.state, row.error) == ("dead", delivering.UNKNOWN)
    assert Alert.objects.get().fingerprint == "mail.dead"


def test_a_mail_is_sent_again_when_somebody_asks(server):
    administrator, ops = person_with(Role.ADMINISTRATOR), person_with(Role.OPS)
    server.answers = [smtplib.SMTPDataError(554, b"spam")]
    row = queue_one()
    delivering.deliver_due(most=1)
    assert delivering.resend(row, by=administrator) == f"The mail to {row.person} is queued again."
    with pytest.raises(WrongState, match="not given up but queued"):
        delivering.resend(row, by=administrator)
    with pytest.raises(NotAllowed, match="Only who looks after the mail log"):
        delivering.resend(row, by=ops)
    assert Alert.objects.get().state == "resolved"
    delivering.deliver_due()
    first, second = (each.extra_headers["Message-ID"] for each in server.got if each.to == [row.person.email])
    assert first == second


def test_a_deactivated_person_gets_no_mail(server):
    row = queue_one()
    type(row.person).objects.filter(pk=row.person_id).update(is_active=False)
    assert delivering.deliver_due() == {"cancelled": 1}
    row.refresh_from_db()
    assert row.error == f"{row.person} was deactivated before it was sent."
    assert server.got == []


def test_who_may_not_see_the_record_gets_no_mail_about_it(server):
    outsider = UserFactory()
    row = queue_one(outsider, subject=TeamFactory())
    assert delivering.deliver_due() == {"cancelled": 1}
    row.refresh_from_db()
    assert row.error == f"{outsider} may not see what it is about."


def test_what_was_read_in_mops_needs_no_mail(server):
    person = person_with(Role.OPS)
    queue_one(person)
    mark_all_read(person, by=person)
    assert delivering.deliver_due() == {"cancelled": 1}


def test_quiet_hours_are_kept(server):
    with time_machine.travel("2026-03-02 22:00:00+00:00", tick=False) as travel:
        person = UserFactory()
        MailHours.objects.create(person=person, quiet_from="20:00", quiet_until="07:00")
        queue_one(person)
        assert delivering.deliver_due() == {}
        travel.move_to("2026-03-03 07:00:00+00:00")
        assert delivering.deliver_due() == {"sent": 1}


def test_a_digest_is_one_mail_a_day_in_the_zone_of_the_person(server):
    with time_machine.travel("2026-03-02 05:00:00+00:00", tick=False) as travel:
        person = person_with(Role.OPS, time_zone="Europe/Berlin")
        Preference.objects.create(person=person, kind="approval.requested", reach=Reach.DIGEST)
        secret = Team.objects.create(name="Secret")
        notify([person], "approval.requested", title="One")
        notify([person], "approval.requested", title="Two", subject=secret)
        assert queue_digests() == 0  # six in the morning
        travel.move_to("2026-03-02 07:00:00+00:00")
        assert (queue_digests(), queue_digests()) == (1, 0)
        notify([person], "approval.requested", title="Three")
        assert queue_digests() == 0  # tomorrow's
        assert delivering.deliver_due() == {"sent": 1}
        travel.move_to("2026-03-03 07:00:00+00:00")
        assert queue_digests() == 1
        assert delivering.deliver_due() == {"sent": 1}
    first, second = server.got
    assert first.subject == "[mops] 2 notifications"
    assert [word in first.body for word in ("One", "Two", "Three")] == [True, True, False]
    assert second.subject == "[mops] Digest: Three"


def test_what_was_read_before_the_digest_is_not_in_it():
    person = person_with(Role.OPS)
    Preference.objects.create(person=person, kind="approval.requested", reach=Reach.DIGEST)
    notify([person], "approval.requested", title="One")
    mark_all_read(person, by=person)
    with time_machine.travel("2030-03-02 12:00:00+00:00"):
        assert queue_digests() == 0


def test_digest_hour_is_the_persons():
    import zoneinfo

    moment = dt.datetime(2026, 3, 2, 7, 30, tzinfo=dt.UTC)
    zones = ("UTC", "Europe/Berlin", "America/New_York")
    assert [is_due(moment, zoneinfo.ZoneInfo(name), dt.time(8)) for name in zones] == [False, True, False]


def test_old_rows_are_put_away():
    person = person_with(Role.OPS)
    with time_machine.travel("2024-01-01 10:00:00+00:00"):
        queue_one(person)
        mark_all_read(person, by=person)
        delivering.deliver_due()
    keep = queue_one(UserFactory())
    assert prune() == {"mail": 0, "log_lines": 1, "notifications": 1}
    assert list(Delivery.objects.all()) == [keep]
    assert StoredMail.objects.count() == 0
