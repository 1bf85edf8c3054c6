"""Routing: the first rule that fits decides, weights are exact, nothing is lost, and each decision says why."""

import datetime as dt
import threading
from collections import Counter

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from hypothesis import given as for_any
from hypothesis import strategies as st

from apps.accounts.enums import Role
from apps.accounts.models import Team, User
from apps.core import clock
from apps.core.alerts.models import Alert
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.core.notifications.models import Notification
from apps.core.records import kind_of
from apps.core.rules.domain.versions import simulate, start_draft, write_rules
from apps.core.workspace.models import CustomField
from apps.leads.domain.intake import receive
from apps.leads.domain.routing.reassigning import reassign, route_again, why_routed
from apps.leads.domain.routing.routing import route_leads, route_new, route_waiting
from apps.leads.domain.routing.turns import deal, slots_of
from apps.leads.domain.routing.waiting import watch
from apps.leads.enums import Stage
from apps.leads.models import Company, IntakeSource, Lead, Pool, PoolMember, RoutingDecision, WaitingLead
from apps.leads.routing_rules import BODY
from tests.admin_pages import assert_same_queries, button_of, list_of, page_of
from tests.factories.accounts import TeamFactory, administrator, person_with, sign_in
from tests.factories.calendars import published_calendar
from tests.factories.exchange import import_text
from tests.factories.leads import LeadFactory
from tests.factories.routing import pool, routing_in_force, rules, to
from tests.factories.scoring import company
from tests.factories.workspace import CustomFieldFactory

pytestmark = pytest.mark.django_db
SPAIN = {"field": "territory", "op": "eq", "value": "Spain"}
HAS_OWNER = {"field": "owner_person", "op": "filled"}
HAS_MANAGER = {"field": "account_manager", "op": "filled"}
LARGE = {"field": "employees", "op": "gte", "value": 1000}
WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
ANALYTICS = {"field": "product_interest", "op": "eq", "value": "Analytics"}


@pytest.fixture
def ops():
    return person_with(Role.OPS)


def owners(leads):
    return Counter(Lead.objects.filter(pk__in=[each.pk for each in leads]).values_list("owner_person", flat=True))


@for_any(
    st.dictionaries(st.integers(1, 50), st.integers(1, 100), min_size=1, max_size=8),
    st.integers(0, 10**9),
    st.integers(1, 3),
)
def test_any_whole_rounds_give_exactly_the_weights(weights, position, rounds):
    slots = slots_of(weights)
    dealt, after = deal(slots, position=position, count=rounds * len(slots), left={})
    share = sum(weights.values()) // len(slots)
    assert {key: number * share for key, number in Counter(key for key, _ in dealt).items()} == {
        key: rounds * weight for key, weight in weights.items()
    }
    assert after == position + rounds * len(slots)


@for_any(
    st.dictionaries(st.integers(1, 9), st.tuples(st.integers(1, 9), st.none() | st.integers(0, 6)), min_size=1),
    st.integers(0, 40),
)
def test_nobody_gets_more_than_they_can_take(people, count):
    left = {key: number for key, (_, number) in people.items()}
    dealt, _ = deal(slots_of({key: weight for key, (weight, _) in people.items()}), position=0, count=count, left=left)
    got = Counter(key for key, _ in dealt)
    assert all(number is None or got[key] <= number for key, number in left.items())
    room = None if None in left.values() else sum(left.values())
    assert len(dealt) == (count if room is None else min(count, room))
    assert [turn for _, turn in dealt] == sorted({turn for _, turn in dealt})


def test_an_empty_pool_deals_nothing():
    assert slots_of({}) == []
    assert deal([], position=3, count=2, left={}) == ([], 3)


