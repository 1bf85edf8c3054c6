"""What is promised: read, signed by both sides, counted in working time, escalated, and what is refused."""

import datetime as dt

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.db import DatabaseError, transaction

from apps.accounts.enums import Role
from apps.accounts.models import Membership
from apps.approvals.domain.decisions import approve, reject
from apps.approvals.domain.policies import ensure_default_policies
from apps.approvals.domain.signing import retire
from apps.approvals.models import ApprovalRequest
from apps.core import clock
from apps.core.actors import acting_as
from apps.core.alerts.models import Alert
from apps.core.calendars.domain.publishing import ensure_default_calendar
from apps.core.clocks.domain.explaining import explain
from apps.core.clocks.domain.firing import fire_due
from apps.core.clocks.domain.queries import clock_of, clocks_of
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.core.notifications.models import Notification
from apps.core.records import kind_of
from apps.core.workspace.enums import FieldType
from apps.core.workspace.models import CustomField
from apps.tickets.domain import moves, service
from apps.tickets.domain.agreement_choice import agreement_of, in_question, why_under
from apps.tickets.domain.agreements import attainment, submit_agreement, write_next_version
from apps.tickets.domain.conversation import answer_as_requester, reply
from apps.tickets.domain.linking import merge_into
from apps.tickets.models import Agreement, Ticket
from apps.tickets.targets import read_targets
from tests.admin_pages import page_of
from tests.factories.accounts import TeamFactory, person_with, sign_in
from tests.factories.calendars import CalendarFactory
from tests.factories.tickets import QueueFactory, TicketTypeFactory, agent, colleague, ticket

pytestmark = pytest.mark.django_db
PROMISES = "P1 | 30 min | 1 h | 8 h\nP3 | 4 h | 4 h | 2 d\nproject P3 | 1 d | - | -"
MONDAY = dt.datetime(2026, 11, 16, 9, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "An agreement promises something; write for instance “P1 | 30 min | 2 h | 8 h”."),
        (
            "urgent | 1 h | 1 h | 1 h",
            "Line 1 begins with a tier and a priority, like “standard P1”, or with the priority alone.",
        ),
        ("P1 | 1 h", "Line 1 needs three times after bars: first answer, next answer, solution."),
        ("P1 | soon | 1 h | 1 h", "Line 1: “soon” is no time; write 30 min, 4 h or 2 d."),
        ("P1 | 0 h | 1 h | 1 h", "Line 1: “0 h” is no time; write 30 min, 4 h or 2 d."),
        ("P1 | - | - | -", "Line 1 promises nothing; leave it out."),
        ("P1 | 9 h | - | 8 h", "Line 1: the first answer would be due after the solution; shorten one of the two."),
        ("P1 | 1 h | - | 2 h\nP1 | 1 h | - | 2 h", "Line 2 promises for P1 a second time."),
        (
            "standard P1 | 5 h | - | 8 h\nstandard P2 | 4 h | - | 8 h",
            (
                "Standard request P1 would wait longer for the first answer than Standard request P2; "
                "what matters more comes first."
            ),
        ),
    ],
)
def test_promises_in_the_wrong_order_are_refused(text, sentence):
    with pytest.raises(InvalidInput) as caught:
        read_targets(text)
    assert caught.value.message == sentence


def test_promises_are_looked_up_by_tier_then_for_all():
    targets = read_targets(PROMISES)
    assert targets.of("standard", 1).resolution == 8 * HOUR
    assert targets.of("project", 3).first_response == 8 * HOUR
    assert targets.of("project", 1).first_response == HOUR / 2
    assert targets.of("standard", 2) is None


@pytest.fixture
def sides():
    """A queue whose team promises, and a team it is promised to, each with an approver."""
    ensure_default_policies()
    ensure_default_calendar()
    queue, customer = QueueFactory(name="Desk", team=TeamFactory(name="Ops team")), TeamFactory(name="Content")
    ours, theirs = person_with(Role.APPROVER, full_name="Ours"), person_with(Role.APPROVER, full_name="Theirs")
    Membership.objects.create(team=queue.team, person=ours, role=Role.APPROVER)
    Membership.objects.create(team=customer, person=theirs, role=Role.APPROVER)
    return queue, customer, ours, theirs


