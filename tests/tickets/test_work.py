"""Working on tickets: answers, waiting, resolving, reopening, handing over, merging, and what is refused."""

import datetime as dt

import pytest
import time_machine

from apps.core.errors import DomainError, InvalidInput, NotAllowed, WrongState
from apps.core.notifications.models import Notification
from apps.tickets.domain import linking, moves
from apps.tickets.domain.conversation import answer_as_requester, reply
from apps.tickets.domain.templates import filled, templates_for
from apps.tickets.domain.trail import trail_of
from apps.tickets.models import Ticket
from tests.factories.campaigns import CampaignFactory
from tests.factories.tickets import QueueFactory, ReplyTemplateFactory, agent, colleague, ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def ops():
    return agent(full_name="Olga Ops")


@pytest.fixture
def asks():
    return colleague(full_name="Ada")


@pytest.fixture
def made(asks):
    return ticket(by=asks)


def again(row):
    return Ticket.objects.get(pk=row.pk)


def refused(exception, does, *args, **kwargs):
    with pytest.raises(exception) as caught:
        does(*args, **kwargs)
    assert isinstance(caught.value, DomainError)
    return caught.value.message


def test_public_answer_is_the_first_response_opens_and_takes_the_ticket(made, ops, asks):
    assert reply(made, body=" Looking into it. ", by=ops) == f"{made.ref} is answered."
    row = again(made)
    assert (row.state, row.assignee, row.first_response_at) == ("open", ops, row.last_word_at)
    told = Notification.objects.get(recipient=asks)
    assert (told.kind, told.title, told.url, told.body) == (
        "ticket.answered",
        f"{made.ref} was answered: The form is broken",
        f"/admin/help/tickets/{made.pk}/",
        "Looking into it.",
    )


def test_internal_note_meets_nothing_and_reaches_no_requester(made, ops, asks):
    assert reply(made, body="He is the CEO's nephew.", by=ops, internal=True) == f"{made.ref}: your note is kept."
    row = again(made)
    assert (row.state, row.assignee, row.first_response_at) == ("new", None, None)
    assert not Notification.objects.filter(recipient=asks).exists()
    assert [entry.words for entry in trail_of(row, public_only=True)] == ["It says **nothing** on submit."]


def test_answer_can_wait_for_the_requester_whose_word_lets_it_go_on(made, ops, asks):
    reply(made, body="Which form?", by=ops, then="waiting_requester")
    assert again(made).state == "waiting_requester"
    assert answer_as_requester(made, body="The big one", by=asks) == f"Your word on {made.ref} is kept."
    assert again(made).state == "open"
    assert Notification.objects.get(recipient=ops, kind="ticket.word").title == f"Ada wrote about {made}"


def test_answer_can_resolve_and_the_requester_comes_back_in_time(made, ops, asks):
    reply(made, body="Fixed.", by=ops, then="resolved")
    row = again(made)
    assert (row.state, row.resolution) == ("resolved", "solved")
    assert answer_as_requester(made, body="It is not", by=asks) == f"{made.ref} is open again; the desk has been told."
    row = again(made)
    assert (row.state, row.resolution, row.resolved_at, row.reopened) == ("open", "", None, 1)
    moves.resolve(made, by=ops, resolution="workaround", note="Use the other form.")
    with time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(days=15)):
        assert refused(WrongState, answer_as_requester, made, body="Hello?", by=asks) == (
            f"{made.ref} was resolved more than 14 days ago; open a new ticket and name this one."
        )


def test_words_that_cannot_be_taken_are_refused(made, ops, asks):
    assert refused(InvalidInput, reply, made, body="  ", by=ops) == "Write something first."
    assert refused(InvalidInput, reply, made, body="x", by=ops, then="closed") == (
        "After an answer a ticket waits for its requester, is resolved, or stays as it is."
    )
    assert refused(NotAllowed, reply, made, body="x", by=asks) == (
        f"You may not work on {made.ref}; only the people of the desk do."
    )
    assert refused(NotAllowed, answer_as_requester, made, body="x", by=colleague()) == (
        "This ticket was opened by somebody else."
    )


