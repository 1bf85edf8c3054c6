"""The ledger in words, and what changed lately for each person."""

import pytest
from django.urls import reverse

from apps.accounts.enums import Role
from apps.audit.admin.ledger import news_panel
from apps.audit.domain.news import news_for
from apps.audit.domain.reading import changed_fields, changes_of, kinds
from apps.audit.kinds import kind_of
from apps.audit.models import AuditEvent
from apps.core.actors import acting_as
from apps.leads.models import Lead
from apps.processes.models import SOPVersion
from apps.technology.domain.lifecycle import move_tool
from apps.technology.enums import Lifecycle
from apps.technology.models import Tool
from tests.admin_pages import assert_same_queries, list_of, page_of
from tests.factories.accounts import TeamFactory, person_with
from tests.factories.leads import LeadFactory
from tests.factories.processes import draft
from tests.factories.technology import ToolFactory

pytestmark = pytest.mark.django_db
LEDGER = list_of(AuditEvent)


@pytest.fixture
def auditor(client):
    person = person_with(Role.AUDITOR)
    client.force_login(person)
    return person


@pytest.mark.parametrize(
    ("table", "kind"),
    [
        ("technology_tool", "Tool"),
        ("processes_sopversion", "SOP version"),
        ("accounts_user_groups", "Person: group"),
        ("gone_table", "gone table"),
    ],
)
def test_kinds_have_the_names_people_use(table, kind):
    assert kind_of(table) == kind


def test_kinds_on_offer_are_those_with_entries():
    ToolFactory()
    offered = dict(kinds())
    assert offered["technology_tool"] == "Tool"
    assert "campaigns_campaign" not in offered


def test_changes_are_told_in_labels_and_names(auditor):
    team = TeamFactory(name="Content")
    tool = ToolFactory(name="CMS")
    tool.owner_team, tool.data_classification, tool.business_owner_names = team, "red", ["Ann", "Ben"]
    tool.save()
    event = AuditEvent.objects.of_object(tool).first()
    told = {change.label: (change.before, change.after) for change in changes_of(event, auditor)}
    assert told == {
        "Owner (team)": ("—", "Content"),
        "Data classification": ("Unknown", "Red · restricted"),
        "Business owners": ("—", "Ann, Ben"),
    }
    assert changed_fields(event) == "Business owners, Data classification, Owner (team)"


def test_entry_page_tells_what_changed_and_leads_to_the_record(client, auditor):
    tool, person = ToolFactory(name="CMS"), person_with(Role.OPS)
    move_tool(tool, to=Lifecycle.EVALUATING, by=person, reason="two vendors")
    page = client.get(page_of(AuditEvent.objects.of_object(tool).first())).content.decode()
    for shown in ("Lifecycle", "Proposed", "Evaluating", "two vendors", str(person), page_of(tool), "this entry"):
        assert shown in page
    assert "technology_tool<" not in page


def test_long_texts_are_compared_line_by_line(client, auditor):
    version = draft(body="one\ntwo")
    with acting_as(person_with(Role.OPS)):
        version.body = "one\nthree"
        version.save()
    page = client.get(page_of(AuditEvent.objects.of_object(version).first())).content.decode()
    assert "added: </span><span>three</span>" in page


def test_list_names_records_as_they_are_called_today(client, auditor):
    version = draft()
    page = client.get(LEDGER).content.decode()
    assert str(SOPVersion.objects.select_related("process").get(pk=version.pk)) in page


def test_filters_narrow_by_person_kind_door_and_record(client, auditor):
    ann = person_with(Role.OPS, full_name="Ann Ledger")
    with acting_as(ann):
        tool = ToolFactory(name="Anns tool")
    ToolFactory(name="Others tool")
    LeadFactory(name="A lead")
    for query, shown, hidden in (
        (f"?actor__id__exact={ann.pk}", "Anns tool", "Others tool"),
        ("?table_name=leads_lead", "A lead", "Anns tool"),
        (f"?table_name=technology_tool&object_id={tool.pk}", "Anns tool", "Others tool"),
        ("?channel__exact=shell&q=Anns", "Anns tool", "A lead"),
    ):
        page = client.get(LEDGER + query).content.decode()
        assert shown in page, query
        assert hidden not in page, query


def test_list_costs_the_same_at_one_and_three_rows(client, auditor):
    ToolFactory(owner_team=TeamFactory())
    page = f"{LEDGER}?table_name=technology_tool"
    assert assert_same_queries(client, page, lambda: [ToolFactory() for _ in range(2)]) <= 20


def test_news_are_what_the_person_may_see():
    seller, other = person_with(Role.SALES), person_with(Role.SALES)
    with acting_as(person_with(Role.OPS)):
        mine = LeadFactory(name="Mine", owner_person=seller)
        LeadFactory(name="Theirs", owner_person=other)
        ToolFactory()
    assert [line.thing for line in news_for(seller, [Lead, Tool])] == [mine]


def test_a_mass_change_is_one_line_and_hides_nothing_behind_it():
    ops = person_with(Role.OPS)
    with acting_as(ops):
        tool = ToolFactory(name="Behind")
        Lead.objects.bulk_create([Lead(name=f"L{n}") for n in range(450)])
    lines = news_for(ops, [Lead, Tool])
    assert [(line.number, line.is_more, line.thing) for line in lines] == [(200, True, None), (1, False, tool)]


def test_home_shows_the_news_in_few_questions(client, django_assert_max_num_queries):
    ops = person_with(Role.OPS)
    with acting_as(person_with(Role.OPS, full_name="Ann News")):
        ToolFactory(name="New tool")
    client.force_login(ops)
    client.get("/admin/")
    with django_assert_max_num_queries(28):
        page = client.get("/admin/").content.decode()
    assert "New tool</a>" in page
    assert "created by Ann News" in page


def test_nobody_gets_an_empty_box(rf):
    request = rf.get("/")
    request.user = person_with(Role.SALES)
    assert news_panel(request) is None


def test_sales_and_ops_have_no_ledger(client):
    for role in (Role.SALES, Role.OPS, Role.APPROVER, Role.EXECUTIVE):
        client.force_login(person_with(role))
        assert client.get(LEDGER).status_code == 403
    assert reverse("admin:audit_auditevent_changelist") not in client.get("/admin/").content.decode()
