"""The ledger is searched by the name of a person or a record: by indexes, within bounds, as far as the reader sees."""

import re

import pytest
from django.contrib.auth.models import Permission
from django.db import connection

from apps.accounts.enums import Role
from apps.audit.admin import searching
from apps.audit.domain import finding
from apps.audit.domain.finding import named
from apps.audit.domain.reading import changes_of
from apps.audit.models import AuditEvent
from apps.campaigns.models import Campaign
from apps.core.actors import acting_as
from apps.core.admin_kit.counting import CappedPaginator
from apps.leads.domain.touches import take_touches
from apps.leads.models import Pool, PoolMember, Touchpoint
from apps.rights.models import AccessLog
from tests.admin_pages import assert_same_queries, list_of
from tests.factories.accounts import TeamFactory, person_with, sign_in
from tests.factories.campaigns import CampaignFactory
from tests.factories.leads import LeadFactory
from tests.factories.scoring import touch
from tests.factories.technology import ToolFactory

pytestmark = pytest.mark.django_db
LEDGER = list_of(AuditEvent)


@pytest.fixture
def auditor(client):
    person = person_with(Role.AUDITOR)
    sign_in(client, person)
    return person


@pytest.fixture
def priya():
    return person_with(Role.OPS, full_name="Priya Raghunath", email="p.r@example.com")


def numbers(page):
    return {event.pk for event in page.context["cl"].queryset}


def of(thing):
    return set(AuditEvent.objects.of_object(thing).values_list("id", flat=True))


def test_a_persons_name_finds_what_they_did_and_what_was_done_to_them(client, auditor, priya):
    with acting_as(priya):
        mine = ToolFactory(name="CMS")
    other = ToolFactory(name="CRM")
    for typed in ("Priya Raghunath", "priya ragh", '"Priya Raghunath"'):
        found = numbers(client.get(LEDGER, {"q": typed}))
        assert of(mine) <= found
        assert of(priya) <= found
        assert of(priya.memberships.get()) <= found
        assert not of(other) & found


def test_a_records_name_of_today_finds_what_happened_under_an_older_one(client, auditor, priya):
    with acting_as(priya):
        campaign = CampaignFactory(name="Working title")
        Campaign.objects.filter(pk=campaign.pk).update(name="Letter on the new reports")
    page = client.get(LEDGER, {"q": "Letter on the new reports"})
    assert of(campaign) <= numbers(page)
    assert f"/timeline/?kind=campaigns_campaign&amp;record={campaign.pk}" in page.content.decode()


def test_what_bears_the_name_is_found_beyond_the_reach_of_texts(client, auditor, priya, monkeypatch):
    with acting_as(priya):
        old = ToolFactory(name="CMS")
    ToolFactory.create_batch(3)
    monkeypatch.setattr(searching, "SEARCHED", 2)
    page = client.get(LEDGER, {"q": "Priya Raghunath"}, follow=True)
    assert of(old) <= numbers(page)
    assert "What bears the name that you typed was found however old it is." in page.content.decode()


def test_a_persons_name_of_a_lead_is_found_though_the_ledger_does_not_hold_it(client, auditor):
    lead = LeadFactory(name="Ada Personal", email="ada@example.com")
    page = client.get(LEDGER, {"q": "ada personal"})
    assert numbers(page) == of(lead)
    assert AccessLog.objects.filter(person=auditor, model="leads.lead", detail__list="ledger, by name").exists()


def test_names_of_records_that_the_reader_may_not_see_find_and_tell_nothing(client):
    reader = person_with(Role.SALES)
    reader.user_permissions.add(Permission.objects.get(codename="view_auditevent"))
    sign_in(client, reader)
    LeadFactory(name="Ada Personal", owner_person=person_with(Role.SALES))
    mine = LeadFactory(name="Bea Personal", owner_person=reader)
    page = client.get(LEDGER, {"q": "Personal"})
    assert numbers(page) == of(mine)
    assert "Ada" not in page.content.decode()


def test_a_column_that_is_hidden_from_the_reader_is_not_looked_into(auditor, monkeypatch):
    LeadFactory(name="Ada", email="ada@hidden.example.com")
    assert named("hidden.example", by=auditor)
    monkeypatch.setattr(finding.access, "hidden_columns", lambda user, model: frozenset({"email"}))
    assert not named("hidden.example", by=auditor)


@pytest.mark.parametrize("typed", ["", "  ", "ab", '"ab"', "%%%", "___", "nobody of that name", "\x00abc"])
def test_what_is_no_name_finds_nobody(auditor, priya, typed):
    assert not named(typed, by=auditor)


