"""Leads: who sees which, how they move, and their pages."""

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.urls import reverse

from apps.accounts.enums import Role
from apps.accounts.models import Membership
from apps.audit.models import AuditEvent
from apps.core import access, clock
from apps.core.admin_kit.archive import archive
from apps.core.admin_kit.refusals import sentence_of
from apps.core.errors import NotAllowed, WrongState
from apps.core.transitions import transition
from apps.leads.domain.lifecycle import move_lead, refuse_stage
from apps.leads.enums import MOVES, Stage
from apps.leads.models import Lead, Opportunity
from tests.admin_pages import assert_same_queries, button_of, list_of, page_of
from tests.factories.accounts import TeamFactory, person_with
from tests.factories.leads import LeadFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def territory():
    """A salesperson with a team, and four leads: theirs, the team's, a colleague's in the team, somebody else's."""
    team, seller, colleague = TeamFactory(), person_with(Role.SALES), person_with(Role.SALES)
    Membership.objects.create(team=team, person=seller, role=Role.SALES)
    leads = (
        LeadFactory(name="Mine", owner_person=seller),
        LeadFactory(name="Ours", owner_team=team),
        LeadFactory(name="Shared", owner_team=team, owner_person=colleague),
        LeadFactory(name="Theirs", owner_person=colleague),
    )
    return seller, leads


def test_sales_see_their_own_and_their_teams_leads(territory):
    seller, _ = territory
    assert set(access.visible(seller, Lead).values_list("name", flat=True)) == {"Mine", "Ours", "Shared"}


@pytest.mark.parametrize("role", [Role.OPS, Role.EXECUTIVE, Role.AUDITOR, Role.ADMINISTRATOR])
def test_who_oversees_sees_all(territory, role):
    assert access.visible(person_with(role), Lead).count() == 4


def test_approvers_have_no_business_with_leads(territory):
    assert access.visible(person_with(Role.APPROVER), Lead).count() == 0


def test_pages_palette_and_history_keep_to_the_territory(client, territory):
    seller, (mine, _, _, theirs) = territory
    client.force_login(seller)
    listed = client.get(list_of(Lead)).content.decode()
    assert "Mine" in listed
    assert "Theirs" not in listed
    assert client.get(page_of(mine)).status_code == 200
    for page in ("change", "history"):
        assert client.get(page_of(theirs, page)).status_code in (302, 403, 404)
    assert client.post(button_of(theirs, "to-mql"), {"reason": "x"}).status_code == 404
    assert "Theirs" not in client.get("/admin/search/?s=Theirs&extended=1").content.decode()


def won(lead):
    """An opportunity of the lead that was won: what makes customers."""
    with transition(Opportunity):
        deal = Opportunity.objects.create(lead=lead, name="Won", amount=1, opened_at=clock.now())
        deal.stage, deal.closed_at = "won", clock.now()
        deal.save()


def test_only_the_moves_of_the_table_work():
    person = person_with(Role.OPS)
    for stage in Stage:
        lead = LeadFactory(stage=stage)
        won(lead)
        assert {to for to in Stage if refuse_stage(person, lead, to=to) is None} == set(MOVES[stage])


def test_a_move_is_recorded_with_its_reason():
    lead, person = LeadFactory(name="Ann"), person_with(Role.OPS)
    assert (
        move_lead(lead, to=Stage.MQL, by=person, reason="asked for a demo")
        == "Ann is at the stage “Marketing qualified (MQL)” now."
    )
    event = AuditEvent.objects.of_object(lead).first()
    assert (event.actor, event.reason, event.changes) == (person, "asked for a demo", {"stage": ["known_lead", "mql"]})


def test_a_wrong_move_names_the_right_ones():
    with pytest.raises(WrongState, match="Ann is at the stage “Known lead”; from there it goes to Marketing qualified"):
        move_lead(LeadFactory(name="Ann"), to=Stage.CUSTOMER, by=person_with(Role.OPS), reason="x")
    late = LeadFactory(name="Bo", stage=Stage.ADVOCATE)
    said = "Bo is at the stage “Advocate”; from there it goes to Former customer."
    assert refuse_stage(person_with(Role.OPS), late, to=Stage.CUSTOMER) == said


def test_archived_and_foreign_leads_do_not_move(territory):
    seller, (_, _, _, theirs) = territory
    with pytest.raises(NotAllowed, match="You may not change Theirs"):
        move_lead(theirs, to=Stage.MQL, by=seller, reason="x")
    ops = person_with(Role.OPS)
    archive(theirs, by=ops)
    theirs.refresh_from_db()
    assert refuse_stage(ops, theirs, to=Stage.MQL) == "Theirs is archived; restore it first."


def test_database_lets_no_stage_change_past_the_operation():
    lead = LeadFactory()
    with pytest.raises(DatabaseError) as caught, transaction.atomic():
        Lead.objects.filter(pk=lead.pk).update(stage=Stage.CUSTOMER)
    assert sentence_of(caught.value) == "A lead moves through its stages by the buttons on its page, not by an edit."


@pytest.mark.parametrize("email", ["Ann@example.com", ""])
def test_database_keeps_addresses_normalised(email):
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        LeadFactory(email=email)
    assert sentence_of(caught.value) == "An e-mail address is kept in small letters."


def test_form_normalises_and_refuses_a_second_lead_of_the_same_address(client):
    client.force_login(person_with(Role.OPS))
    form = {"name": "Ann", "email": "Ann@Example.com", "record_source": "mops"}
    assert client.post(list_of(Lead) + "add/", form).status_code == 302
    assert Lead.objects.get().email == "ann@example.com"
    again = client.post(list_of(Lead) + "add/", {**form, "name": "Other"}).content.decode()
    assert "A lead with this e-mail exists already" in again


def test_list_costs_the_same_at_one_and_three_rows(client):
    client.force_login(person_with(Role.OPS))
    LeadFactory(owner_team=TeamFactory())
    assert assert_same_queries(client, list_of(Lead), lambda: LeadFactory.create_batch(2)) <= 20


def test_page_moves_the_lead(client):
    lead = LeadFactory(name="Ann")
    client.force_login(person_with(Role.OPS))
    assert "Ann is at" in client.post(button_of(lead, "to-mql"), {"reason": "demo"}, follow=True).content.decode()


def test_auditor_sees_and_changes_nothing(client):
    lead = LeadFactory(name="Ann")
    client.force_login(person_with(Role.AUDITOR))
    assert client.get(page_of(lead)).status_code == 200
    assert client.post(page_of(lead), {"name": "x"}).status_code == 403
    assert (
        "You may not change Ann."
        in client.post(button_of(lead, "to-mql"), {"reason": "x"}, follow=True).content.decode()
    )


def test_filters_offer_what_the_latest_leads_one_sees_hold(client, monkeypatch):
    person, team = person_with(Role.SALES), TeamFactory()
    for source in ("Fair", "Search", "Referral"):
        LeadFactory(source=source, owner_person=person)
    LeadFactory(source="Of others", owner_team=team)
    client.force_login(person)
    url = reverse("admin:leads_lead_changelist")
    page = client.get(url, {"source": "Fair"}).content.decode()
    assert [each for each in ("Fair", "Search", "Referral", "Of others") if f"?source={each}" in page] == [
        "Fair",
        "Search",
        "Referral",
    ]
    monkeypatch.setattr("apps.leads.admin.filters.LATEST", 1)
    page = client.get(url, {"source": "Fair"}).content.decode()
    assert [each for each in ("Fair", "Search", "Referral") if f"?source={each}" in page] == ["Fair", "Referral"]
