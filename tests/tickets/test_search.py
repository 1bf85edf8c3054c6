"""Finding tickets: by index, in what one may see; notes among colleagues are found by the desk and nobody else."""

import pytest
from django.db import connection
from django.urls import reverse

from apps.accounts.enums import Role
from apps.tickets.domain.conversation import reply
from apps.tickets.domain.search import found_among_own, found_by, tickets_with
from apps.tickets.models import Message, Ticket
from tests.factories.accounts import person_with
from tests.factories.tickets import agent, colleague, ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def asker():
    return colleague(full_name="Nina Asker")


@pytest.fixture
def made(asker):
    found = ticket(by=asker, title="Dashboards are stale", body="The pipeline numbers stopped moving.")
    reply(found, body="We restarted the **loader**.", by=agent())
    reply(found, body="The vendor forgot the certificate.", by=agent(), internal=True)
    ticket(title="Another wish", body="A logo.")
    return found


@pytest.mark.parametrize(
    "words",
    ["stale", "dashboard", "dashbo", "number moved", "loader", "T-{pk}", "#{pk}", '"pipeline numbers"', "stale -logo"],
)
def test_desk_and_requester_find_by_words(made, asker, words):
    words = words.format(pk=made.pk)
    assert list(found_by(agent(), words)) == [made]
    assert list(found_among_own(asker, words)) == [made]


def test_notes_are_found_by_the_desk_alone(made, asker):
    assert list(found_by(agent(), "certificate")) == [made]
    assert list(found_among_own(asker, "certificate")) == []


def test_the_desk_finds_by_who_asked(made, asker):
    assert list(found_by(agent(), "Nina")) == [made]
    assert list(found_among_own(colleague(), "stale")) == []


def test_an_outsider_is_found_by_the_whole_address():
    made = ticket(requester_email="anke@example.org", by=agent())
    assert list(found_by(agent(), "anke@example.org")) == [made]


@pytest.mark.parametrize("words", ["", "  ", "&&|!():*'", "\x00", "-", "a" * 5000, "the"])
def test_odd_words_are_no_error(made, words):
    assert found_by(agent(), words).count() in (0, 2)


def test_who_may_not_see_tickets_finds_none(made):
    assert list(found_by(person_with(Role.SALES), "stale")) == []


def test_the_words_are_answered_by_index(made):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = off")  # rows are few here
    plan = tickets_with(Ticket.objects.all(), "certificate", internal=True).explain()
    assert "message_words" in plan
    assert "ticket_title_words" in plan
    assert "Seq Scan on tickets_message" not in plan


def test_pages_find(client, made, asker):
    client.force_login(asker)
    shown = client.get(reverse("portal-home"), {"q": "loader"}).content.decode()
    assert "Dashboards are stale" in shown
    hidden = client.get(reverse("portal-home"), {"q": "certificate"}).content.decode()
    assert "Dashboards are stale" not in hidden
    assert "None of your tickets says “certificate”." in hidden
    client.force_login(agent())
    found = client.get("/admin/tickets/ticket/", {"q": "certificate"}).content.decode()
    assert "Dashboards are stale" in found
    assert "Another wish" not in found


def test_every_message_is_indexed_whatever_its_length():
    made = ticket(body="word " * 9999)
    assert Message.objects.get(ticket=made).body.startswith("word")
    assert list(found_by(agent(), "word")) == [made]
