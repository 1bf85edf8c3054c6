"""A role limited to a territory: what it opens, on which rows, and what is told about it."""

import datetime as dt

import pytest
from django.contrib.auth.models import Permission
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.accounts.domain.memberships import grant_role
from apps.accounts.domain.roles import synchronise_groups_of
from apps.accounts.domain.territories import archive_territory, limit_role, unknown_names
from apps.accounts.enums import Role
from apps.accounts.models import Membership, Territory, User
from apps.approvals.domain.eligibility import kept_out_among
from apps.campaigns.domain.intake import accept_request, ask_for_campaign, twins_of
from apps.campaigns.models import Campaign, CampaignRequest
from apps.content.domain.writing import ask_for_content, region_named
from apps.core import access, clock
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.leads.models import Company, FieldValue, Lead
from apps.processes.domain.running import begin_run
from apps.processes.models import Run, RunStep
from apps.rights.domain.effective import effective_grants
from apps.rights.domain.explaining import explain
from apps.rights.domain.point_in_time import could, rights_on
from apps.tickets.models import Ticket, TicketLink, TicketRecord
from tests.admin_pages import assert_same_queries, page_of
from tests.factories.accounts import TeamFactory, UserFactory, administrator, person_with, sign_in
from tests.factories.campaigns import CampaignFactory
from tests.factories.exchange import import_text
from tests.factories.leads import LeadFactory
from tests.factories.processes import effective, steps
from tests.factories.tickets import ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss():
    return administrator(full_name="Bea Boss")


@pytest.fixture
def europe():
    """Europe with DACH below it, which other systems call D-A-CH."""
    above = Territory.objects.create(name="Europe")
    Territory.objects.create(name="DACH", also_called="D-A-CH\nGermany", parent=above)
    return above


def fresh(person):
    return User.objects.get(pk=person.pk)


def limited(role, territory, boss, **fields):
    """A person with this role in this territory alone."""
    person = UserFactory(**fields)
    grant_role(person, TeamFactory(), role, by=boss, reason="Market", territory=territory)
    return fresh(person)


def seen(person, model=Lead):
    return {str(each) for each in access.visible(fresh(person), model)}


def test_a_limited_role_opens_its_tree_by_every_name_of_it(boss, europe):
    for number, name in enumerate(("Europe", "dach ", "D-A-CH", "Germany", "Nordics", "")):
        LeadFactory(name=f"{number} {name}", territory=name)
    person = limited(Role.OPS, europe, boss)
    assert seen(person) == {"0 Europe", "1 dach ", "2 D-A-CH", "3 Germany"}
    elsewhere = Lead.objects.get(territory="Nordics")
    assert access.can(person, "change", elsewhere).reason == (
        f"{person} may change leads in Europe only, and this one is elsewhere or in no territory."
    )
    assert access.can(person, "change", Lead.objects.get(territory="Germany"))


def test_parts_of_a_record_are_where_the_record_is(boss, europe):
    inside, outside = LeadFactory(territory="DACH"), LeadFactory(territory="Nordics")
    for lead in (inside, outside):
        FieldValue.objects.create(
            lead=lead,
            field="job_title",
            value="CMO",
            source="crm",
            precedence=1,
            observed_at=clock.now(),
            is_taken=True,
        )
    person = limited(Role.OPS, europe, boss)
    assert {row.lead_id for row in access.visible(person, FieldValue)} == {inside.pk}


def test_one_role_without_a_limit_opens_all_and_two_limited_ones_open_both(boss, europe):
    nordics = Territory.objects.create(name="Nordics")
    for name in ("DACH", "Nordics", "APAC"):
        LeadFactory(name=name, territory=name)
    person = limited(Role.OPS, europe, boss)
    grant_role(person, TeamFactory(), Role.OPS, by=boss, territory=nordics)
    assert seen(person) == {"DACH", "Nordics"}
    grant_role(person, TeamFactory(), Role.OPS, by=boss)
    assert seen(person) == {"DACH", "Nordics", "APAC"}


def test_overseeing_in_one_territory_does_not_open_the_others_through_another_role(boss, europe):
    person = limited(Role.EXECUTIVE, europe, boss)
    grant_role(person, TeamFactory(), Role.SALES, by=boss)
    for name, owner in (("DACH", None), ("Nordics", None), ("APAC", person)):
        LeadFactory(name=name, territory=name, owner_person=owner)
    assert seen(person) == {"DACH", "APAC"}


def test_what_is_shared_is_open_wherever_it_is(boss, europe):
    from apps.rights.domain.granting import grant_access  # only here

    person = limited(Role.OPS, europe, boss)
    CampaignFactory(name="Here", region="DACH")
    there = CampaignFactory(name="There", region="APAC")
    CampaignFactory(name="Elsewhere", region="APAC")
    grant_access(there, to=person, verb="view", by=boss, reason="Helps out")
    assert seen(person, Campaign) == {"Here", "There"}


