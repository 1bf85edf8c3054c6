"""Erasing a person reaches the desk: addresses of mail, the mails themselves, and tickets asked from their address."""

import pytest

from apps.accounts.enums import Role
from apps.audit.domain.personal import erase_subject
from apps.core.actors import acting_as
from apps.core.private_files import private_files
from apps.tickets.domain.conversation import reply
from apps.tickets.models import ReceivedMail, SentMail, Ticket
from tests.factories.accounts import UserFactory, person_with
from tests.factories.leads import LeadFactory
from tests.tickets.test_mail import box, take, written

pytestmark = pytest.mark.django_db
__all__ = ["box"]


def test_addresses_and_mails_go_with_the_person(box, django_capture_on_commit_callbacks):
    with acting_as(UserFactory()):
        lead = LeadFactory(name="Ann", email="ann@client.example")
    mail = take(box, written())
    reply(mail.ticket, body="It is mended.", by=box.runs_as)
    other = take(box, written(sender="Bob <bob@client.example>"))
    place = mail.raw.name
    with django_capture_on_commit_callbacks(execute=True):
        erase_subject(lead, by=person_with(Role.ADMINISTRATOR), reason="Asked for it")
    asked = Ticket.objects.get(pk=mail.ticket.pk)
    assert (asked.requester_name, asked.requester_email) == ("", f"erased-{asked.pk}@erased.invalid")
    mail = ReceivedMail.objects.get(pk=mail.pk)
    assert (mail.sender, mail.quoted, mail.raw.name, mail.outcome) == ("", "", "", "opened")
    assert not private_files().exists(place)
    assert SentMail.objects.get().address == ""
    assert ReceivedMail.objects.get(pk=other.pk).sender == "bob@client.example"


def test_a_ticket_of_somebody_from_outside_is_erased_by_itself(box):
    mail = take(box, written())
    erase_subject(mail.ticket, by=person_with(Role.ADMINISTRATOR), reason="Asked for it")
    assert Ticket.objects.get().requester_email == f"erased-{mail.ticket.pk}@erased.invalid"
    assert ReceivedMail.objects.get().sender == ""