def test_waiting_needs_a_reason_and_a_state_to_wait_in(made, ops):
    assert refused(InvalidInput, moves.wait, made, by=ops, state="closed", reason="x") == (
        "A ticket waits for its requester, for a vendor, or is on hold."
    )
    assert refused(InvalidInput, moves.wait, made, by=ops, state="on_hold", reason=" ") == (
        "Say what it waits for; time stands still meanwhile, and somebody will ask why."
    )
    assert moves.wait(made, by=ops, state="waiting_vendor", reason="Patch in May") == (
        f"{made.ref} is waiting for vendor."
    )
    assert moves.go_on(made, by=ops) == f"{made.ref} is open."
    assert refused(WrongState, moves.go_on, made, by=ops) == f"{made.ref} is open; it cannot become open now."


def test_resolving_closing_and_reopening(made, ops):
    linking.add_points(made, by=ops, points="- Ask IT\n\n- Test it")
    point = made.checklist.first()
    assert refused(WrongState, moves.resolve, made, by=ops, resolution="solved") == (
        "2 points of the checklist are still open; tick or remove them first."
    )
    assert refused(WrongState, reply, made, body="Done", by=ops, then="resolved").startswith("2 points")
    assert linking.tick(made, by=ops, point=point) == "Ask IT: done."
    linking.tick(made, by=ops, point=made.checklist.last())
    assert refused(InvalidInput, moves.resolve, made, by=ops, resolution="duplicate") == (
        "Choose how it ended; a duplicate is merged instead."
    )
    assert refused(WrongState, moves.close, made, by=ops) == f"{made.ref} is closed once it has been resolved."
    assert refused(WrongState, moves.reopen, made, by=ops, reason="x") == f"{made.ref} is not done yet."
    assert moves.resolve(made, by=ops, resolution="answered") == f"{made.ref} is resolved: question answered."
    assert refused(WrongState, moves.wait, made, by=ops, state="on_hold", reason="x") == (
        f"{made.ref} is resolved; reopen it first."
    )
    assert moves.close(made, by=ops) == f"{made.ref} is closed."
    assert refused(InvalidInput, moves.reopen, made, by=ops, reason=" ") == "Say why it is opened again."
    assert moves.reopen(made, by=ops, reason="It came back") == f"{made.ref} is open again."
    row = again(made)
    assert (row.state, row.closed_at, row.reopened) == ("open", None, 1)


def test_handing_over_counts_and_tells_the_next_one(made, ops):
    other, queue = agent(full_name="Otto Ops"), QueueFactory(name="Data")
    assert moves.take(made, by=ops) == f"{made.ref} is with Olga Ops now."
    assert refused(InvalidInput, moves.take, made, by=ops) == ("Nothing would change; choose another person or queue.")
    assert refused(InvalidInput, moves.assign, made, by=ops, assignee=colleague(full_name="Ada")) == (
        "Ada does not work at the desk, so the ticket would be stuck with them."
    )
    assert moves.assign(made, by=ops, assignee=other, queue=queue, note="Yours") == f"{made.ref} is with Otto Ops now."
    row = again(made)
    assert (row.queue, row.assignee, row.reassigned) == (queue, other, 1)
    assert Notification.objects.get(recipient=other, kind="ticket.assigned").title == f"{row} is yours"
    kinds = [entry.kind for entry in trail_of(row) if not entry.is_message]
    assert kinds == ["opened", "assigned", "queue", "assigned"]


def test_priority_is_said_anew(made, ops):
    assert refused(InvalidInput, moves.set_priority, made, by=ops, impact=2, urgency=2) == (
        "Nothing would change; choose another impact or urgency."
    )
    assert moves.set_priority(made, by=ops, impact=3, urgency=3) == f"{made.ref} is P1 critical now."
    assert moves.set_priority(made, by=ops, impact=1, urgency=1) == f"{made.ref} is P4 low now."
    assert moves.set_priority(made, by=ops, impact=1, urgency=2) == f"{made.ref} stays P4 low."


