"""Answering leads: both sides sign, two clocks count working time, steps fire once with nobody touching the lead."""

import datetime as dt
import json

import pytest
from django.db import DatabaseError, transaction
from django.urls import reverse
from django.utils import timezone

from apps.accounts.enums import Role
from apps.approvals.domain import signing
from apps.approvals.domain.decisions import approve
from apps.approvals.domain.policies import ensure_policy
from apps.approvals.models import ApprovalRequest
from apps.core import access, clock
from apps.core.actors import acting_as
from apps.core.admin_kit.archive import archive
from apps.core.alerts.models import Alert
from apps.core.calendars.domain import business_time
from apps.core.calendars.domain.queries import schedule_for
from apps.core.clocks.domain.arithmetic import elapsed
from apps.core.clocks.domain.firing import fire_due
from apps.core.clocks.enums import ClockState
from apps.core.clocks.models import Clock, EscalationFire
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.core.notifications.models import Notification
from apps.core.records import kind_of
from apps.core.transitions import transition
from apps.core.workspace.enums import FieldType
from apps.core.workspace.models import CustomField
from apps.leads.domain import answer_clocks, sla_signing
from apps.leads.domain.answer_clocks import SPEED, TOUCH
from apps.leads.domain.duplicates.merging import merge
from apps.leads.domain.handoff import offer
from apps.leads.domain.lifecycle import move_lead
from apps.leads.domain.routing.reassigning import why_routed
from apps.leads.domain.routing.routing import route_leads
from apps.leads.domain.segmenting import refresh
from apps.leads.domain.sla import record_contact
from apps.leads.domain.sla_choice import sla_of, slas_in_force, why_under
from apps.leads.enums import HandoffState, SlaState, Stage
from apps.leads.models import Company, Handoff, Lead, LeadSla, SalesContact, SegmentMember, SegmentState, WaitingLead
from tests.admin_pages import assert_same_queries, button_of, list_of, page_of
from tests.factories.accounts import administrator, person_with, sign_in
from tests.factories.calendars import published_calendar
from tests.factories.leads import LeadFactory
from tests.factories.routing import pool, routing_in_force, rules, to
from tests.factories.rules import active, segment

pytestmark = pytest.mark.django_db


@pytest.fixture
def ops():
    return person_with(Role.OPS)


@pytest.fixture
def signers():
    return person_with(Role.APPROVER), person_with(Role.SALES)


WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def always_open():
    return published_calendar(administrator(), zone="UTC", weekly_hours=dict.fromkeys(WEEK, "00:00-24:00"))


def written(ops, signers, **given):
    marketing, sales = signers
    with acting_as(ops):
        return LeadSla.objects.create(
            **{"name": "First answer", "marketing_signatory": marketing, "sales_signatory": sales, **given}
        )


def signed(ops, signers, **given):
    ensure_policy("leads.leadsla", "SLAs of leads", definition=sla_signing.both_sides())
    sla = written(ops, signers, **{"calendar": always_open(), **given})
    sla_signing.submit_sla(sla, by=ops)
    request = ApprovalRequest.objects.open().get(object_id=sla.pk, content_type__model="leadsla")
    for person in signers:
        approve(ApprovalRequest.objects.get(pk=request.pk), by=person)
    return LeadSla.objects.get(pk=sla.pk)