def draft(queue, customer, **given):
    given = {"promises": PROMISES, "effective_on": dt.date(2020, 1, 1), "for_everybody": True, **given}
    for team, side in ((queue.team, "provider_signatory"), (customer, "customer_signatory")):
        member = team.memberships.order_by("pk").first()
        given.setdefault(side, member.person if member is not None else None)
    return Agreement.objects.create(name="Desk for Content", queue=queue, customer=customer, **given)


def request_of(agreement):
    return ApprovalRequest.objects.filter(object_id=agreement.pk, content_type__model="agreement").latest("pk")


@pytest.fixture
def signed(sides):
    queue, customer, ours, theirs = sides
    agreement = draft(queue, customer)
    submit_agreement(agreement, by=agent())
    approve(request_of(agreement), by=ours)
    approve(request_of(agreement), by=theirs)
    agreement.refresh_from_db()
    return agreement


def test_both_sides_sign(signed):
    assert (signed.state, signed.signed_at is not None) == ("signed", True)


def test_one_signature_is_not_enough(sides):
    queue, customer, ours, theirs = sides
    agreement = draft(queue, customer)
    said = submit_agreement(agreement, by=agent())
    assert said == "Desk for Content v1 waits for the signatures of Ops team and Content."
    approve(request_of(agreement), by=theirs)
    agreement.refresh_from_db()
    assert agreement.state == "in_approval"
    with pytest.raises(NotAllowed):
        approve(request_of(agreement), by=person_with(Role.APPROVER))
    approve(request_of(agreement), by=ours)
    agreement.refresh_from_db()
    assert agreement.state == "signed"


def test_sending_is_refused_in_words(sides):
    queue, customer, ours, _theirs = sides
    lonely = TeamFactory(name="Lonely")

    def refused(agreement, exception=WrongState, by=None):
        with pytest.raises(exception) as caught:
            submit_agreement(agreement, by=by or agent())
        return caught.value.message

    assert refused(draft(queue, lonely)) == "Say who signs for Lonely."
    assert refused(draft(queue, customer, customer_signatory=ours)) == (
        "Ours is not in Content and cannot sign for it."
    )
    reader = person_with(full_name="Reader")
    Membership.objects.create(team=customer, person=reader, role=Role.SALES)
    assert refused(draft(queue, customer, customer_signatory=reader)) == (
        "Reader may not read agreements, so they could not sign; ask an administrator for the role."
    )
    Membership.objects.create(team=customer, person=ours, role=Role.APPROVER)
    assert refused(draft(queue, customer, customer_signatory=ours)) == "One person cannot sign for both sides."
    assert refused(draft(queue, queue.team)) == "Both sides are the same team; an agreement is between two."
    empty = CalendarFactory(name="Nights")
    assert refused(draft(queue, customer, calendar=empty)) == (
        "Nights has no hours yet, so nothing could fall due; publish its first version, or choose another one."
    )
    queue.calendar = empty
    with pytest.raises(ValidationError) as caught:
        queue.full_clean()
    assert caught.value.message_dict == {"calendar": ["Nights has no hours yet; publish its first version."]}
    assert refused(draft(queue, customer), NotAllowed, colleague()) == "You may not change Desk for Content v1."


def test_refused_goes_back_to_draft_and_next_version_replaces(signed, sides):
    _queue, _customer, ours, theirs = sides
    ops = agent()
    assert write_next_version(signed, by=ops) == "Desk for Content v2 is a draft; change it and send it to both sides."
    with pytest.raises(WrongState, match=r"^Desk for Content v2 follows it already.$"):
        write_next_version(signed, by=ops)
    second = Agreement.objects.get(number=2)
    submit_agreement(second, by=agent())
    reject(request_of(second), by=theirs, reason="Too slow")
    second.refresh_from_db()
    assert second.state == "draft"
    submit_agreement(second, by=agent())
    approve(request_of(second), by=ours)
    approve(request_of(second), by=theirs)
    signed.refresh_from_db()
    assert (signed.state, Agreement.objects.get(number=2).state) == ("retired", "signed")
    assert retire(Agreement.objects.get(number=2), by=ops, reason="Reorganised") == "Desk for Content v2 has ended."


