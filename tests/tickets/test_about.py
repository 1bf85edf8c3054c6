"""What a ticket is about: found by name or address among what one may see, shown by right, taken back."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.accounts.enums import Role
from apps.core import access, clock
from apps.core.admin_kit.links import url_of
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.leads.models import Lead
from apps.processes.domain.running import start_run
from apps.processes.enums import StakeholderAccess
from apps.tickets.domain import linking, moves
from apps.tickets.domain.about import link_record, seen, unlink
from apps.tickets.models import Ticket, TicketRecord
from apps.tickets.subjects import SUBJECTS
from tests.factories.accounts import person_with, sign_in
from tests.factories.campaigns import planned
from tests.factories.leads import LeadFactory
from tests.factories.processes import ProcessFactory, effective, steps
from tests.factories.technology import ToolFactory
from tests.factories.tickets import agent, ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def ops():
    return agent(full_name="Olga Ops")


def refused(made, by, kind, words, exception=InvalidInput):
    with pytest.raises(exception) as caught:
        link_record(made, by=by, kind=kind, words=words)
    return caught.value.message


def test_records_are_found_by_name_by_a_part_of_it_and_by_address(ops):
    made, campaign = ticket(), planned(name="Spring tour")
    planned(name="Spring tour, second round")
    tool = ToolFactory(name="Form builder")
    process = ProcessFactory(title="Launch a form")
    assert link_record(made, by=ops, kind="campaigns.campaign", words=" spring  TOUR ") == (
        f"{made.ref} is about Spring tour."
    )
    link_record(made, by=ops, kind="technology.tool", words="builder")
    link_record(made, by=ops, kind="processes.process", words=f"https://x/admin/processes/process/{process.pk}/change/")
    about = {each.record for each in TicketRecord.objects.filter(ticket=made)}
    assert about == {campaign, tool, process}


def test_what_fits_nothing_or_too_much_is_refused_in_words(ops):
    made = ticket()
    for number in range(7):
        planned(name=f"Autumn {number}")
    kind = "campaigns.campaign"
    assert refused(made, ops, kind, "") == "Write the name of the campaign."
    assert refused(made, ops, "auth.user", "x") == "Choose what kind of record it is."
    assert refused(made, ops, kind, "Nowhere") == (
        "You see no campaign called “Nowhere”; look it up in its list and take its name."
    )
    assert refused(made, ops, kind, "autumn") == (
        "More than one campaign fits “autumn”: Autumn 0, Autumn 1, Autumn 2, Autumn 3, Autumn 4 and more. "
        "Write the whole name."
    )
    link_record(made, by=ops, kind=kind, words="Autumn 3")
    assert refused(made, ops, kind, "Autumn 3") == f"{made.ref} is about Autumn 3 already."
    # the address of something else, and one that is made up
    assert "You see no campaign" in refused(made, ops, kind, "/admin/technology/tool/1/change/")
    assert "You see no campaign" in refused(made, ops, kind, "/admin/no/where/1/change/")


def test_only_the_desk_links_and_only_what_it_may_see(ops):
    made, hidden = ticket(), ProcessFactory(title="Secret", stakeholder_access=StakeholderAccess.STAKEHOLDERS)
    reader = person_with(Role.AUDITOR)
    words = f"You may not work on {made.ref}; only the people of the desk do."
    assert refused(made, reader, "campaigns.campaign", "x", NotAllowed) == words
    linking.add_record(made, by=hidden_owner(hidden), thing=hidden)
    kind = "processes.process"
    stranger = person_with(Role.OPS)
    if not stranger.has_perm("processes.oversee_process"):
        assert "You see no process" in refused(made, stranger, kind, "Secret")
        pairs = [(each.content_type_id, each.object_id) for each in made.records.all()]
        assert seen(stranger, pairs) == {}


def hidden_owner(process):
    """Somebody of the desk who sees everything."""
    person = person_with(Role.OPS)
    person.is_superuser = True
    person.save()
    return person


def test_every_kind_has_a_name_and_is_seen_in_one_question(ops, django_assert_num_queries):
    made, boss = ticket(), hidden_owner(None)
    things = [planned(), ToolFactory(), ProcessFactory(), Lead.objects.create(email="lead@example.org")]
    for thing in things:
        linking.add_record(made, by=boss, thing=thing)
    assert {each.name for each in SUBJECTS.values()} >= {"campaign", "lead", "tool", "process"}
    pairs = [(each.content_type_id, each.object_id) for each in made.records.all()]
    seen(boss, pairs)
    with django_assert_num_queries(1):
        found = seen(boss, pairs)
    assert {str(each) for each in found.values()} == {str(each) for each in things}


def test_links_are_taken_back_on_the_page(client, ops):
    made, other, campaign = ticket(), ticket(title="The other one"), planned(name="Spring tour")
    link_record(made, by=ops, kind="campaigns.campaign", words="Spring tour")
    linking.link_tickets(made, by=ops, other=other)
    sign_in(client, ops)
    page = reverse("admin:tickets_ticket_change", args=(made.pk,))
    shown = client.get(page).content.decode()
    assert "Spring tour" in shown
    record, link = made.records.get(), made.links.get()
    for kind, row in (("record", record), ("link", link)):
        address = reverse("admin:tickets_ticket_unlink", args=(made.pk, kind, row.pk))
        assert client.get(address).status_code == 405
        client.post(address)
        row.refresh_from_db()
        assert row.is_archived
        assert "That is not linked any more." in client.post(address, follow=True).content.decode()
    shown = client.get(page).content.decode()
    assert "is about the campaign" not in shown
    assert "Taken back." in shown
    # what was taken back can be said again
    link_record(made, by=ops, kind="campaigns.campaign", words=campaign.name)
    with pytest.raises(NotAllowed):
        unlink(made, by=person_with(Role.AUDITOR), kind="record", key=made.records.live().get().pk)


def test_the_button_links_by_name(client, ops):
    made = ticket()
    planned(name="Spring tour")
    sign_in(client, ops)
    address = reverse("admin:tickets_ticket_button", args=(made.pk, "about"))
    assert "What it is about" in client.get(address).content.decode()
    said = client.post(address, {"kind": "campaigns.campaign", "words": "spring"}, follow=True).content.decode()
    assert f"{made.ref} is about Spring tour." in said
    made.archived_at = clock.now()
    made.save()
    assert (
        refused(made, ops, "campaigns.campaign", "spring", WrongState) == f"{made.ref} is archived; restore it first."
    )


def run():
    return start_run(effective(flow=steps("Do it")).process, by=hidden_owner(None))


@pytest.mark.parametrize("make", [planned, ToolFactory, ProcessFactory, LeadFactory, run])
def test_the_page_of_a_record_lists_its_tickets_in_one_question(client, make):
    boss, thing = hidden_owner(None), make()
    sign_in(client, boss)

    def said(address):
        with CaptureQueriesContext(connection) as asked:
            shown = client.get(address).content.decode()
        about = [each["sql"] for each in asked if 'JOIN "tickets_ticketrecord"' in each["sql"]]
        return shown[shown.index('id="kit-tickets"') :], len(asked), len(about)

    page = url_of(thing)
    client.get(page)
    shown, empty, about = said(page)
    assert "No ticket is about this" in shown
    assert about == 1
    for number in range(12):
        linking.add_record(ticket(title=f"Trouble {number}"), by=boss, thing=thing)
    made, done = ticket(title="Taken back"), Ticket.objects.get(title="Trouble 11")
    linking.add_record(made, by=boss, thing=thing)
    unlink(made, by=boss, kind="record", key=made.records.get().pk)
    moves.resolve(done, by=boss, resolution="solved")
    shown, full, about = said(page)
    assert (full, about) == (empty, 1)
    assert "Trouble 10" in shown
    assert "and 2 more" in shown
    assert "Trouble 11" not in shown  # what is done comes last
    assert "Taken back" not in shown


def test_who_sees_no_tickets_is_not_told_of_them(client, ops):
    campaign = planned(name="Spring tour")
    link_record(ticket(title="Trouble"), by=ops, kind="campaigns.campaign", words="Spring tour")
    for role, told in ((Role.AUDITOR, True), (Role.SALES, False)):
        person = person_with(role)
        assert access.has_model_permission(person, "view", Ticket) is told
        sign_in(client, person)
        answer = client.get(url_of(campaign))
        assert ("Trouble" in answer.content.decode()) is told, answer.status_code