def test_both_sides_sign_and_who_wrote_it_does_not(ops, signers):
    marketing, sales = signers
    outsider = person_with()
    for given, sentence in (
        ({"marketing_signatory": None}, "Say who signs for marketing"),
        ({"sales_signatory": None}, "Say who signs for sales"),
        ({"sales_signatory": marketing}, "One person cannot sign for both sides"),
        ({"sales_signatory": outsider}, "may not read SLAs of leads, so they could not sign"),
    ):
        with pytest.raises(WrongState, match=sentence):
            sla_signing.submit_sla(written(ops, signers, **given), by=ops)
    with pytest.raises(NotAllowed, match="You may not change First answer v1"):
        sla_signing.submit_sla(written(ops, signers), by=sales)
    ensure_policy("leads.leadsla", "SLAs of leads", definition=sla_signing.both_sides())
    sla = written(ops, signers)
    with pytest.raises(WrongState, match="First answer v1 is not signed yet; change it instead"):
        sla_signing.write_next(sla, by=ops)
    sla_signing.submit_sla(sla, by=ops)
    request = ApprovalRequest.objects.open().get(object_id=sla.pk, content_type__model="leadsla")
    approve(request, by=sales)
    sla.refresh_from_db()
    assert sla.state == SlaState.IN_REVIEW
    with pytest.raises(DatabaseError, match="What was sent or signed stays"), transaction.atomic():
        LeadSla.objects.filter(pk=sla.pk).update(touch_minutes=10)
    approve(ApprovalRequest.objects.get(pk=request.pk), by=marketing)
    sla.refresh_from_db()
    assert (sla.state, slas_in_force()) == (SlaState.SIGNED, [sla])
    assert sla_signing.write_next(sla, by=ops) == "First answer v2 is a draft; change it and send it to both sides."
    with pytest.raises(WrongState, match="First answer v2 follows it already"):
        sla_signing.write_next(sla, by=ops)
    with pytest.raises(WrongState, match="First answer v2 is not in force"):
        signing.retire(LeadSla.objects.get(number=2), by=ops, reason="x")
    assert signing.retire(sla, by=ops, reason="Sales is gone") == "First answer v1 has ended."


def test_somebody_of_sales_alone_signs_and_sees_no_other_request(client, ops, signers):
    seller, other = person_with(Role.SALES), person_with(Role.SALES)
    sla, theirs = written(ops, (signers[0], seller)), written(ops, (signers[0], other), name="Theirs")
    sla_signing.submit_sla(sla, by=ops)
    sla_signing.submit_sla(theirs, by=ops)
    mine, another = (ApprovalRequest.objects.get(object_id=each.pk) for each in (sla, theirs))
    client.force_login(seller)
    inbox = client.get(reverse("admin:approvals_inbox")).content.decode()
    assert str(mine) in inbox
    assert str(another) not in inbox
    assert set(access.visible(seller, ApprovalRequest)) == {mine}
    assert client.post(button_of(mine, "approve"), {"note": ""}, follow=True).status_code == 200
    assert str(seller) in client.get(page_of(sla)).content.decode()
    assert set(access.visible(seller, ApprovalRequest)) == {mine}  # decided by them
    approve(ApprovalRequest.objects.get(pk=mine.pk), by=signers[0])
    sla.refresh_from_db()
    assert sla.state == SlaState.SIGNED


def test_two_clocks_count_from_capture_and_from_assignment_and_a_contact_stops_both(ops, signers):
    signed(ops, signers, touch_minutes=60)
    team, (seller,) = pool(1)
    routing_in_force(rules(to("pool", pool=team)), by=ops)
    lead = LeadFactory(name="Ann")
    assert answer_clocks.begin_captured(at=clock.now() + dt.timedelta(seconds=5)) == 1
    assert answer_clocks.begin_captured(at=clock.now() + dt.timedelta(seconds=5)) == 0
    route_leads([lead.pk])
    clocks = {each.metric: each for each in Clock.objects.of(lead)}
    assert clocks[SPEED].due_at - clocks[SPEED].started_at == dt.timedelta(minutes=120)
    assert clocks[TOUCH].due_at - clocks[TOUCH].started_at == dt.timedelta(minutes=60)
    assert clocks[SPEED].started_at == lead.created_at
    assert [each.rungs[-1].percent for each in (clocks[SPEED], clocks[TOUCH])] == [100, 150]
    for by, given, kind, sentence in (
        (seller, {"kind": "dance"}, InvalidInput, "Say how you were in touch"),
        (seller, {"kind": "call", "at": clock.now() + dt.timedelta(days=1)}, InvalidInput, "once it has happened"),
        (person_with(Role.SALES), {"kind": "call"}, NotAllowed, "You may not change Ann"),
    ):
        with pytest.raises(kind, match=sentence):
            record_contact(lead, by=by, **given)
    said = record_contact(lead, kind="call", by=seller, note="Wants a demo")
    assert said == "The contact is recorded; Speed to lead and First contact after assignment are stopped."
    assert set(Clock.objects.of(lead).values_list("state", flat=True)) == {ClockState.MET}
    assert record_contact(lead, kind="email", by=seller) == "The contact is recorded."
    route_leads([lead.pk])
    assert Clock.objects.of(lead).open().count() == 0
    assert sla_signing.kept(ops, since=clock.now() - dt.timedelta(days=1)) == [
        ("Speed to lead", 1, 0, 0),
        ("First contact after assignment", 1, 0, 0),
    ]