def test_tickets_and_runs_are_where_the_records_are_that_they_are_about(boss, europe):
    here, there = CampaignFactory(name="Here", region="DACH"), CampaignFactory(name="There", region="APAC")
    tickets = {name: ticket(title=name) for name in ("Here", "There", "Both", "None")}
    process = effective(flow=steps("One")).process
    for name, about in (("Here", [here]), ("There", [there]), ("Both", [here, there])):
        for each in about:
            TicketRecord.objects.create(ticket=tickets[name], record=each)
    link = TicketLink.objects.create(ticket=tickets["Here"], other=tickets["There"])
    about = (here, there, tickets["Here"], tickets["There"], None)
    runs = {each: begin_run(process, by=boss, subject=each) for each in about}
    person = limited(Role.OPS, europe, boss, full_name="Pia")
    assert {each.title for each in access.visible(person, Ticket)} == {"Here", "Both", "None"}
    assert not access.visible(person, TicketLink).filter(pk=link.pk).exists()
    assert set(access.visible(person, TicketRecord).values_list("ticket__title", flat=True)) == {"Here", "Both"}
    assert {each.record for each in access.visible(person, TicketRecord)} == {here}
    assert {run.subject for run in access.visible(person, Run)} == {here, tickets["Here"], None}
    parts = access.visible(person, RunStep).values_list("run", flat=True).distinct()
    assert set(parts) == {runs[each].pk for each in (here, tickets["Here"], None)}
    last = {name: explain(person, "view", tickets[name]).steps[-1].sentence for name in ("Here", "There")}
    hold = "These roles of Pia hold in Europe only;"
    assert last == {
        "Here": f"{hold} {tickets['Here']} is about records there, or about none that is in a territory.",
        "There": f"{hold} {tickets['There']} is about records that are elsewhere or in no territory.",
    }
    now = rights_on(clock.now(), person)
    said = {name: could(now, "view", each).allowed for name, each in tickets.items()}
    assert said == {"Here": True, "There": False, "Both": True, "None": True}
    past = could(now, "view", tickets["There"])
    assert past.steps[-1].sentence == f"These roles held in Europe only; {tickets['There']} was in APAC."


def test_an_approver_limited_to_a_territory_decides_and_is_told_there_alone(boss, europe):
    near, far = limited(Role.APPROVER, europe, boss), person_with(Role.APPROVER)
    here, there = CampaignFactory(name="Here", region="DACH"), CampaignFactory(name="There", region="APAC")
    assert set(kept_out_among(here, [near.pk, far.pk])) == set()
    assert kept_out_among(there, [near.pk, far.pk]) == {
        near.pk: f"The roles of {near} hold in Europe only, and There is elsewhere or in no territory."
    }


def test_a_write_that_leaves_the_territory_is_rolled_back(boss, europe):
    lead = LeadFactory(name="Lea", territory="DACH")
    client = sign_in(Client(), limited(Role.OPS, europe, boss))
    form = client.get(page_of(lead)).context["adminform"].form
    data = {name: "" if form[name].value() is None else form[name].value() for name in form.fields}
    page = client.post(page_of(lead), data | {"territory": "Nordics"}, follow=True).content.decode()
    assert (
        "Nothing was saved: with these values Lea would be outside the leads that you may change. Keep it in Europe"
        in page
    )
    assert Lead.objects.get(pk=lead.pk).territory == "DACH"


def test_an_import_writes_no_row_outside_the_territory(boss, europe):
    person = limited(Role.OPS, europe, boss)
    Company.objects.create(domain="in.example.com", name="In", territory="DACH")
    text = "Domain,Name,Territory\nin.example.com,In,Nordics\nnew.example.com,New,Nordics\nours.example.com,Ours,DACH\n"
    batch = import_text("leads.companies", text, by=person)
    refused = [each.reason for each in batch.outcomes.filter(kind="refused").order_by("line")]
    assert len(refused) == 2
    assert all(
        each.startswith("Nothing was saved: with these values") and "Keep it in Europe" in each for each in refused
    )
    assert dict(Company.objects.values_list("name", "territory")) == {"In": "DACH", "Ours": "DACH"}


def test_what_may_be_the_same_is_told_without_its_name_to_who_does_not_see_it(boss, europe):
    there = CampaignFactory(name="Spring webinar on reporting", region="Nordics")
    asked = CampaignRequest(title="Spring webinar on reporting", main_channel=there.main_channel)
    person = limited(Role.OPS, europe, boss)
    assert [str(each.thing) for each in twins_of(asked, reader=boss)] == [there.name]
    assert [str(each.thing) for each in twins_of(asked, reader=person)] == ["a campaign elsewhere"]