@pytest.fixture
def at():
    """Travel to a moment of Monday, 16 November 2026 in UTC, where the default calendar opens at nine."""
    travels = []

    def travel(text):
        hour, minute = map(int, text.split(":"))
        while travels:
            travels.pop().stop()
        travels.append(time_machine.travel(MONDAY.replace(hour=hour, minute=minute), tick=False))
        travels[0].start()
        return MONDAY.replace(hour=hour, minute=minute)

    yield travel
    while travels:
        travels.pop().stop()


@pytest.fixture
def ops():
    return agent(full_name="Olga Ops")


def states(made):
    return [(clock.metric.partition(".")[2], clock.state) for clock in clocks_of(made)]


def test_only_a_public_answer_meets_the_first_and_waiting_stands_still(signed, at, ops):
    asks = colleague()
    at("09:00")
    made = ticket(by=asks, queue=signed.queue)
    assert (made.agreement, states(made)) == (signed, [("first_response", "running"), ("resolution", "running")])
    at("10:00")
    reply(made, body="Psst", by=ops, internal=True)
    assert states(made) == [("first_response", "running"), ("resolution", "running")]
    at("11:00")
    reply(made, body="Which one?", by=ops, then="waiting_requester")
    assert states(made) == [("first_response", "met"), ("resolution", "paused")]
    at("12:00")
    answer_as_requester(made, body="This one", by=asks)
    assert states(made) == [("first_response", "met"), ("resolution", "running"), ("next_reply", "running")]
    assert explain(clock_of(made, service.SOLUTION)).startswith("2 h of 16 h, paused 1 h waiting for requester, due ")
    at("13:00")
    reply(made, body="Done", by=ops, then="resolved")
    assert states(made) == [("first_response", "met"), ("resolution", "met"), ("next_reply", "met")]
    assert clock_of(made, service.SOLUTION).counted == 3 * HOUR
    at("14:00")
    answer_as_requester(made, body="Not done", by=asks)
    again = clock_of(made, service.SOLUTION)
    assert (again.state, again.carried) == ("running", 3 * HOUR)
    assert attainment(signed) == [
        ("tickets.first_response", 1, 0, 0),
        ("tickets.next_reply", 1, 0, 1),
        ("tickets.resolution", 1, 0, 1),
    ]


def test_changing_priority_closes_the_clocks_and_opens_others(signed, at, ops):
    at("09:00")
    made = ticket(queue=signed.queue)
    at("09:20")
    moves.set_priority(made, by=ops, impact=3, urgency=3)
    assert states(made) == [
        ("first_response", "replaced"),
        ("resolution", "replaced"),
        ("first_response", "running"),
        ("resolution", "running"),
    ]
    assert clock_of(made, service.FIRST).due_at == at("09:30")
    moves.set_priority(made, by=ops, impact=3, urgency=2)
    assert [state for _, state in states(made)][2:] == ["cancelled", "cancelled"]


def test_time_running_out_is_told_and_stands_on_the_trail(signed, at, ops):
    at("09:00")
    made = ticket(queue=signed.queue)
    moves.take(made, by=ops)
    at("11:00")
    fire_due()
    at("13:00")
    fire_due()
    told = list(Notification.objects.filter(recipient=ops, kind="ticket.escalated").values_list("title", flat=True))
    assert sorted(told) == [
        f"First answer is late: {made}",
        f"First answer: 50 % of the time is used: {made}",
        f"First answer: 75 % of the time is used: {made}",
        f"First answer: 90 % of the time is used: {made}",
    ]
    assert made.events.filter(kind="escalated").count() == 4
    at("14:00")
    reply(made, body="Sorry", by=ops)
    assert clock_of(made, service.FIRST).state == "late"