def test_at_risk_late_and_reassigned_fire_once_each_with_nobody_touching_the_lead(ops, signers):
    signed(ops, signers, touch_minutes=100, at_risk_percent=75, reassign_percent=150)
    team, people = pool(1, 1)
    routing_in_force(rules(to("pool", pool=team)), by=ops)
    lead = LeadFactory(name="Ann")
    route_leads([lead.pk], at=clock.now() - dt.timedelta(minutes=1))
    lead.refresh_from_db()
    first, second = lead.owner_person, next(each for each in people if each != lead.owner_person)
    began = Clock.objects.of(lead).get(metric=TOUCH).started_at
    told = []
    for minutes in (50, 80, 80, 101, 101, 151, 151):
        fire_due(now=began + dt.timedelta(minutes=minutes, seconds=30))
        told.append(EscalationFire.objects.filter(clock__metric=TOUCH).count())
    assert told == [0, 1, 1, 2, 2, 3, 3]
    titles = list(Notification.objects.filter(recipient=first).order_by("pk").values_list("title", flat=True))
    assert titles[1:] == [
        "First contact after assignment: 75 % of the time is used: Ann",
        "First contact after assignment is late: Ann",
    ]
    assert Notification.objects.filter(recipient=signers[1]).count() == 1
    lead.refresh_from_db()
    assert lead.owner_person == second
    assert why_routed(lead).sentence == (
        f"Given to {second} because nobody answered in time: The time to get in touch is over."
    )
    assert Clock.objects.of(lead).filter(metric=TOUCH).open().count() == 1


def test_clocks_count_working_time_of_the_calendar_as_python_does(ops, signers):
    calendar = published_calendar(administrator())
    signed(ops, signers, calendar=calendar)
    leads = [LeadFactory(owner_person=person_with(Role.SALES)) for _ in range(6)]
    moments = [clock.now() - dt.timedelta(hours=7 * place, minutes=13) for place in range(6)]
    for lead, moment in zip(leads, moments, strict=True):
        answer_clocks.begin([lead.pk], at=moment)
    schedule = schedule_for(calendar)
    for each in Clock.objects.filter(metric=TOUCH):
        assert each.due_at == business_time.due(schedule, each.started_at, dt.timedelta(minutes=120))
        assert elapsed(list(each.segments.all()), schedule, at=each.due_at) == dt.timedelta(minutes=120)


def test_territories_have_their_own_and_who_needs_no_answer_has_no_clock(ops, signers):
    general = signed(ops, signers)
    own = signed(ops, (person_with(Role.APPROVER), person_with(Role.SALES)), territory="DACH", touch_minutes=30)
    assert slas_in_force() == [own, general]
    seller = person_with(Role.SALES)
    dach, other = LeadFactory(owner_person=seller, territory="DACH"), LeadFactory(owner_person=seller)
    customer = LeadFactory(owner_person=seller, stage=Stage.CUSTOMER)
    assert answer_clocks.begin([dach.pk, other.pk, customer.pk], at=clock.now()) == 2
    assert [Clock.objects.of(each).get().target for each in (dach, other)] == [30, 120]
    found = access.visible(ops, Lead)
    later = clock.now() + dt.timedelta(hours=1)
    assert set(answer_clocks.unanswered(found, "late", now=later)) == {dach}
    assert set(answer_clocks.unanswered(found, "today", now=later)) == {other}
    move_lead(dach, to=Stage.DISQUALIFIED, by=ops, reason="A student")
    assert Clock.objects.of(dach).get().state == ClockState.CANCELLED


