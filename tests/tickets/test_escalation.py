"""Ladders as agreements write them: read, shown, refused; each step taken once, whatever it sets off; and by hand."""

import datetime as dt

import pytest
import time_machine

from apps.accounts.enums import Role
from apps.accounts.models import Membership
from apps.core import clock
from apps.core.actors import acting_as
from apps.core.calendars.domain.publishing import ensure_default_calendar
from apps.core.clocks.domain.firing import fire_due
from apps.core.clocks.domain.queries import clocks_of
from apps.core.clocks.models import EscalationFire
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.core.notifications.models import Notification
from apps.core.transitions import transition
from apps.tickets.domain import escalation, moves, service
from apps.tickets.domain.agreements import submit_agreement
from apps.tickets.ladder import USUAL, read_ladder
from apps.tickets.models import Agreement, Ticket
from tests.factories.accounts import TeamFactory, person_with
from tests.factories.tickets import QueueFactory, agent, colleague, ticket

pytestmark = pytest.mark.django_db
MONDAY = dt.datetime(2026, 11, 16, 9, tzinfo=dt.UTC)
PROMISES = "P1 | 1 h | 1 h | 8 h\nP2 | 2 h | 2 h | 16 h\nP3 | 4 h | 4 h | 20 h"
LADDER = "50 % | tell assignee\n75 % | tell the team and owner | raise priority\n100% | give to Second line"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "soon | tell team",
            (
                "Line 1 begins with a share of the time, from 1 % to 1000 %, "
                "like “90 % | tell team, manager | raise priority”."
            ),
        ),
        ("90 %", "Line 1 does nothing; write for instance “90 % | tell team, manager | raise priority”."),
        (
            "90 % | shout",
            "Line 1: “shout” is nothing a step does; write “tell …”, “raise priority” or “give to …”.",
        ),
        (
            "90 % | tell the boss",
            "Line 1: nobody is called “boss”; told can be: assignee, team, manager, owner.",
        ),
        (
            "90 % | tell team\n50 % | tell owner",
            "Line 2 stands at 50 %, after 90 %; write the steps in order.",
        ),
        (
            "\n".join(f"{n} % | tell team" for n in range(1, 14)),
            "13 steps are more than anybody heeds; write at most 12.",
        ),
    ],
)
def test_ladders_that_make_no_sense_are_refused(text, sentence):
    with pytest.raises(InvalidInput) as caught:
        read_ladder(text)
    assert caught.value.message == sentence


def test_a_ladder_is_read_and_said_in_words():
    assert read_ladder("") == USUAL
    steps = read_ladder(LADDER)
    assert [(each.percent, each.rung.kind, each.words) for each in steps] == [
        (50, "notify", "tells its assignee"),
        (75, "escalate", "tells the whole team, the agreement's owner; raises the priority"),
        (100, "escalate", "gives it to Second line"),
    ]


@pytest.mark.parametrize(
    ("facts", "wanted"), [((1, 1), (1, 3)), ((2, 2), (2, 3)), ((2, 3), (3, 3)), ((3, 1), (3, 2)), ((3, 3), None)]
)
def test_raising_makes_the_priority_one_higher(facts, wanted):
    assert escalation.raised(*facts) == wanted


@pytest.fixture
def at():
    with time_machine.travel(MONDAY, tick=False) as traveller:

        def go(hours):
            moment = MONDAY + dt.timedelta(hours=hours)
            traveller.move_to(moment)
            return moment

        yield go


@pytest.fixture
def agreed(at):
    """An agreement in force with a ladder of its own; its queue's team has an agent."""
    ensure_default_calendar()
    queue, customer = QueueFactory(name="First line", team=TeamFactory(name="Ops")), TeamFactory(name="Content")
    Membership.objects.create(team=queue.team, person=agent(full_name="Olga Ops"), role=Role.OPS)
    with acting_as(agent()), transition(Agreement):
        return Agreement.objects.create(
            name="First line for Content",
            queue=queue,
            customer=customer,
            for_everybody=True,
            promises=PROMISES,
            escalation=LADDER,
            effective_on=dt.date(2020, 1, 1),
            owner_person=agent(full_name="Owen Owner"),
            state="signed",
            signed_at=clock.now(),
        )


def fired(made):
    rows = EscalationFire.objects.filter(clock__in=clocks_of(made), silent=False)
    return sorted(rows.values_list("clock__metric", "clock__target", "rung"))