def test_merged_ticket_counts_neither_way(signed, at, ops):
    at("09:00")
    made, other = ticket(queue=signed.queue), ticket(queue=signed.queue)
    merge_into(made, by=ops, other=other)
    assert states(made) == [("first_response", "cancelled"), ("resolution", "cancelled")]


def test_ticket_goes_under_the_agreement_of_its_new_queue(signed, at, ops):
    at("09:00")
    made = ticket(queue=QueueFactory())
    assert (made.agreement, states(made)) == (None, [])
    moves.assign(made, by=ops, queue=signed.queue)
    made = Ticket.objects.get(pk=made.pk)
    assert (made.agreement, states(made)) == (signed, [("first_response", "running"), ("resolution", "running")])
    moves.assign(made, by=ops, queue=QueueFactory(), assignee=ops)
    assert states(made) == [("first_response", "cancelled"), ("resolution", "cancelled")]


def test_tier_without_a_promised_solution_has_no_clock_for_it(signed, at):
    at("09:00")
    made = ticket(kind=TicketTypeFactory(tier="project", queue=signed.queue))
    assert states(made) == [("first_response", "running")]


def sign(agreement, ours, theirs):
    submit_agreement(agreement, by=agent())
    approve(request_of(agreement), by=ours)
    approve(request_of(agreement), by=theirs)
    agreement.refresh_from_db()
    return agreement


def where(field, value, op="eq"):
    return {"predicate": {"all": [{"field": field, "op": op, "value": value}]}}


def test_agreement_applies_to_the_tickets_its_condition_names_and_says_why(client, signed, sides, at, ops):
    queue, customer, ours, theirs = sides
    kind = TicketTypeFactory(name="Web page", queue=queue)
    at("09:00")
    pages = sign(draft(queue, customer, applies_to=where("type", kind.pk)), ours, theirs)
    urgent = sign(draft(queue, customer, applies_to=where("priority", 1), precedence=20), ours, theirs)
    assert (signed.state, pages.applies_words) == ("signed", "Type is Web page")
    made, other = ticket(kind=kind, queue=queue), ticket(queue=queue)
    assert (made.agreement, other.agreement) == (pages, signed)
    assert agreement_of(kind, colleague(), in_question(queue, colleague())) == pages
    moves.set_priority(other, by=ops, impact=3, urgency=3)
    moves.set_priority(made, by=ops, impact=3, urgency=3)
    made, other = (Ticket.objects.get(pk=each.pk) for each in (made, other))
    assert (made.agreement, other.agreement) == (pages, urgent)
    assert why_under(made, ops) == (
        "Desk for Content v1 applies because it holds between Desk and Content, and for everybody without one of their "
        "own, and its condition holds: Type is Web page ✓."
    )
    assert why_under(other, ops).endswith("its condition holds: Priority is P1 critical ✓.")
    sign_in(client, ops)
    assert "and its condition holds: Type is Web page" in client.get(page_of(made)).content.decode()
    assert "Type is Web page" in client.get(page_of(pages)).content.decode()
    moves.set_priority(other, by=ops, impact=2, urgency=2)
    assert Ticket.objects.get(pk=other.pk).agreement == signed


def test_condition_of_an_agreement_is_signed_and_a_broken_one_holds_for_nothing(signed, sides, ops):
    queue, customer, ours, theirs = sides
    with acting_as(ops):
        region = CustomField.objects.create(
            content_type=kind_of(Ticket), key="region", label="Region", type=FieldType.TEXT
        )
    own = sign(draft(queue, customer, applies_to=where("custom.region", "North", "ne")), ours, theirs)
    assert ticket(queue=queue).agreement == own
    with pytest.raises(DatabaseError, match="What was sent or signed stays"), transaction.atomic():
        Agreement.objects.filter(pk=own.pk).update(precedence=1)
    region.archived_at = clock.now()
    with acting_as(ops):
        region.save()
    with pytest.raises(WrongState, match="Say anew which tickets it applies to"):
        submit_agreement(draft(queue, customer, applies_to=where("custom.region", "South")), by=ops)
    assert ticket(queue=queue).agreement == signed
    title = "Desk for Content v1 holds for no ticket any more: its condition cannot be read."
    assert Alert.objects.get().title == title