def test_clocks_end_with_what_they_wait_for(ops, signers):
    signed(ops, signers)
    seller = person_with(Role.SALES)
    recycled, archived, won = (LeadFactory(owner_person=seller, stage=Stage.MQL) for _ in range(3))
    began = clock.now() - dt.timedelta(minutes=1)
    answer_clocks.begin([recycled.pk, archived.pk, won.pk], at=began)
    move_lead(recycled, to=Stage.RECYCLED, by=ops, reason="Not now")
    Lead.objects.filter(pk=archived.pk).update(archived_at=clock.now())
    with transition(Lead):
        Lead.objects.filter(pk=won.pk).update(stage=Stage.CUSTOMER)
    fire_due(now=began + dt.timedelta(minutes=181))
    assert set(Clock.objects.values_list("state", flat=True)) == {ClockState.CANCELLED}
    assert not Notification.objects.filter(kind="lead.sla").exists()
    assert {each.owner_person for each in Lead.objects.all()} == {seller}


def test_an_archived_lead_waits_for_nobody_from_that_moment_on(ops, signers):
    signed(ops, signers)
    sales, keeper = signers[1], person_with(Role.SALES)
    lead, other = (LeadFactory(owner_person=keeper, country="Spain", stage=Stage.MQL) for _ in range(2))
    WaitingLead.objects.create(lead=lead, pool=pool(1)[0], since=clock.now())
    answer_clocks.begin([lead.pk, other.pk], at=clock.now())
    for each in (lead, other):
        offer(each, by=ops)
    refresh(active(segment(owner=ops), by=ops))
    assert archive(lead, by=ops) == f"{lead} is archived."
    assert set(Clock.objects.open().values_list("object_id", flat=True)) == {other.pk}
    assert dict(Handoff.objects.values_list("lead", "state")) == {
        lead.pk: HandoffState.WITHDRAWN,
        other.pk: HandoffState.OFFERED,
    }
    assert Handoff.objects.get(lead=lead).answer == "The lead was archived."
    assert Notification.objects.filter(recipient=keeper, title=f"{lead} is not offered to you any more.").exists()
    assert list(SegmentMember.objects.values_list("lead", flat=True)) == [other.pk]
    assert SegmentState.objects.get().members == 1
    assert not WaitingLead.objects.filter(pk=lead.pk).exists()
    assert not Notification.objects.filter(recipient=sales).exists()


def test_what_no_sla_holds_for_takes_nobodys_place_and_merged_contacts_count(ops, signers, monkeypatch):
    signed(ops, signers, territory="DACH")
    monkeypatch.setattr(answer_clocks, "BATCH", 1)
    LeadFactory(territory="Spain")
    seller = person_with(Role.SALES)
    dach, told, gone = (LeadFactory(territory="DACH", owner_person=seller) for _ in range(3))
    record_contact(gone, kind="call", by=seller)
    merge(told, gone, by=ops, reason="One person.")
    later = clock.now() + dt.timedelta(seconds=5)
    assert [answer_clocks.begin_captured(at=later) for _ in range(2)] == [1, 0]
    assert Clock.objects.get().object_id == dach.pk


LARGE = {"predicate": {"all": [{"field": "employees", "op": "gte", "value": 200}]}}
ABROAD = {"predicate": {"all": [{"field": "country", "op": "ne", "value": "DE"}]}}


def test_sla_applies_to_the_leads_its_condition_names_and_says_why(client, ops, signers):
    general = signed(ops, signers)
    large = signed(ops, signers, name="Large companies", applies_to=LARGE, touch_minutes=30)
    abroad = signed(ops, signers, name="Abroad", applies_to=ABROAD, precedence=20, touch_minutes=60)
    dach = signed(ops, signers, name="DACH", territory="DACH", applies_to=LARGE, touch_minutes=15)
    assert slas_in_force() == [dach, large, abroad, general]
    assert large.applies_words == "Company size is at least 200"
    seller, company = person_with(Role.SALES), Company.objects.create(name="Big", domain="big.example", employees=500)
    leads = {
        15: LeadFactory(owner_person=seller, territory="DACH", account=company),
        30: LeadFactory(owner_person=seller, country="FR", account=company),
        60: LeadFactory(owner_person=seller, country="FR"),
        120: LeadFactory(owner_person=seller, country="DE", territory="DACH"),
    }
    assert answer_clocks.begin([each.pk for each in leads.values()], at=clock.now()) == 4
    assert {Clock.objects.of(each).get().target: each for each in leads.values()} == leads
    assert [sla_of(each) for each in leads.values()] == [dach, large, abroad, general]
    assert why_under(leads[30], ops) == (
        "Large companies v1 applies because it is for all that have no SLA of their own, and its condition holds: "
        "Company size is at least 200 (it is 500)."
    )
    sign_in(client, ops)
    page = client.get(page_of(leads[15])).content.decode()
    assert "DACH v1 applies because the lead belongs to DACH, and its condition holds" in page
    assert "Company size is at least 200" in client.get(page_of(large)).content.decode()
    following = sla_signing.write_next(large, by=ops) and LeadSla.objects.get(follows=large)
    assert (following.applies_to, following.precedence) == (LARGE, 10)