def test_rules_are_asked_in_order_and_each_lead_says_why(ops):
    (big, big_people), (all_, people) = pool(1, name="Big"), pool(2, 1, name="Everybody")
    keeper, manager, named = (person_with(Role.SALES) for _ in range(3))
    queue = TeamFactory(name="Inbound")
    for person, name in zip(people, ("Person 10", "Person 9"), strict=True):  # turns go by people, not by names
        User.objects.filter(pk=person.pk).update(full_name=name)
        person.full_name = name
    body = rules(
        to("owner", HAS_OWNER, "Who has it"),
        to("account", HAS_MANAGER, "Named accounts"),
        to("person", SPAIN, "Spain", person=named),
        to("pool", LARGE, "Large", pool=big),
        to("pool", ANALYTICS, "Analytics", pool=all_),
        fallback=queue,
    )
    version = routing_in_force(body, by=ops)
    kept = LeadFactory(owner_person=keeper)
    account = LeadFactory(account=company(account_manager=manager))
    spain, large = LeadFactory(territory="Spain"), LeadFactory(account=company(employees=5000))
    product = [LeadFactory(product_interest="Analytics") for _ in range(3)]
    lost = LeadFactory(name="Ann")
    everybody = [kept, account, spain, large, *product, lost]
    assert route_leads([each.pk for each in everybody]) == 8
    for lead in everybody:
        lead.refresh_from_db()
    assert [each.owner_person for each in everybody[:4]] == [keeper, manager, named, big_people[0]]
    assert owners(product) == {people[0].pk: 2, people[1].pk: 1}
    assert (lost.owner_person, lost.owner_team) == (None, queue)
    assert [each.routed_by for each in RoutingDecision.objects.order_by("lead_id")] == ["rule"] * 7 + ["fallback"]
    why = why_routed(product[0])
    assert why.sentence == f"Rule 5, Analytics, gives it to Everybody; it was the turn of {people[0]}."
    assert [(each.number, each.outcome) for each in why.tried] == [
        *((number, "does not fit") for number in range(1, 5)),
        (5, "takes it"),
    ]
    assert [(each["person"], each["weight"], each["passed_over"]) for each in why.candidates] == [
        (people[0].pk, 2, ""),
        (people[1].pk, 1, ""),
    ]
    assert why.decision.batch.version == version
    assert why_routed(lost).sentence == "No rule takes it, so it is in the fallback queue of Inbound."
    assert why_routed(spain).sentence == f"Rule 3, Spain, gives it to {named}."
    assert [each.title for each in Notification.objects.filter(recipient=named)] == [f"{spain} is yours."]
    assert not Notification.objects.filter(recipient=keeper).exists()


def test_who_is_away_has_left_or_is_full_is_passed_over_and_told_why(ops):
    team, people = pool(1, 1, 1, 1, 1, name="Team")
    away, left, day, open_, last = people
    today = clock.today()
    members = {each.person_id: each for each in PoolMember.objects.all()}
    PoolMember.objects.filter(pk=members[away.pk].pk).update(away_from=today, away_until=today)
    PoolMember.objects.filter(pk=members[day.pk].pk).update(most_a_day=1)
    PoolMember.objects.filter(pk=members[open_.pk].pk).update(most_open=1)
    LeadFactory(owner_person=open_, stage=Stage.SQL)
    routing_in_force(rules(to("pool", pool=team)), by=ops)
    type(left).objects.filter(pk=left.pk).update(is_active=False)
    leads = [LeadFactory() for _ in range(4)]
    route_new()
    assert owners(leads) == {day.pk: 1, last.pk: 3}
    route_new([lead.pk for lead in [LeadFactory()]])
    reasons = {each["person"]: each["passed_over"] for each in why_routed(Lead.objects.first()).candidates}
    assert reasons == {
        away.pk: f"is away until {today:%-d %b}",
        left.pk: "has left",
        day.pk: "got 1 of at most 1 today",
        open_.pk: "has 1 of at most 1 leads",
        last.pk: "",
    }


def test_what_waits_for_a_pool_goes_there_once_somebody_is_free(ops):
    team, (person,) = pool(1, name="One")
    queue = TeamFactory(name="Inbound")
    routing_in_force(rules(to("pool", name="All", pool=team), fallback=queue), by=ops)
    today = clock.today()
    PoolMember.objects.update(away_from=today, away_until=today)
    lead = LeadFactory()
    route_new()
    lead.refresh_from_db()
    assert (lead.owner_person, lead.owner_team) == (None, queue)
    assert why_routed(lead).sentence == (
        "Rule 1, All, gives it to One, where nobody is free; until then Inbound looks after it."
    )
    assert (route_new(), route_waiting()) == (0, 0)
    later = clock.now() + dt.timedelta(hours=5)
    assert watch(at=later) == 1
    assert Alert.objects.get().title == "1 lead waits for somebody for more than 4 hours."
    PoolMember.objects.update(away_from=None, away_until=None)
    assert route_waiting() == 1
    lead.refresh_from_db()
    assert (lead.owner_person, lead.owner_team, WaitingLead.objects.count()) == (person, None, 0)
    assert watch(at=later) == 0


