"""Routing: the first rule that fits decides, who is considered and why is kept, and nobody gets the same turn twice."""

import datetime as dt
import threading

import pytest
from django.db import DatabaseError, connection, transaction
from django.urls import reverse

from apps.accounts.enums import Role
from apps.accounts.models import Membership
from apps.core import clock
from apps.core.actors import acting_as
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.core.rules.domain.versions import simulate, start_draft, write_rules
from apps.tickets.domain.replay_people import replay_people
from apps.tickets.domain.routing import decision_of, refuse_routing, route_again
from apps.tickets.models import DeskProfile, RoutingCursor, RoutingDecision, Skill, Ticket
from tests.factories.accounts import TeamFactory
from tests.factories.tickets import QueueFactory, TicketTypeFactory, agent, colleague, routing_in_force, ticket

pytestmark = pytest.mark.django_db
EVERYTHING = {"all": []}
TITLE = {"field": "title", "op": "contains", "value": "broken"}


def rule(predicate=EVERYTHING, name="A rule", enabled=True, **outcome):
    return {"name": name, "predicate": predicate, "outcome": outcome, "enabled": enabled, "reason": ""}


@pytest.fixture
def team():
    return TeamFactory(name="Desk team")


@pytest.fixture
def queue(team):
    return QueueFactory(name="Desk", team=team, is_default=True)


@pytest.fixture
def crew(team):
    return [member(team, f"Person {letter}") for letter in "ABC"]


def member(team, name):
    person = agent(full_name=name)
    joined(person, team)
    return person


def joined(person, team, role=Role.OPS):
    with acting_as(person):
        Membership.objects.create(person=person, team=team, role=role)


def asked(**given):
    from apps.tickets.domain.intake import open_ticket

    given = {"title": "The form is broken", "body": "Nothing on submit.", "by": colleague(), **given}
    return open_ticket(**given)


def profile(person, **fields):
    skills = fields.pop("skills", ())
    with acting_as(person):
        made = DeskProfile.objects.create(person=person, **fields)
        made.skills.set(skills)
    return made


def said(made):
    return {each["name"]: each["passed_over"] for each in decision_of(made).explanation["candidates"]}


def test_without_rules_the_type_or_the_default_decides_and_says_so(queue):
    assert decision_of(asked()).sentence == "No rules of routing are in force; Desk is the default queue."
    own = TicketTypeFactory(queue=QueueFactory(name="Own"))
    assert decision_of(asked(kind=own)).sentence == "No rules of routing are in force; Own is the queue of its type."


def test_without_any_queue_it_is_refused():
    with pytest.raises(WrongState, match="There is no queue to put it in; an administrator makes one the default"):
        asked()


def test_first_rule_that_fits_decides_and_the_others_are_told(queue):
    other = QueueFactory(name="Broken things")
    routing_in_force(rule(TITLE, "Broken", queue=other.pk), rule(name="Rest", queue=queue.pk))
    made = asked()
    decision = decision_of(made)
    assert made.queue == other
    assert decision.sentence == "Rule 1, Broken, decided: Broken things. Whoever of the team takes it works on it."
    assert [(each["name"], each["matched"]) for each in decision.explanation["tried"]] == [
        ("Broken", True),
        ("Rest", False),
    ]
    assert decision.explanation["tried"][1]["said"] == "Not asked: rule 1 has decided."
    assert asked(title="Another thing").queue == queue


def test_a_turn_goes_round(queue, crew):
    routing_in_force(rule(queue=queue.pk, spread="turn"))
    given = [asked().assignee for _ in range(4)]
    assert given == [*crew, crew[0]]


def test_load_goes_to_who_has_fewest(queue, crew):
    routing_in_force(rule(queue=queue.pk, spread="load"))
    ticket(queue=queue), ticket(queue=queue)
    with acting_as(crew[0]):
        Ticket.objects.update(assignee=crew[0])
    assert {asked().assignee for _ in range(2)} == set(crew[1:])
    assert decision_of(asked()).explanation["candidates"][0]["open"] == 2


