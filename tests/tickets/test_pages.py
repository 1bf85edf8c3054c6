"""The pages: what the desk sees and does, what a colleague sees, and how many questions a list asks."""

import datetime as dt

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from apps.accounts.enums import Role
from apps.core.attachments.models import Attachment
from apps.core.clocks.domain.clocks import start_clock
from apps.tickets.admin.tickets import TicketAdmin
from apps.tickets.domain.conversation import reply
from apps.tickets.domain.queries import own_tickets
from apps.tickets.models import Ticket
from tests.factories.accounts import person_with
from tests.factories.tickets import (
    QueueFactory,
    ReplyTemplateFactory,
    TicketTypeFactory,
    agent,
    colleague,
    ticket,
    type_with_form,
)

pytestmark = pytest.mark.django_db
LIST = "/admin/tickets/ticket/"


@pytest.fixture
def ops(client):
    person = agent(full_name="Olga Ops")
    client.force_login(person)
    return person


def page(made):
    return reverse("admin:tickets_ticket_change", args=(made.pk,))


def test_list_sorts_by_what_is_due_and_reads_one_page(client, ops, monkeypatch):
    monkeypatch.setattr(TicketAdmin, "list_per_page", 2)
    made = [ticket(title=f"Due {n}") for n in range(5)]
    for each, hours in zip(made[:3], (9, 3, 6), strict=True):
        start_clock(each, "tickets.resolution", target=dt.timedelta(hours=hours), by=ops)
    named = ["T-" + str(made[n].pk) for n in (1, 2, 0, 4, 3)]  # nothing promised: last, the newest first
    pages = [client.get(f"{LIST}?o=5&p={number}").context["cl"].result_list for number in (1, 2, 3)]
    assert [each.ref for page in pages for each in page] == named
    assert len(client.get(f"{LIST}?o=-5&all=").context["cl"].result_list) == 5