def test_a_person_without_limits_costs_no_query_more(europe, boss):
    LeadFactory(territory="DACH")
    counts = {}
    for name, person in (("free", person_with(Role.OPS)), ("limited", limited(Role.OPS, europe, boss))):
        client = sign_in(Client(), person)
        client.get(reverse("admin:leads_lead_changelist"))
        with CaptureQueriesContext(connection) as asked:
            client.get(reverse("admin:leads_lead_changelist"))
        counts[name] = len(asked)
        about = [each["sql"] for each in asked if "accounts_territory" in each["sql"] and "SELECT" in each["sql"]]
        counts[f"{name} about territories"] = len(about)
    assert counts["free about territories"] == 0
    assert counts["limited"] - counts["free"] <= 12  # some for each kind that the page asks about, none for each row


def test_explain_names_the_limit_and_where_the_record_is(boss, europe):
    person = limited(Role.OPS, europe, boss, full_name="Pia")
    team = person.memberships.get().team
    inside, outside = LeadFactory(name="Ina", territory="DACH"), LeadFactory(name="Olaf", territory="Nordics")
    nowhere = LeadFactory(name="Nina")
    day = f"{person.memberships.get().created_at:%-d %B %Y}"
    first = f"Pia is Ops staff in {team} since {day}, granted by {boss.email}, for Europe only."
    right = "The role Ops staff gives the right to see leads."
    told = [
        [(each.holds, each.sentence) for each in explain(person, "view", x).steps] for x in (inside, outside, nowhere)
    ]
    scope = "Leads are narrowed for each person to those in their scope; Ina is among them."
    hold = "These roles of Pia hold in Europe only;"
    assert told == [
        [(True, first), (True, right), (True, scope), (True, f"{hold} Ina is in DACH.")],
        [(True, first), (True, right), (False, f"{hold} Olaf is in Nordics.")],
        [(True, first), (True, right), (False, f"{hold} Nina is in no territory.")],
    ]


def test_then_answers_with_the_limit_of_that_day(boss, europe):
    person = limited(Role.OPS, europe, boss, full_name="Pia")
    lead, company = LeadFactory(name="Olaf", territory="Nordics"), Company.objects.create(name="Inc", territory="DACH")
    value = FieldValue.objects.create(
        lead=lead, field="job_title", value="CMO", source="crm", precedence=1, observed_at=clock.now(), is_taken=True
    )
    before = clock.now()
    held = person.memberships.get()
    limit_role(held, territory=None, by=boss, reason="All of it")
    then = rights_on(before, person)
    assert [each.where for each in then.roles] == ["Europe"]
    no = could(then, "view", lead)
    assert (no.allowed, no.steps[-1].sentence) == (False, "These roles held in Europe only; Olaf was in Nordics.")
    yes = could(then, "view", company)
    assert (yes.allowed, yes.steps[-1].sentence) == (True, "These roles held in Europe only; Inc was in DACH.")
    assert could(rights_on(clock.now(), person), "view", lead).allowed
    assert value.lead_id == lead.pk


def test_the_review_says_where_a_role_holds(boss, europe):
    person = limited(Role.SALES, europe, boss)
    found = [each.what for each in effective_grants() if each.membership and each.person.pk == person.pk]
    assert found == [f"Sales in {person.memberships.get().team}, for Europe only"]


def test_refusals(boss, europe):
    person = limited(Role.OPS, europe, boss)
    held = person.memberships.get()
    with pytest.raises(NotAllowed, match="Only an administrator can do this"):
        limit_role(held, territory=None, by=person_with(Role.OPS), reason="x")
    with pytest.raises(WrongState, match="holds in Europe only already"):
        limit_role(held, territory=europe, by=boss, reason="x")
    with pytest.raises(InvalidInput, match="Auditor is a role for the whole of mops"):
        grant_role(UserFactory(), TeamFactory(), Role.AUDITOR, by=boss, territory=europe)
    own = boss.memberships.get()
    with pytest.raises(NotAllowed, match="Nobody changes their own roles"):
        limit_role(own, territory=europe, by=boss, reason="x")
    with pytest.raises(WrongState, match="One role is limited to Europe"):
        archive_territory(europe, by=boss)
    limit_role(held, territory=None, by=boss, reason="x")
    with pytest.raises(WrongState, match="DACH is part of Europe"):
        archive_territory(europe, by=boss)
    dach = Territory.objects.get(name="DACH")
    archive_territory(dach, by=boss)
    with pytest.raises(InvalidInput, match="DACH is archived; restore it first"):
        limit_role(held, territory=Territory.objects.get(name="DACH"), by=boss, reason="x")
    held.archived_at = clock.now()
    held.save()
    with pytest.raises(WrongState, match="This role has been revoked"):
        limit_role(held, territory=europe, by=boss, reason="x")