def test_condition_of_an_sla_is_signed_and_a_broken_one_holds_for_nobody(client, ops, signers):
    gone = {"predicate": {"all": [{"field": "custom.shoe_size", "op": "eq", "value": 43}]}}
    with acting_as(ops):
        field = CustomField.objects.create(
            content_type=kind_of(Lead), key="shoe_size", label="Shoe size", type=FieldType.NUMBER
        )
    sla = signed(ops, signers, applies_to=gone)
    field.archived_at = clock.now()
    with acting_as(ops):
        field.save()
    with pytest.raises(DatabaseError, match="What was sent or signed stays"), transaction.atomic():
        LeadSla.objects.filter(pk=sla.pk).update(applies_to={})
    with pytest.raises(WrongState, match="Say anew which leads it applies to"):
        sla_signing.submit_sla(written(ops, signers, applies_to=gone), by=ops)
    LeadFactory(owner_person=person_with(Role.SALES))
    assert answer_clocks.begin_captured(at=clock.now() + dt.timedelta(seconds=5)) == 0
    alert = Alert.objects.get()
    assert alert.title == "First answer v1 holds for no lead any more: its condition cannot be read."
    sign_in(client, ops)
    draft = written(ops, signers, territory="Spain")
    given = {
        "name": draft.name,
        "territory": "Spain",
        "speed_minutes": 120,
        "touch_minutes": 120,
        "precedence": 10,
        "at_risk_percent": 75,
        "reassign_percent": 150,
        "row_version": draft.row_version,
        "marketing_signatory": signers[0].pk,
        "sales_signatory": signers[1].pk,
    }
    for said, sentence in (
        (json.dumps(gone), "There is no field “custom.shoe_size”"),
        ("{no", "The rules are no valid JSON"),
        ('{"predicate": {"all": [{"field": "employees", "op": "gte", "value": "many"}]}}', "number"),
    ):
        assert sentence in client.post(page_of(draft), {**given, "applies_to": said}).content.decode()
    assert client.post(page_of(draft), {**given, "applies_to": json.dumps(LARGE)}).status_code == 302
    draft.refresh_from_db()
    assert (draft.applies_to, draft.applies_words) == (LARGE, "Company size is at least 200")
    counted = reverse("admin:leads_leadsla_preview")
    assert client.post(counted, {"body": json.dumps(LARGE)}).json()["live"] == "0 of 1 leads that you see."
    sign_in(client, person_with(Role.AUDITOR))
    assert client.post(counted, {"body": json.dumps(LARGE)}).status_code == 403


def test_pages_of_answering(client, ops, signers):
    sla = signed(ops, signers)
    seller = person_with(Role.SALES)
    lead = LeadFactory(owner_person=seller)
    answer_clocks.begin([lead.pk], at=clock.now())
    sign_in(client, ops)
    page = client.get(page_of(sla)).content.decode()
    assert "How leads were answered in 30 days" in page
    assert "150 %" in page
    assert_same_queries(client, list_of(LeadSla), lambda: [written(ops, signers, territory=f"T{n}") for n in range(2)])
    assert "Waiting for sales" in client.get(page_of(lead)).content.decode()
    answer = client.post(button_of(lead, "contact"), {"kind": "call", "note": "Hello"}, follow=True)
    assert "First contact after assignment is stopped" in answer.content.decode()
    assert client.get(f"{list_of(Lead)}?answer=late").status_code == 200


def test_a_contact_is_called_by_the_clock_of_who_reads(ops):
    record_contact(lead := LeadFactory(), kind="call", by=ops, at=dt.datetime(2026, 3, 1, 23, 30, tzinfo=dt.UTC))
    contact = SalesContact.objects.get(lead=lead)
    with timezone.override("Europe/Berlin"):
        assert str(contact) == "Call on 2 Mar 2026, 00:30"
