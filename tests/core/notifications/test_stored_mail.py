"""Mail without a mail server."""

import datetime as dt

import pytest
import time_machine
from django.core.mail import EmailMultiAlternatives, send_mail
from django.core.mail.message import BadHeaderError

from apps.accounts.enums import Role
from apps.core import access
from apps.core.notifications.domain.delivering import deliver_due
from apps.core.notifications.domain.notifying import notify
from apps.core.notifications.domain.pruning import prune
from apps.core.notifications.mail import NOT_KEPT
from apps.core.notifications.models import Notification, StoredMail
from tests.admin_pages import assert_same_queries, list_of, page_of
from tests.factories.accounts import UserFactory, person_with

pytestmark = pytest.mark.django_db
RESET = "Follow http://localhost:8000/accounts/password/reset/key/1-abc/ now."


@pytest.fixture(autouse=True)
def _stored(settings):
    settings.EMAIL_BACKEND = "apps.core.notifications.mail.StoredMailBackend"
    settings.DEBUG = True


def seen_by(person):
    return list(access.visible(person, StoredMail).order_by("pk").values_list("subject", flat=True))


def two_mails(person):
    send_mail("Reset", RESET, None, [person.email.upper()])
    notify([person], "approval.requested", title="Approve")
    deliver_due()


def test_djangos_own_mail_is_kept_and_readable(client):
    person = person_with(Role.OPS)
    send_mail("Reset", RESET, None, [person.email.upper()])
    row = StoredMail.objects.get()
    assert (row.subject, row.recipients, row.is_sensitive) == ("Reset", [person.email], True)
    client.force_login(person)
    page = client.get(page_of(row)).content.decode()
    assert '<a href="http://localhost:8000/accounts/password/reset/key/1-abc/" rel="nofollow">' in page


def test_who_reads_which_mail(settings):
    person, other, administrator, auditor = (
        person_with(role) for role in (Role.OPS, Role.OPS, Role.ADMINISTRATOR, Role.AUDITOR)
    )
    two_mails(person)
    both, none = ["Reset", "[mops] Approve"], []
    assert [seen_by(each) for each in (person, other, administrator, auditor)] == [both, none, both, none]
    settings.DEBUG = False
    assert [seen_by(each) for each in (person, other, administrator)] == [both, none, ["[mops] Approve"]]


def test_outside_the_demo_no_key_to_an_account_is_kept(settings):
    settings.DEBUG = False
    two_mails(person_with(Role.OPS))
    reset, approve = StoredMail.objects.order_by("pk")
    assert (reset.text, reset.html) == (NOT_KEPT, "")
    assert "Approve" in approve.text


def test_keys_to_accounts_go_when_they_have_expired():
    with time_machine.travel("2026-01-01", tick=False) as travel:
        two_mails(person_with(Role.OPS))
        travel.shift(dt.timedelta(days=1, hours=1))
        assert prune()["mail"] == 1
        assert StoredMail.objects.get().subject == "[mops] Approve"
        travel.shift(dt.timedelta(days=90))
        assert prune()["mail"] == 1


def test_a_header_cannot_be_smuggled_in():
    with pytest.raises(BadHeaderError):
        send_mail("Hello\nBcc: evil@example.com", "", None, ["a@example.com"])
    assert StoredMail.objects.count() == 0


def test_blind_copies_are_readable_by_their_reader_and_named_nowhere():
    person = person_with(Role.OPS)
    EmailMultiAlternatives("Hello", "Text", to=["a@example.com"], bcc=[person.email]).send()
    row = StoredMail.objects.get()
    assert row.to == "a@example.com"
    assert seen_by(person) == ["Hello"]


def test_scripts_in_a_mail_do_not_run(client):
    person = person_with(Role.OPS)
    send_mail("<script>1</script>", '<script>2</script> https://x.example/"onclick="3', None, [person.email])
    client.force_login(person)
    page = client.get(page_of(StoredMail.objects.get())).content.decode()
    assert "<script>1" not in page
    assert "<script>2" not in page
    assert '"onclick="' not in page


def test_the_menu_leaves_it_out_where_mail_really_leaves(client, settings):
    client.force_login(person_with(Role.ADMINISTRATOR))
    assert b"Stored mail" in client.get("/admin/").content
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    assert b"Stored mail" not in client.get("/admin/").content


def test_the_list_asks_the_same_however_long_it_is(client):
    person = person_with(Role.ADMINISTRATOR)
    client.force_login(person)
    send_mail("One", "", None, [person.email])
    assert_same_queries(
        client, list_of(StoredMail), lambda: [send_mail("More", "", None, [person.email]) for _ in "12"]
    )


def test_an_inactive_person_is_not_written_to():
    notify([UserFactory(is_active=False)], "approval.requested", title="Approve")
    assert (Notification.objects.count(), StoredMail.objects.count()) == (0, 0)