def test_an_archived_pool_deals_nothing_and_unreadable_rules_lose_nothing(ops):
    (old, _), (good, (person,)) = pool(1, name="Old"), pool(1, name="Good")
    queue = TeamFactory(name="Inbound")
    body = rules(to("pool", SPAIN, "Spain", pool=old), to("pool", name="All", pool=good), fallback=queue)
    routing_in_force(body, by=ops)
    source = IntakeSource.objects.create(key="form", title="Form", fields={}, required=["email"])
    Pool.objects.filter(pk=old.pk).update(archived_at=clock.now())
    lead = receive(source, {"email": "a@example.com", "territory": "Spain"}, key="1", by=ops).lead
    assert why_routed(lead).sentence == f"Rule 2, All, gives it to Good; it was the turn of {person}."
    assert why_routed(lead).tried[0].outcome == "names the pool Old, which is archived"
    waits = LeadFactory()
    WaitingLead.objects.create(lead=waits, pool=old, since=clock.now())
    assert route_waiting() == 1
    assert Lead.objects.get(pk=waits.pk).owner_person == person


def test_rules_that_broke_under_them_send_leads_to_the_fallback_queue_with_an_alert(ops):
    (good, (person,)), queue = pool(1, name="Good"), TeamFactory(name="Inbound")
    field = CustomFieldFactory(content_type=kind_of(Lead), label="Plan", key="plan", type="text")
    asks = {"field": "custom.plan", "op": "empty"}
    version = routing_in_force(rules(to("pool", asks, "No plan", pool=good), fallback=queue), by=ops)
    CustomField.objects.filter(pk=field.pk).update(archived_at=clock.now())
    source = IntakeSource.objects.create(key="form", title="Form", fields={}, required=["email"])
    lead = receive(source, {"email": "a@example.com"}, key="1", by=ops).lead
    lead.refresh_from_db()
    assert (lead.owner_person, lead.owner_team) == (None, queue)
    why = why_routed(lead)
    assert why.sentence == "No rule takes it, so it is in the fallback queue of Inbound."
    assert (why.tried[0].outcome, "cannot be read any more" in why.tried[0].words) == ("could not be read", True)
    alert = Alert.objects.get()
    assert alert.title == f"{version} cannot be read any more: leads go to its fallback queue."
    WaitingLead.objects.create(lead=lead, pool=good, since=clock.now())
    assert (route_waiting(), WaitingLead.objects.count()) == (0, 1)
    CustomField.objects.filter(pk=field.pk).update(archived_at=None)
    assert route_waiting() == 1
    alert.refresh_from_db()
    assert (Lead.objects.get().owner_person, alert.state) == (person, "resolved")


def test_who_waits_is_routed_as_far_as_there_is_room_and_a_day_is_that_of_the_pool(ops):
    east = published_calendar(administrator(), zone="Asia/Tokyo", weekly_hours=dict.fromkeys(WEEK, "00:00-24:00"))
    team, (person,) = pool(1, name="Tokyo", calendar=east)
    routing_in_force(rules(to("pool", pool=team)), by=ops)
    PoolMember.objects.update(most_a_day=2)
    leads = LeadFactory.create_batch(5)
    evening = dt.datetime(2026, 7, 1, 14, 50, tzinfo=dt.UTC)  # ten to midnight there
    route_new(at=evening)
    assert (owners(leads)[person.pk], WaitingLead.objects.count()) == (2, 3)
    before = RoutingDecision.objects.count()
    assert route_waiting(at=evening) == 0
    assert route_waiting(at=evening + dt.timedelta(minutes=20)) == 2  # the next day there
    assert RoutingDecision.objects.count() == before + 2
    assert list(WaitingLead.objects.values_list("pk", flat=True)) == [leads[-1].pk]


def test_lists_that_would_lose_leads_or_name_nobody_are_refused(ops):
    empty, _ = pool(name="Nobody")
    (old, _), (good, _) = pool(1, name="Old"), pool(1, name="Good")
    Pool.objects.filter(pk=old.pk).update(archived_at=clock.now())
    team = TeamFactory()
    for body, sentence in (
        (rules(to("pool", pool=empty)), "the pool Nobody has nobody in it; add its people first"),
        (rules(to("pool", pool=old)), "the pool Old is archived; choose another"),
        (rules(to("pool")), "Rule 1 gives leads to a pool; say which"),
        (rules(to("person")), "Rule 1 gives leads to a person; say which"),
        (rules(to("owner", pool=good)), "Rule 1 names a pool but gives its leads elsewhere"),
        (rules(to("pool", pool=good), to("owner")), "Rule 2 is never asked: rule 1 before it takes every lead"),
        ({"rules": [to("owner")], "settings": {"fallback": None}}, "Fallback queue is missing"),
        (rules(to("owner", {"field": "nothing", "op": "eq", "value": 1})), "nothing"),
    ):
        assert sentence in " ".join(each.sentence for each in BODY.problems(body))
    assert BODY.problems(rules(to("owner", HAS_OWNER), to("pool", pool=good), fallback=team)) == []