def test_each_step_is_taken_once_whatever_it_sets_off(agreed, at):
    second = QueueFactory(name="Second line")
    made = ticket(queue=agreed.queue)
    moves.take(made, by=Membership.objects.get(team=agreed.queue.team).person)
    at(3)  # 75 % of the four hours of a P3 are over, and more than the two hours of a P2
    fire_due()
    fire_due()
    made = Ticket.objects.get(pk=made.pk)
    assert (made.get_priority_display(), made.queue, made.assignee) == ("P2 high", second, None)
    raised = made.events.filter(kind="priority").values_list("before", "after", "note")
    assert list(raised) == [("P3 normal", "P2 high", "First answer: 75 % of the time is used.")]
    # the clock of the P2 began beyond its target: of what it had passed, its highest step was told and taken
    assert [each for each in fired(made) if each[0] == service.FIRST] == [
        (service.FIRST, 120, 100),
        (service.FIRST, 240, 50),
        (service.FIRST, 240, 75),
    ]
    handed = made.events.filter(kind="queue").values_list("after", "note")
    assert list(handed) == [("Second line", "First answer is late.")]
    assert made.reassigned == 1
    told = Notification.objects.filter(recipient=agreed.owner_person, kind="ticket.escalated")
    assert [each.title for each in told] == [f"First answer: 75 % of the time is used: {made}"]


def test_a_step_is_told_for_a_later_clock_but_raises_no_second_time(agreed, at):
    by = agent()
    made = ticket(queue=agreed.queue)
    at(3)
    with time_machine.travel(MONDAY + dt.timedelta(hours=3), tick=False):
        fire_due(limit=1)
    moves.set_priority(made, by=by, impact=2, urgency=2)  # somebody finds that it was no P2 after all
    at(3.5)
    fire_due()
    row = Ticket.objects.get(pk=made.pk)
    assert row.events.filter(kind="priority", actor__is_system=True).count() == 1
    assert row.get_priority_display() == "P3 normal"


def test_who_is_gone_is_given_nothing(agreed, at):
    made = ticket(queue=agreed.queue)
    at(5)
    fire_due()
    row = Ticket.objects.get(pk=made.pk)
    assert row.queue == agreed.queue
    assert row.events.filter(note="Second line cannot take it; it stays with First line.").count() == 1


def test_a_ladder_that_gives_to_nobody_is_not_sent(agreed):
    with acting_as(agent()), transition(Agreement):
        draft = Agreement.objects.create(
            name="Next",
            queue=agreed.queue,
            customer=TeamFactory(),
            promises=PROMISES,
            escalation=LADDER,
            effective_on=dt.date(2020, 1, 1),
        )
    for side, team in (("provider_signatory", draft.queue.team), ("customer_signatory", draft.customer)):
        person = person_with(Role.APPROVER)
        Membership.objects.create(team=team, person=person, role=Role.APPROVER)
        setattr(draft, side, person)
    with acting_as(agent()):
        draft.save()
    with pytest.raises(InvalidInput, match="At 100 % tickets would go to “Second line”: no queue is called that"):
        submit_agreement(draft, by=agent())


def test_escalated_by_hand_with_a_reason(agreed, at):
    made, by = ticket(queue=agreed.queue), agent(full_name="Emil")
    with pytest.raises(InvalidInput, match="Say why it cannot wait"):
        escalation.escalate_by_hand(made, by=by, reason=" ")
    with pytest.raises(NotAllowed, match="only the people of the desk do"):
        escalation.escalate_by_hand(made, by=colleague(), reason="x")
    said = escalation.escalate_by_hand(made, by=by, reason="The launch is tomorrow.")
    assert said == f"{made.ref} is P2 high; 2 people have been told."
    titles = Notification.objects.filter(kind="ticket.escalated").values_list("recipient__full_name", "title")
    assert sorted(titles) == [("Olga Ops", f"Emil escalated {made}"), ("Owen Owner", f"Emil escalated {made}")]
    assert made.events.filter(kind="escalated").values_list("after", "note").get() == (
        "By hand",
        "The launch is tomorrow.",
    )
    assert escalation.escalate_by_hand(made, by=by, reason="Still", raise_priority=False).startswith(
        f"{made.ref} is P2 high"
    )
    moves.resolve(made, by=by, resolution="solved")
    with pytest.raises(WrongState, match="is resolved; reopen it first"):
        escalation.escalate_by_hand(made, by=by, reason="x")