def test_too_many_of_one_name_are_bounded_and_that_is_said(client, auditor, monkeypatch):
    monkeypatch.setattr(finding, "MOST", 2)
    teams = [TeamFactory(name=f"Growth {number}") for number in range(3)]
    found = named("Growth", by=auditor)
    assert [(each.kind, each.key) for each in found.bearers] == [("Team", str(team.pk)) for team in teams[:2]]
    assert found.crowded == ("Team",)
    page = client.get(LEDGER, {"q": "Growth"}).content.decode()
    assert re.search(r"Of each kind \d+ at most are taken; more bear it among: Team", page)


def test_what_an_entry_points_to_is_named_to_those_alone_who_may_see_it(client, auditor):
    pool = Pool.objects.create(name="Hidden pool")
    with acting_as(auditor):
        PoolMember.objects.create(pool=pool, person=auditor)
    address = f"/admin/audit/auditevent/timeline/?person={auditor.pk}"
    event = AuditEvent.objects.filter(table_name="leads_poolmember").get()
    told = {change.label: change.after for change in changes_of(event, auditor)}
    assert told["Pool"] == "Hidden pool"
    reader = person_with(Role.APPROVER)
    reader.user_permissions.add(Permission.objects.get(codename="view_auditevent"))
    told = {change.label: change.after for change in changes_of(event, reader)}
    assert told["Pool"] == f"#{pool.pk}"
    sign_in(client, reader)
    assert "Hidden pool" not in client.get(address).content.decode()


def test_a_timeline_shows_no_column_that_is_hidden_from_the_reader(client):
    reader = person_with(Role.EXECUTIVE)  # costs of tools are not theirs to see
    reader.user_permissions.add(Permission.objects.get(codename="view_auditevent"))
    tool = ToolFactory(annual_cost=100, currency="EUR")
    tool.annual_cost, tool.function = 4711, "Sends letters"
    tool.save()
    sign_in(client, reader)
    page = client.get("/admin/audit/auditevent/timeline/", {"kind": "technology_tool", "record": tool.pk})
    assert "Sends letters" in page.content.decode()
    assert "4711" not in page.content.decode()


def test_a_record_that_the_ledger_does_not_keep_has_a_timeline_for_those_alone_who_see_it(client, auditor):
    take_touches([touch(LeadFactory())], by=person_with(Role.OPS))
    kept = Touchpoint.objects.get()
    asked = {"kind": "leads_touchpoint", "record": kept.pk}
    address = "/admin/audit/auditevent/timeline/"
    assert "The ledger has nothing here." in client.get(address, asked).content.decode()
    reader = person_with(Role.APPROVER)
    reader.user_permissions.add(Permission.objects.get(codename="view_auditevent"))
    sign_in(client, reader)
    hidden, missing = client.get(address, asked), client.get(address, {**asked, "record": kept.pk + 1_000})
    assert (hidden.status_code, missing.status_code) == (404, 404)
    assert hidden.content == missing.content


def test_filters_narrow_what_a_name_finds(client, auditor, priya):
    with acting_as(priya, reason="two vendors"):
        tool = ToolFactory(name="CMS")
    with acting_as(priya):
        campaign = CampaignFactory()
    for query, found in (
        ({"table_name": "technology_tool"}, tool),
        ({"table_name": "campaigns_campaign"}, campaign),
        ({"reason__icontains": "vendors"}, tool),
    ):
        assert numbers(client.get(LEDGER, {"q": "Priya Raghunath", **query})) == of(found), query


def test_search_by_name_costs_the_same_at_one_and_at_three_records(client, auditor):
    ToolFactory(name="Priya suite 1")
    address = f"{LEDGER}?q=Priya+suite"
    cost = assert_same_queries(client, address, lambda: [ToolFactory(name=f"Priya suite {n}") for n in (2, 3)])
    assert cost <= 26


def test_a_name_is_found_by_the_indexes_of_the_ledger(client, auditor, priya):
    """A short table is read as a whole whatever stands there, so this is forbidden for the question."""
    with acting_as(priya):
        ToolFactory.create_batch(4)
    rows = client.get(LEDGER, {"q": "Priya Raghunath"}).context["cl"].queryset[:50]
    with connection.cursor() as cursor:
        cursor.execute(
            "SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off"
        )
        sql, values = rows.query.sql_with_params()
        cursor.execute(f"EXPLAIN {sql}", values)
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "Seq Scan on audit_auditevent" not in plan, plan
    for index in (r"actor_id_id_idx\w*|ledger_by_actor", r"table_name_object_id_id_idx\w*|ledger_by_object"):
        assert re.search(index, plan), plan
    assert f"LIMIT {CappedPaginator.most + 1}" in sql