def test_merged_ticket_is_closed_and_both_trails_stay(made, ops, asks):
    other = ticket(title="Form again", body="Broken too")
    reply(made, body="Seen", by=ops)
    assert refused(InvalidInput, linking.merge_into, made, by=ops, other=made) == (
        "A ticket cannot be merged into itself."
    )
    assert linking.merge_into(made, by=ops, other=other) == f"{made.ref} goes on in {other.ref}."
    row = again(made)
    assert (row.state, row.resolution, row.merged_into) == ("closed", "duplicate", other)
    assert list(other.watchers.all()) == [asks]
    words = [(entry.origin, entry.words) for entry in trail_of(other) if entry.is_message]
    assert words == [(made.ref, "It says **nothing** on submit."), ("", "Broken too"), (made.ref, "Seen")]
    assert refused(WrongState, reply, made, body="x", by=ops) == (
        f"{made.ref} was merged into {other.ref}; go on there."
    )
    assert refused(WrongState, answer_as_requester, made, body="x", by=asks) == (
        f"{made.ref} was merged into {other.ref}; write there."
    )
    assert [entry.words for entry in trail_of(other, public_only=True)] == ["Broken too"]


def test_tickets_are_linked_once_and_one_way(made, ops):
    other = ticket()
    assert linking.link_tickets(made, by=ops, other=other, kind="parent") == f"{made.ref} is the parent of {other.ref}."
    assert refused(InvalidInput, linking.link_tickets, made, by=ops, other=other, kind="parent") == (
        f"{made.ref} and {other.ref} are linked that way already."
    )
    assert refused(InvalidInput, linking.link_tickets, other, by=ops, other=made, kind="parent") == (
        f"{made.ref} is the parent of {other.ref} already; it cannot be both ways."
    )
    assert refused(InvalidInput, linking.link_tickets, made, by=ops, other=made) == (
        "A ticket cannot be linked to itself."
    )


def test_records_points_and_time(made, ops):
    campaign = CampaignFactory(name="Spring")
    assert linking.add_record(made, by=ops, thing=campaign) == f"{made.ref} is about Spring."
    assert refused(InvalidInput, linking.add_record, made, by=ops, thing=campaign) == (
        f"{made.ref} is about Spring already."
    )
    assert refused(InvalidInput, linking.add_points, made, by=ops, points=" \n") == "Write one point a line."
    assert refused(InvalidInput, linking.add_points, made, by=ops, points="x\n" * 51) == (
        "A checklist has at most 50 points; a longer one is an SOP."
    )
    assert linking.spend_time(made, by=ops, minutes=30) == f"30 minutes on {made.ref}."
    assert refused(InvalidInput, linking.spend_time, made, by=ops, minutes=-31) == (
        "You have written down 30 minutes; 31 cannot be taken away."
    )
    assert refused(InvalidInput, linking.spend_time, made, by=ops, minutes=0) == (
        "Time spent is between one minute and a day."
    )
    later = dt.date(2099, 1, 1)
    assert refused(InvalidInput, linking.spend_time, made, by=ops, minutes=5, spent_on=later) == (
        "2099-01-01 has not come yet."
    )


def test_watching_is_for_the_desk(made, ops, asks):
    assert linking.refuse_watch(asks, made) == "Tickets are watched by the people of the desk."
    assert linking.watch(made, by=ops) == f"You watch {made.ref}."
    assert linking.refuse_watch(ops, made) == "You watch it already."
    assert linking.unwatch(made, by=ops) == f"You no longer watch {made.ref}."


def test_template_is_filled_and_offered_in_its_queue(made, ops):
    own = ReplyTemplateFactory(queue=made.queue)
    everywhere = ReplyTemplateFactory(body="{nothing} {ticket}")
    ReplyTemplateFactory(queue=QueueFactory())
    assert templates_for(made) == [own, everywhere]
    assert filled(own, made, agent=ops) == (
        f"Hello Ada, {made.ref} “The form is broken” is with {made.queue}. Olga Ops"
    )
    assert filled(everywhere, made, agent=ops) == f"{{nothing}} {made.ref}"
    reply(made, body="x", by=ops, template=own)
    assert made.messages.get(kind="public").template == own