def test_an_archived_territory_still_limits(boss, europe):
    person = limited(Role.OPS, europe, boss)
    LeadFactory(territory="Nordics")
    Territory.objects.update(archived_at=clock.now() - dt.timedelta(days=1))
    assert seen(person) == set()


def test_the_tree_takes_no_circle_and_no_name_twice(europe):
    dach = Territory.objects.get(name="DACH")
    with pytest.raises(ValidationError, match="that would be a circle"):
        Territory(pk=europe.pk, name="Europe", parent=dach).clean()
    with pytest.raises(ValidationError, match="“germany” is a name of the territory DACH already"):
        Territory(name="Germany").clean()
    archive_territory(dach, by=administrator())
    with pytest.raises(ValidationError, match="“germany” is a name of the territory DACH already"):
        Territory(name="Germany").clean()


def test_the_database_refuses_a_limited_administrator(boss, europe):
    with pytest.raises(IntegrityError, match="membership_whole_where_privileged"), transaction.atomic():
        Membership.objects.filter(person=boss).update(territory=europe)


def test_a_circle_made_past_the_form_ends(boss, europe):
    dach = Territory.objects.get(name="DACH")
    Territory.objects.filter(pk=europe.pk).update(parent=dach)
    LeadFactory(name="Ina", territory="Europe")
    assert seen(limited(Role.OPS, dach, boss)) == {"Ina"}


def test_names_without_a_territory_are_told(boss, europe):
    LeadFactory(territory="APAC")
    LeadFactory(territory="APAC")
    LeadFactory(territory="d-a-ch")
    CampaignFactory(region="Moon")
    found = [(each.kind, each.name, each.number) for each in unknown_names(boss)]
    assert found == [("leads", "APAC", 2), ("campaigns", "Moon", 1)]


def test_list_asks_as_much_with_three_territories_as_with_one(boss):
    top = Territory.objects.create(name="T")

    def more():
        for name in ("A", "B"):
            Territory.objects.create(name=name, parent=top)

    assert_same_queries(sign_in(Client(), boss), reverse("admin:accounts_territory_changelist"), more)


def test_a_role_granted_past_the_operations_is_limited_as_well(boss, europe):
    person = UserFactory()
    Membership.objects.create(person=person, team=TeamFactory(), role=Role.OPS, territory=europe)
    synchronise_groups_of(person)
    LeadFactory(territory="Nordics")
    assert seen(person) == set()


def test_what_is_asked_for_and_accepted_is_read_back_through_the_territory(boss, europe):
    ops = limited(Role.OPS, europe, boss)
    given = {"title": "Letter", "kind": "email", "main_channel": "email", "brief": "Tell them."}
    said = "Nothing was saved: with these values Letter would be outside the content that you may add. Keep it in Eur"
    with pytest.raises(NotAllowed, match=said):
        ask_for_content(by=ops, **given)
    assert ask_for_content(by=ops, region="dach", **given).region == "dach"
    assert [region_named(each) for each in ("Germany", " dach", "Mars", "", "UK")] == [
        *("dach", "dach", "global", "global", "uk")
    ]
    wish = {"objective": "x", "audience": "y", "success_metrics": "z", "budget": 1, "currency": "EUR"}
    wish |= {"starts_on": dt.date(2099, 1, 1), "ends_on": dt.date(2099, 1, 2), "main_channel": "email"}
    asker, here = UserFactory(), {}
    for region in ("Germany", "Nordics"):
        here[region] = ask_for_campaign(by=asker, values={**wish, "title": f"Fair in {region}", "region": region})
    assert "became the campaign" in accept_request(here["Germany"], by=ops)
    with pytest.raises(NotAllowed, match="You may not decide about requests"):
        accept_request(here["Nordics"], by=ops)
    # somebody who may look every request through, but adds campaigns in one market alone
    scout = limited(Role.OPS, europe, boss)
    scout.user_permissions.add(
        *Permission.objects.filter(codename__in=("view_campaignrequest", "change_campaignrequest"))
    )
    with pytest.raises(NotAllowed, match="Fair in Nordics would be outside the campaigns that you may add"):
        accept_request(here["Nordics"], by=fresh(scout))
    assert list(Campaign.objects.values_list("name", flat=True)) == ["Fair in Germany"]


@pytest.mark.parametrize(("model", "index"), [(Lead, "lead_by_territory"), (Company, "company_by_territory")])
def test_a_limit_reads_an_index_and_no_whole_table(boss, europe, model, index):
    rows = access.visible(limited(Role.OPS, europe, boss), model)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")  # of few rows it would be cheaper
        assert index in rows.order_by().explain()  # in the order of keys, the keys of few rows would do