def test_who_is_passed_over_is_told_why(queue, crew, team):
    skill = Skill.objects.create(name="German")
    profile(crew[0], skills=[skill], away_from=clock.today(), away_until=clock.today() + dt.timedelta(days=2))
    profile(crew[1], skills=[skill], most_open=1)
    ticket(queue=queue)
    with acting_as(crew[1]):
        Ticket.objects.update(assignee=crew[1])
    outsider = colleague(full_name="Not at the desk")
    joined(outsider, team, role=Role.EXECUTIVE)
    routing_in_force(rule(queue=queue.pk, spread="turn", skill=skill.pk))
    made = asked()
    until = clock.today() + dt.timedelta(days=2)
    assert made.assignee is None
    assert said(made) == {
        "Person A": f"is away until {until:%-d %b}",
        "Person B": "has 1 of at most 1 tickets",
        "Person C": "does not have the skill German",
        "Not at the desk": "does not work at the desk",
    }
    assert decision_of(made).sentence.endswith(
        "Nobody of Desk team can take it now; whoever takes it from the queue works on it."
    )


def test_nobody_is_given_what_they_ask(queue, crew):
    routing_in_force(rule(queue=queue.pk, spread="turn"))
    made = asked(by=crew[0])
    assert (made.assignee, said(made)["Person A"]) == (crew[1], "asks for it")


def test_a_person_is_named_or_the_queue_waits(queue, crew):
    routing_in_force(rule(TITLE, person=crew[2].pk, queue=queue.pk), rule(queue=queue.pk))
    assert asked().assignee == crew[2]
    profile(crew[2], away_from=clock.today(), away_until=clock.today())
    made = asked()
    assert made.assignee is None
    assert "The person it is for is away until" in decision_of(made).sentence


def test_an_archived_queue_loses_nothing(queue):
    gone = QueueFactory(name="Gone")
    routing_in_force(rule(TITLE, queue=gone.pk), rule(queue=queue.pk))
    with acting_as(agent()):
        gone.archived_at = clock.now()
        gone.save()
    made = asked()
    assert made.queue == queue
    assert "Gone is archived, so it waits in Desk." in decision_of(made).sentence


@pytest.mark.parametrize(
    ("rules", "sentence"),
    [
        ([rule(TITLE, queue=1)], "The last rule takes what no other fits"),
        ([rule(EVERYTHING)], "The last rule takes what no other fits"),
        ([rule(EVERYTHING, enabled=False, queue=1)], "The last rule takes what no other fits"),
        ([rule(TITLE, person=1, spread="turn"), rule(queue=1)], "Rule 1 names a person and how to choose one"),
    ],
)
def test_lists_without_a_fallback_are_refused(queue, crew, rules, sentence):
    from apps.core.rules.models import RuleDocument

    for each in rules:
        if "queue" in each["outcome"]:
            each["outcome"]["queue"] = queue.pk
        if "person" in each["outcome"]:
            each["outcome"]["person"] = crew[0].pk
    with acting_as(crew[0]):
        document = RuleDocument.objects.create(key="ticket-routing", kind="tickets.routing", title="T", owner=crew[0])
    with pytest.raises(InvalidInput, match=sentence):
        write_rules(start_draft(document, by=crew[0]), {"rules": rules}, by=crew[0])


def test_replay_says_what_would_change_before_it_goes_live(queue, crew):
    other = QueueFactory(name="Broken things")
    version = routing_in_force(rule(queue=queue.pk))
    asked(), asked(title="Another thing")
    draft = start_draft(version.document, by=version.author)
    draft = write_rules(
        draft, {"rules": [rule(TITLE, "Broken", queue=other.pk), rule(queue=queue.pk)]}, by=version.author
    )
    found = simulate(draft, by=version.author).simulation
    assert found["facts"][:3] == [
        ["Tickets replayed", 2],
        ["Go to another queue than now", 1],
        ["Go to another queue than where they are", 1],
    ]
    assert found["tables"][1]["rows"] == [["Desk", "Broken things", 1]]
    assert found["tables"][0]["rows"] == [["1. Broken", 1], ["2. A rule", 1]]