def test_a_fallback_queue_that_is_archived_and_people_who_left_are_refused_and_told_of(ops):
    gone, left = TeamFactory(name="Old desk", archived_at=clock.now()), person_with(Role.SALES)
    User.objects.filter(pk=left.pk).update(is_active=False)
    for body, sentence in (
        (rules(to("owner"), fallback=gone), "The fallback queue Old desk is archived"),
        (rules(to("person", person=left)), "Rule 1 gives leads to somebody who does not work here any more"),
    ):
        assert BODY.problems(body) == []
        assert sentence in " ".join(each.sentence for each in BODY.objections(body))
    either = {"any": [SPAIN, {"not": SPAIN}]}
    good, _ = pool(1)
    said = BODY.problems(rules(to("pool", either, pool=good), to("owner")))
    assert [each.sentence for each in said] == ["Rule 2 is never asked: rule 1 before it takes every lead."]
    queue = TeamFactory(name="Queue")
    routing_in_force(rules(to("owner", HAS_OWNER), fallback=queue), by=ops)
    Team.objects.filter(pk=queue.pk).update(archived_at=clock.now())
    lead = LeadFactory()
    assert route_new([lead.pk]) == 1
    alert = Alert.objects.get(fingerprint="leads.routing.archived-fallback")
    assert alert.title == "The fallback queue of leads, Queue, is archived: nobody finds what lands there."
    Team.objects.filter(pk=queue.pk).update(archived_at=None)
    route_waiting()
    alert.refresh_from_db()
    assert alert.state == "resolved"


def test_new_leads_are_routed_as_they_come_in(ops):
    team, (person,) = pool(1)
    source = IntakeSource.objects.create(key="form", title="Form", fields={}, required=["email"])
    first = receive(source, {"email": "a@example.com"}, key="1", by=ops).lead
    assert first.owner_person is None
    routing_in_force(rules(to("pool", pool=team)), by=ops)
    second = receive(source, {"email": "b@example.com"}, key="2", by=ops).lead
    second.refresh_from_db()
    assert second.owner_person == person
    assert route_new() == 1
    assert Lead.objects.unowned().count() == 0


def test_a_lead_is_given_to_somebody_by_hand_with_a_reason(ops):
    seller, other = person_with(Role.SALES), person_with(Role.SALES)
    lead = LeadFactory(name="Ann", owner_person=seller)
    for by, given, kind, sentence in (
        (seller, {"person": other, "reason": " "}, InvalidInput, "Say why somebody else"),
        (seller, {"person": seller, "reason": "x"}, InvalidInput, "looks after Ann already"),
        (person_with(Role.SALES), {"person": other, "reason": "x"}, NotAllowed, "You may not change Ann"),
        (seller, {"person": person_with(is_active=False), "reason": "x"}, InvalidInput, "cannot look after leads"),
    ):
        with pytest.raises(kind, match=sentence):
            reassign(lead, by=by, **given)
    assert reassign(lead, person=other, reason="On holiday", by=seller) == f"{other} looks after Ann now."
    assert why_routed(lead).sentence == f"Given to {other} by hand: On holiday"
    assert why_routed(lead).decision.from_person == seller
    with pytest.raises(WrongState, match="No rules of routing are in force"):
        route_again(lead, by=ops, reason="x")
    team, (person,) = pool(1)
    routing_in_force(rules(to("pool", pool=team)), by=ops)
    with pytest.raises(InvalidInput, match="Say why it is routed again"):
        route_again(lead, by=ops, reason="")
    assert "it was the turn of" in route_again(lead, by=ops, reason="Moved to Spain")
    lead.refresh_from_db()
    assert lead.owner_person == person
    Lead.objects.filter(pk=lead.pk).update(archived_at=clock.now())
    lead.refresh_from_db()
    with pytest.raises(WrongState, match="Ann is archived; restore it first"):
        reassign(lead, person=other, reason="x", by=ops)


def test_decisions_stay(ops):
    lead = LeadFactory(owner_person=person_with(Role.SALES))
    reassign(lead, person=ops, reason="x", by=ops)
    for change in (lambda: RoutingDecision.objects.update(reason="y"), RoutingDecision.objects.all().delete):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()