def test_list_asks_the_same_for_one_and_three(client, ops, django_assert_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    ticket()
    client.get(LIST)
    with CaptureQueriesContext(connection) as first:
        assert client.get(LIST).status_code == 200
    ticket(), ticket()
    with django_assert_num_queries(len(first)):
        client.get(LIST)


@pytest.mark.parametrize("kind", ["queue", "tickettype", "replytemplate"])
def test_catalogue_lists_ask_the_same_for_one_and_three(client, ops, django_assert_num_queries, kind):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    make = {"queue": QueueFactory, "tickettype": TicketTypeFactory, "replytemplate": ReplyTemplateFactory}[kind]
    make()
    client.get(f"/admin/tickets/{kind}/")
    with CaptureQueriesContext(connection) as first:
        assert client.get(f"/admin/tickets/{kind}/").status_code == 200
    make(), make()
    with django_assert_num_queries(len(first)):
        client.get(f"/admin/tickets/{kind}/")


def test_desk_answers_on_the_page(client, ops):
    made = ticket()
    shown = client.get(page(made)).content.decode()
    assert "<strong>nothing</strong>" in shown
    client.post(reverse("admin:tickets_ticket_reply", args=(made.pk,)), {"body": "Hello", "then": "resolved"})
    row = Ticket.objects.get(pk=made.pk)
    assert (row.state, row.assignee) == ("resolved", ops)
    again = client.post(
        reverse("admin:tickets_ticket_reply", args=(made.pk,)), {"body": "", "then": "internal"}, follow=True
    )
    assert "Write something first." in again.content.decode()


def test_ticket_page_asks_few_questions_however_long_the_trail(client, ops, django_assert_max_num_queries):
    made = ticket()
    for number in range(20):
        reply(made, body=f"Answer {number}", by=ops)
    client.get(page(made))
    with django_assert_max_num_queries(25):
        client.get(page(made))


def test_desk_writes_down_a_ticket_with_the_questions_of_its_type(client, ops):
    kind = type_with_form()
    address = f"{reverse('admin:tickets_ticket_add')}?type={kind.pk}"
    assert "Campaign name" in client.get(address).content.decode()
    given = {"title": "T", "body": "B", "impact": 3, "urgency": 3, "requester": colleague().pk}
    again = client.post(address, given)
    assert "This field is required." in again.content.decode()
    client.post(address, {**given, "answer_campaign_name": "Spring"})
    made = Ticket.objects.get()
    assert (made.answers, made.priority, made.queue) == ({"campaign_name": "Spring"}, 1, kind.queue)


def test_ticket_is_found_by_its_number(client, ops):
    made, other = ticket(title="One"), ticket(title="Two")
    shown = client.get(LIST, {"q": made.ref.lower()}).content.decode()
    assert "One" in shown
    assert "Two" not in shown
    assert other.ref not in shown


@pytest.mark.parametrize(
    ("query", "expected"),
    [("whose=mine", {"Mine"}), ("whose=nobody", {"Free"}), ("whose=teams", set()), ("stands=active", {"Mine", "Free"})],
)
def test_filters_tell_whose_and_where(client, ops, query, expected):
    reply(ticket(title="Mine"), body="x", by=ops)
    ticket(title="Free")
    reply(ticket(title="Done"), body="x", by=agent(), then="resolved")
    rows = client.get(f"{LIST}?{query}").context["cl"].result_list
    assert {row.title for row in rows} == expected


def test_colleague_asks_reads_and_answers_on_the_help_page(client):
    person = colleague()
    client.force_login(person)
    kind = type_with_form(name="New template")
    alone = TicketTypeFactory(name="Download a logo", tier="self_service", guide="Open the **brand** page.")
    home = client.get(reverse("portal-home")).content.decode()
    assert "New template" in home
    guide = client.get(reverse("portal-ask-type", args=(alone.pk,))).content.decode()
    assert "<strong>brand</strong>" in guide
    assert "I am stuck" in guide
    given = {"title": "Please", "body": "Soon", "answer_campaign_name": "Spring"}
    client.post(reverse("portal-ask-type", args=(kind.pk,)), given)
    made = Ticket.objects.get()
    assert (made.requester, made.intake, made.answers) == (person, "portal", {"campaign_name": "Spring"})
    ops = agent()
    reply(made, body="A secret", by=ops, internal=True)
    reply(made, body="An answer", by=ops)
    own = reverse("portal-ticket", args=(made.pk,))
    shown = client.get(own).content.decode()
    assert "An answer" in shown
    assert "A secret" not in shown
    assert client.post(own, {"body": "Thanks"}).status_code == 302
    assert made.messages.filter(kind="requester").count() == 2
    assert client.post(own, {"body": " "}).status_code == 200


def test_requesters_send_files_that_are_checked_and_read_by_them_alone(client, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    QueueFactory(is_default=True)
    asks, picture = colleague(), b"\x89PNG\r\n\x1a\n" + b"\x00" * 40
    client.force_login(asks)
    files = [SimpleUploadedFile("shot.png", picture), SimpleUploadedFile("run.exe", b"MZ" + b"\x00" * 80)]
    page = client.post(reverse("portal-ask"), {"title": "It fails", "body": "See", "files": files}, follow=True)
    made = own_tickets(asks).get()
    html = page.content.decode()
    assert "run.exe was left out: " in html
    kept = Attachment.objects.get()
    assert (kept.name, kept.record, kept.attached_by) == ("shot.png", made, asks)
    address = reverse("portal-file", args=(made.pk, kept.pk))
    assert address in html
    sent = client.get(address)
    assert (b"".join(sent.streaming_content), sent["Content-Disposition"]) == (
        picture,
        'attachment; filename="shot.png"',
    )
    more = [SimpleUploadedFile(f"{n}.png", picture + bytes([n])) for n in range(6)]
    page = client.post(reverse("portal-ticket", args=(made.pk,)), {"body": "More", "files": more}, follow=True)
    assert "5.png was left out: 5 files at a time are enough." in page.content.decode()
    assert Attachment.objects.count() == 6
    client.force_login(colleague())
    assert client.get(address).status_code == 404


def test_nobody_reads_the_tickets_of_others(client):
    made = ticket()
    client.force_login(colleague())
    assert client.get(reverse("portal-ticket", args=(made.pk,))).status_code == 404
    assert client.get(page(made)).status_code in (302, 403)
    assert client.get(LIST).status_code in (302, 403)


def test_auditor_reads_everything_and_answers_nothing(client):
    made = ticket()
    client.force_login(person_with(Role.AUDITOR))
    shown = client.get(page(made)).content.decode()
    assert "only the people of the desk do" in shown
    client.post(reverse("admin:tickets_ticket_reply", args=(made.pk,)), {"body": "x"})
    assert made.messages.count() == 1