def test_routed_again_with_a_reason(queue, crew):
    other = QueueFactory(name="Broken things")
    made = ticket(queue=other)
    assert refuse_routing(crew[0], made) == "No rules of routing are in force; hand it over instead."
    routing_in_force(rule(queue=queue.pk, spread="turn"))
    with pytest.raises(InvalidInput, match="Say why it is routed again"):
        route_again(made, by=crew[0], reason=" ")
    with pytest.raises(NotAllowed, match="only the people of the desk do"):
        route_again(made, by=colleague(), reason="x")
    assert "Person A is next in turn among 3 of 3" in route_again(made, by=crew[0], reason="Facts corrected")
    assert Ticket.objects.get(pk=made.pk).queue == queue


def test_decisions_stay(queue):
    made = decision_of(asked())
    with pytest.raises(DatabaseError), transaction.atomic():
        RoutingDecision.objects.filter(pk=made.pk).update(sentence="Else")


def test_the_page_shows_why(client, queue, crew):
    routing_in_force(rule(name="Rest", queue=queue.pk, spread="turn"))
    made = asked()
    client.force_login(crew[0])
    shown = client.get(reverse("admin:tickets_ticket_change", args=(made.pk,))).content.decode()
    assert "Why it is here" in shown
    assert "Rule 1, Rest, decided: Desk." in shown
    assert "not their turn" in shown


@pytest.mark.parametrize("kind", ["skill", "deskprofile"])
def test_lists_ask_the_same_for_one_and_three(client, crew, django_assert_num_queries, kind):
    from django.test.utils import CaptureQueriesContext

    def make(number):
        return Skill.objects.create(name=f"Skill {number}") if kind == "skill" else profile(crew[number])

    client.force_login(crew[0])
    with acting_as(crew[0]):
        make(0)
        client.get(f"/admin/tickets/{kind}/")
        with CaptureQueriesContext(connection) as first:
            assert client.get(f"/admin/tickets/{kind}/").status_code == 200
        make(1), make(2)
    with django_assert_num_queries(len(first)):
        client.get(f"/admin/tickets/{kind}/")


@pytest.mark.django_db(transaction=True)
def test_two_workers_never_give_the_same_turn_twice():
    team = TeamFactory()
    queue = QueueFactory(team=team, is_default=True)
    crew = [member(team, f"Person {number}") for number in range(6)]
    routing_in_force(rule(queue=queue.pk, spread="turn"), by_hand=True)
    askers, wrong = [colleague() for _ in range(6)], []
    barrier = threading.Barrier(6)

    def work(person):
        try:
            barrier.wait()
            asked(by=person)
        except Exception as error:  # noqa: BLE001  # told by the assertion below
            wrong.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(person,)) for person in askers]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert wrong == []
    assert set(Ticket.objects.values_list("assignee", flat=True)) == {each.pk for each in crew}
    assert RoutingCursor.objects.get(team=team).given == 6


def test_replay_tells_whom_tickets_would_have_been_given(queue, crew):
    skill = Skill.objects.create(name="Forms")
    profile(crew[0], skills=[skill], most_open=1), profile(crew[1], skills=[skill])
    made = [asked() for _ in range(3)]
    asked(by=crew[1])
    rules = {each.pk: None for each in made}
    assert replay_people(made, rules, {}) == [["Whoever takes it", 3]]
    version = routing_in_force(rule(queue=queue.pk, skill=skill.pk, spread="turn"))
    draft = start_draft(version.document, by=version.author)
    for spread, expected in (
        ("load", [["Person B", 2], ["Person A", 1], ["Nobody could take it", 1]]),
        ("turn", [["Person B", 2], ["Person A", 1], ["Nobody could take it", 1]]),
        ("queue", [["Whoever takes it", 4]]),
    ):
        draft = write_rules(draft, {"rules": [rule(queue=queue.pk, skill=skill.pk, spread=spread)]}, by=version.author)
        assert simulate(draft, by=version.author).simulation["tables"][2]["rows"] == expected