def test_a_rehearsal_tells_who_would_get_what_and_changes_nothing(ops):
    (one, (person,)), (two, _) = pool(1, name="One"), pool(1, name="Two")
    routing_in_force(rules(to("pool", name="All", pool=one)), by=ops)
    leads = [LeadFactory(territory="Spain" if place < 2 else "") for place in range(5)]
    route_new()
    draft = start_draft(document_of(), by=ops)
    draft = write_rules(draft, rules(to("pool", SPAIN, "Spain", pool=two), to("pool", name="Rest", pool=one)), by=ops)
    before = RoutingDecision.objects.count()
    found = simulate(draft, by=ops).simulation
    facts = dict(found["facts"])
    assert facts["Latest leads routed"] == 5
    assert facts["Go to another person or pool than by version 1"] == 2
    assert facts["Would get another owner than they have"] == 2
    assert found["tables"][0]["rows"] == [["1. Spain", 2], ["2. Rest", 3], ["No rule", 0]]
    assert set(found["sample"]) == {each.pk for each in leads[:2]}
    assert (RoutingDecision.objects.count(), owners(leads)) == (before, {person.pk: 5})


def document_of():
    from apps.core.rules.models import RuleDocument

    return RuleDocument.objects.get(key="lead-routing")


def test_a_batch_takes_the_same_number_of_queries_whatever_its_size(ops):
    team, _ = pool(3, 1)
    routing_in_force(rules(to("pool", pool=team)), by=ops)
    asked = []
    for size in (4, 12):
        leads = [each.pk for each in LeadFactory.create_batch(size)]
        with CaptureQueriesContext(connection) as found:
            assert route_leads(leads) == size
        asked.append(len(found))
    assert asked[1] <= asked[0]
    assert sorted(owners(Lead.objects.all()).values()) == [4, 12]


@pytest.mark.django_db(transaction=True)
def test_workers_never_deal_the_same_turn(proof):
    ops = person_with(Role.OPS)
    team, people = pool(3, 2, 1)
    routing_in_force(rules(to("pool", pool=team)), by=ops)
    workers, each = (8, 30) if proof else (2, 12)
    leads = LeadFactory.create_batch(workers * each)
    keys = [lead.pk for lead in leads]

    def work(number):
        for start in range(0, each, 6):
            route_leads(keys[number * each + start : number * each + start + 6])
        connection.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    total = workers * each // 6
    assert owners(leads) == {people[0].pk: 3 * total, people[1].pk: 2 * total, people[2].pk: total}
    turns = list(RoutingDecision.objects.values_list("turn", flat=True))
    assert sorted(turns) == list(range(workers * each))


def test_pages_of_routing(client, ops):
    team, _ = pool(1, name="Everyday")
    routing_in_force(rules(to("pool", name="All", pool=team)), by=ops)
    lead = LeadFactory(name="Ann")
    route_new()
    sign_in(client, ops)
    assert_same_queries(client, list_of(RoutingDecision), lambda: reroute(lead, ops))
    page = client.get(page_of(lead)).content.decode()
    assert "Rule 1, All, gives it to Everyday" in page
    assert "had the turn" in page
    everybody = f"{list_of(RoutingDecision)}?lead__id__exact={lead.pk}"  # as the page of the lead links it
    assert (everybody in page, client.get(everybody).status_code) == (True, 200)
    assert "Who takes leads now" in client.get(page_of(team)).content.decode()
    assert "Rules tried" in client.get(page_of(RoutingDecision.objects.last())).content.decode()
    other = person_with(Role.SALES)
    answer = client.post(button_of(lead, "reassign"), {"person": other.pk, "reason": "Knows them"}, follow=True)
    assert f"{other} looks after Ann now." in answer.content.decode()
    assert client.get(reverse("admin:leads_poolmember_changelist")).status_code == 200


def test_a_company_gets_its_account_manager_on_its_page_and_from_files(client, ops):
    ann, gone = person_with(Role.SALES, email="ann@example.com"), person_with(Role.SALES, email="gone@example.com")
    account = company(domain="acme.example")
    sign_in(client, ops)
    assert 'name="account_manager"' in client.get(page_of(account)).content.decode()
    User.objects.filter(pk=gone.pk).update(is_active=False)
    text = "Domain,Name,Account manager\nacme.example,Acme,Ann@example.com\nold.example,Old,gone@example.com\n"
    assert import_text("leads.companies", text, by=ops).counts == {"updated": 1, "refused": 1}
    account.refresh_from_db()
    assert account.account_manager == ann
    assert import_text("leads.companies", text, by=ops).counts == {"unchanged": 1, "refused": 1}
    assert_same_queries(client, list_of(Company), lambda: [company(account_manager=ann) for _ in range(2)])


def reroute(lead, ops):
    for _ in range(2):
        route_leads([lead.pk], by=ops)
