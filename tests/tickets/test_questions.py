"""How many questions the pages of the desk ask: of a ticket with everything on it, and of very many tickets."""

import datetime as dt

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.accounts.enums import Role
from apps.accounts.models import Membership
from apps.approvals.domain.decisions import approve
from apps.approvals.domain.policies import ensure_default_policies
from apps.approvals.models import ApprovalRequest
from apps.core import clock
from apps.core.actors import acting_as
from apps.core.attachments.domain.files import attach
from apps.core.calendars.domain.publishing import ensure_default_calendar
from apps.core.clocks.domain.firing import due_clocks
from apps.core.clocks.domain.queries import clocks_of
from apps.core.records import kind_of
from apps.core.workspace.domain.custom_values import set_custom_values
from apps.core.workspace.domain.journal import add_note
from apps.core.workspace.domain.tagging import tag_record
from apps.tickets.bench_desk import plans_of
from apps.tickets.bench_search import RARE, fill
from apps.tickets.benchmarks import lay_clocks
from apps.tickets.domain import linking, moves
from apps.tickets.domain.about import link_record
from apps.tickets.domain.agreements import submit_agreement
from apps.tickets.domain.conversation import answer_as_requester, reply
from apps.tickets.domain.follow_ups import plan_follow_up
from apps.tickets.domain.problems import open_problem
from apps.tickets.domain.search import tickets_with
from apps.tickets.models import Agreement, Survey, Ticket
from tests.factories.accounts import TeamFactory, person_with, sign_in
from tests.factories.campaigns import planned
from tests.factories.processes import effective
from tests.factories.technology import ToolFactory
from tests.factories.tickets import (
    QueueFactory,
    ReplyTemplateFactory,
    agent,
    colleague,
    routing_in_force,
    ticket,
    type_with_form,
)
from tests.factories.workspace import CustomFieldFactory, TagFactory

FEW = 25


def asked_by(client, url, **given):
    """Open a page twice; return what the second time asked."""
    client.get(url, given)
    with CaptureQueriesContext(connection) as asked:
        assert client.get(url, given).status_code == 200
    return len(asked)


def signed(queue):
    """An agreement between a queue's team and another, signed by both."""
    ensure_default_policies()
    ensure_default_calendar()
    sides = {}
    for team, name in ((queue.team, "provider_signatory"), (TeamFactory(), "customer_signatory")):
        sides[name] = person_with(Role.APPROVER)
        Membership.objects.create(team=team, person=sides[name], role=Role.APPROVER)
    agreement = Agreement.objects.create(
        name="Desk",
        queue=queue,
        customer=team,
        promises="P1 | 1 h | 1 h | 8 h\nP3 | 4 h | 4 h | 2 d",
        effective_on=dt.date(2020, 1, 1),
        for_everybody=True,
        **sides,
    )
    submit_agreement(agreement, by=agent())
    request = ApprovalRequest.objects.get(object_id=agreement.pk, content_type__model="agreement")
    for person in sides.values():
        approve(request, by=person)
    return agreement


def rich(by):
    """A ticket with everything that can be on one."""
    queue = QueueFactory()
    signed(queue)
    process = effective().process
    kind = type_with_form(queue=queue, process=process)
    routing_in_force(
        {
            "key": "rest",
            "name": "All",
            "predicate": {"all": []},
            "outcome": {"queue": queue.pk, "spread": "load"},
            "enabled": True,
            "reason": "",
        }
    )
    made, *others = (ticket(by=colleague(), queue=queue) for _ in range(4))
    made = ticket(kind=kind, answers={"campaign_name": "Spring"})
    ReplyTemplateFactory(), ReplyTemplateFactory(queue=queue)
    for number in range(3):
        reply(made, body=f"Answer {number}", by=by)
        answer_as_requester(made, body="And now?", by=made.requester)
    reply(made, body="Among us", by=by, internal=True)
    linking.add_points(made, by=by, points="One\nTwo")
    linking.tick(made, by=by, point=made.checklist.first())
    linking.link_tickets(made, by=by, other=others[0], kind="parent")
    linking.link_tickets(others[1], by=by, other=made)
    linking.merge_into(others[2], by=by, other=made)
    for thing, name in ((planned(), "campaigns.campaign"), (ToolFactory(), "technology.tool")):
        link_record(made, by=by, kind=name, words=str(thing))
    link_record(made, by=by, kind="processes.process", words=process.title)
    open_problem(title="Forms lose fields", by=by, tickets=[made])
    linking.spend_time(made, by=by, minutes=9)
    plan_follow_up(made, by=by, question="Does it hold?", due_on=clock.today())
    linking.watch(made, by=by)
    tag_record(made, [TagFactory().name], by=by)
    CustomFieldFactory(content_type=kind_of(Ticket), key="region", label="Region")
    set_custom_values(made, {"region": "EMEA"}, by=by)
    add_note(made, "A note", by=by)
    attach(made, SimpleUploadedFile("seen.txt", b"as seen", "text/plain"), by=by)
    with acting_as(by):
        Survey.objects.create(
            ticket=made, round=0, queue=queue, tier="standard", agent=by, asked_at=clock.now(), expires_at=clock.now()
        )
    moves.set_priority(made, by=by, impact=3, urgency=3, reason="More of them")
    moves.wait(made, by=by, state="waiting_requester", reason="Which ones?")
    return made


@pytest.mark.django_db
def test_a_ticket_with_everything_on_it_asks_few_questions(client):
    by = agent(full_name="Olga Ops")
    made = rich(by)
    assert clocks_of(made).count() > 2
    sign_in(client, by)
    address = reverse("admin:tickets_ticket_change", args=(made.pk,))
    assert asked_by(client, address) < FEW
    shown = client.get(address).content.decode()
    for words in (
        "is the parent of",
        "has taken in",
        "is about the campaign",
        "is about the tool",
        "Forms lose fields",
    ):
        assert words in shown, words


@pytest.mark.django_db(transaction=True)
def test_the_desk_at_size(client, proof):
    """A small part of what the issue names; all of it under --proof: 2,000,000 messages on 200,000 tickets."""
    ensure_default_calendar()  # a test before this one may have emptied the table
    person, first = fill(2_000_000 if proof else 10_000)
    lay_clocks(10_000 if proof else 4_000, by=person, among=first + 10)  # not on the one they are copied from
    count = Ticket.objects.count()
    sign_in(client, person)
    tickets = reverse("admin:tickets_ticket_changelist")
    shown = Ticket.objects.latest("pk")
    assert asked_by(client, tickets) < FEW
    assert asked_by(client, tickets, o="5") < FEW
    assert asked_by(client, tickets, q=RARE) < FEW
    for name in ("tickets-figures", "tickets-pauses", "tickets-demand", "tickets-satisfaction"):
        assert asked_by(client, reverse(name)) < FEW, name
    assert asked_by(client, reverse("admin:tickets_ticket_change", args=(shown.pk,))) < FEW
    for name, plan in plans_of(shown.pk).items():
        assert "Seq Scan on tickets_message " not in plan, name
        assert "Seq Scan on clocks_clock " not in plan, name
        assert "Seq Scan on tickets_ticket " not in plan, name
    assert tickets_with(Ticket.objects.all(), RARE, internal=True).count() == (count * 10) // 10_000
    with transaction.atomic(), CaptureQueriesContext(connection) as asked:
        found = due_clocks(clock.now(), 500)
        assert len(found) == 100  # as many as are due, of all that run
    assert len(asked) == 1
    assert "SKIP LOCKED" in asked[0]["sql"]
