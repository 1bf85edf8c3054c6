"""What flows between tools: integrations, their health, the dictionary, systems of record and the map."""

import datetime as dt
import json
import re
import xml.etree.ElementTree as ET

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.accounts.enums import Role
from apps.approvals.domain.decisions import approve, reject
from apps.approvals.domain.policies import ensure_default_policies
from apps.approvals.models import ApprovalRequest
from apps.core import clock
from apps.core.admin_kit.refusals import sentence_of
from apps.core.alerts.models import Alert
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.core.transitions import transition
from apps.technology.domain import dictionary, integrations
from apps.technology.domain.flow_files import graphml_of, mermaid_of, page_facts, svg_of
from apps.technology.domain.flow_map import Edge, Node, flow_map, lay_out
from apps.technology.domain.lifecycle import move_tool, refuse_move
from apps.technology.domain.records import conflicts
from apps.technology.enums import FlowHealth, IntegrationState, Lifecycle
from apps.technology.models import (
    DataDefinition,
    DataEntity,
    DataField,
    DataFlow,
    Integration,
    SystemOfRecord,
    Tool,
    Transfer,
)
from tests.admin_pages import assert_same_queries, button_of, list_of, page_of
from tests.factories import technology as make
from tests.factories.accounts import person_with

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
LIVE, PAUSED, ENDED = IntegrationState.LIVE, IntegrationState.PAUSED, IntegrationState.ENDED


@pytest.fixture
def ops():
    return person_with(Role.OPS)


def refused(statement, error=DatabaseError):
    with pytest.raises(error) as caught, transaction.atomic():
        statement()
    return sentence_of(caught.value)


def test_no_tool_exchanges_with_itself(ops, client):
    tool = make.ToolFactory(active=True)
    said = refused(lambda: make.IntegrationFactory(source=tool, target=tool), IntegrityError)
    assert said == "A tool does not exchange data with itself; choose another source or target."
    client.force_login(ops)
    form = {"name": "Round", "source": tool.pk, "target": tool.pk, "direction": "both", "method": "api"}
    page = client.post(list_of(Integration) + "add/", {**form, "frequency": "daily", "auth": "oauth"})
    assert "A tool does not exchange data with itself" in page.content.decode()


def test_a_secret_is_not_written_down(ops, client):
    client.force_login(ops)
    source, target = make.ToolFactory(active=True), make.ToolFactory(active=True)
    form = {"name": "Sync", "source": source.pk, "target": target.pk, "direction": "both", "method": "api"}
    form |= {"frequency": "daily", "auth": "api_key", "secret_kept_in": "api_key=abcdef1234567890abcdef"}
    assert "This looks like a secret" in client.post(list_of(Integration) + "add/", form).content.decode()
    assert not Integration.objects.exists()


def test_going_live_needs_content_an_owner_and_two_living_tools(ops):
    bare = make.IntegrationFactory(owner_person=ops, flowing=False)
    with pytest.raises(WrongState, match="It says nothing about what it carries"):
        integrations.move_integration(bare, to=LIVE, by=ops)
    unowned = make.IntegrationFactory()
    make.DataFlowFactory(integration=unowned)
    with pytest.raises(WrongState, match="Nobody answers for it"):
        integrations.move_integration(unowned, to=LIVE, by=ops)
    with pytest.raises(NotAllowed, match="You may not change integrations"):
        integrations.move_integration(unowned, to=LIVE, by=person_with(Role.AUDITOR))
    gone = make.IntegrationFactory(owner_person=ops, target=make.ToolFactory(name="Old"))
    make.DataFlowFactory(integration=gone)
    move_tool(gone.target, to=Lifecycle.RETIRED, by=ops)
    with pytest.raises(WrongState, match="Old is retired; data cannot flow over it"):
        integrations.move_integration(gone, to=LIVE, by=ops)

    def force():
        with transition(Integration):
            Integration.objects.filter(pk=gone.pk).update(state="live")

    assert refused(force).startswith("A live integration needs two tools that are not retired")
    by_hand = Integration.objects.filter(pk=bare.pk)
    assert refused(lambda: by_hand.update(state="live")).startswith("An integration goes live, pauses and ends by")


def test_its_states_follow_each_other(ops):
    found = make.IntegrationFactory(live=True, owner_person=ops)
    for state in (PAUSED, LIVE, ENDED):
        integrations.move_integration(found, to=state, by=ops, reason="So")
    with pytest.raises(WrongState, match="The integration is ended; it cannot be live from there"):
        integrations.move_integration(found, to=LIVE, by=ops)


def test_a_tool_with_live_flows_or_records_is_not_retired(ops):
    tool = make.ToolFactory(name="CRM", lifecycle=Lifecycle.SUNSETTING)
    found = make.IntegrationFactory(source=tool, live=True, owner_person=ops)
    record = make.SystemOfRecordFactory(tool=tool)
    assert refuse_move(ops, tool, to=Lifecycle.RETIRED) == (
        "CRM cannot be retired: it still has 1 live integration and the record of 1 kind of data. End them first."
    )

    def force():
        with transition(Tool):
            Tool.objects.filter(pk=tool.pk).update(lifecycle="retired")

    assert refused(force).startswith("This tool cannot be retired: data still flows over it.")
    integrations.move_integration(found, to=ENDED, by=ops)
    assert refused(force).startswith("This tool cannot be retired: it is the system of record")
    record.archived_at = clock.now()
    record.save()
    move_tool(tool, to=Lifecycle.RETIRED, by=ops)
    said = refused(lambda: make.SystemOfRecordFactory(tool=tool))
    assert said == "A retired tool is no system of record; choose one in use."


@pytest.mark.parametrize(
    ("state", "ago", "ok", "health"),
    [
        ("live", None, None, FlowHealth.UNKNOWN),
        ("paused", dt.timedelta(minutes=1), True, FlowHealth.UNKNOWN),
        ("live", dt.timedelta(minutes=120), True, FlowHealth.GOOD),
        ("live", dt.timedelta(minutes=121), True, FlowHealth.LATE),
        ("live", dt.timedelta(minutes=1), False, FlowHealth.FAILING),
    ],
)
def test_health_of_an_hourly_integration(state, ago, ok, health):
    at = NOW - ago if ago else None
    assert integrations.health_of("hourly", state, at, ok, now=NOW) == health
    if health == FlowHealth.LATE:
        assert integrations.health_of("on_demand", state, at, ok, now=NOW) == FlowHealth.GOOD


def test_a_failure_raises_one_alert_and_the_next_success_resolves_it(ops):
    found = make.IntegrationFactory(live=True, owner_person=ops, name="Sync")
    for _ in range(2):
        integrations.record_transfer(found, by=ops, ok=False, note="token=abcdef1234567890 expired")
    alert = Alert.objects.get()
    assert alert.title == "The integration “Sync” failed."
    assert "abcdef1234567890" not in Transfer.objects.first().note
    assert [str(each.thing) for each in integrations.troubled_integrations(ops, clock.today())] == ["Sync"]
    integrations.record_transfer(found, by=ops, ok=True, records=12)
    alert.refresh_from_db()
    assert alert.state == "resolved"
    assert integrations.troubled_integrations(ops, clock.today()) == []
    with pytest.raises(DatabaseError), transaction.atomic():
        Transfer.objects.update(ok=False)
    with pytest.raises(InvalidInput, match="has not happened yet"):
        integrations.record_transfer(found, by=ops, ok=True, at=clock.now() + dt.timedelta(days=1))
    with pytest.raises(NotAllowed, match="You may not record transfers"):
        integrations.record_transfer(found, by=person_with(Role.AUDITOR), ok=True)
    with pytest.raises(WrongState, match="nothing goes over it"):
        integrations.record_transfer(make.IntegrationFactory(), by=ops, ok=True)


def test_a_definition_counts_once_somebody_else_approved_it(ops):
    ensure_default_policies()
    approver = person_with(Role.APPROVER)
    first = make.DataDefinitionFactory(text="A person with consent.")
    with pytest.raises(NotAllowed, match="You may not change definitions"):
        dictionary.submit_definition(first, by=person_with(Role.AUDITOR))
    dictionary.submit_definition(first, by=ops)
    request = ApprovalRequest.objects.get()
    reject(request, by=approver, reason="Which consent?")
    first.refresh_from_db()
    assert first.state == "refused"
    dictionary.submit_definition(first, by=ops)
    approve(ApprovalRequest.objects.latest("pk"), by=approver)
    first.refresh_from_db()
    assert first.state == "approved"
    with pytest.raises(WrongState, match="there is nothing to send"):
        dictionary.submit_definition(first, by=ops)
    dictionary.next_definition(first, by=ops)
    with pytest.raises(WrongState, match="There is an open version of this definition"):
        dictionary.next_definition(first, by=ops)
    second = DataDefinition.objects.get(number=2)
    dictionary.submit_definition(second, by=ops)
    approve(ApprovalRequest.objects.latest("pk"), by=approver)
    assert list(DataDefinition.objects.order_by("number").values_list("state", flat=True)) == ["revoked", "approved"]
    by_hand = DataDefinition.objects.filter(pk=first.pk)
    assert refused(lambda: by_hand.update(state="approved")).startswith("A definition is approved by somebody else")


def test_one_system_of_record_per_entity_and_field(ops):
    entity = make.DataEntityFactory()
    field, other = make.DataFieldFactory(entity=entity), make.DataFieldFactory()
    make.SystemOfRecordFactory(entity=entity)
    make.SystemOfRecordFactory(entity=entity, field=field)
    for again in ({}, {"field": field}):
        said = refused(lambda again=again: make.SystemOfRecordFactory(entity=entity, **again), IntegrityError)
        assert said == "There is a system of record for this already; there can be only one."
    said = refused(lambda: make.SystemOfRecordFactory(entity=entity, field=other))
    assert said == "This field belongs to another entity."


def world():
    """CRM is the record of contacts, the hub of their consent; a form and an event tool write, too."""
    crm, hub, form = (make.ToolFactory(active=True, name=name) for name in ("CRM", "Hub", "Form"))
    contact = make.DataEntityFactory(name="Contact")
    consent, mail = (make.DataFieldFactory(entity=contact, name=name) for name in ("Consent", "E-mail"))
    make.SystemOfRecordFactory(entity=contact, tool=crm)
    make.SystemOfRecordFactory(entity=contact, field=consent, tool=hub)
    return crm, hub, form, contact, consent, mail


def test_conflicts_name_what_writes_a_field_of_record():
    crm, hub, form, contact, consent, mail = world()
    both = make.IntegrationFactory(name="Both ways", source=crm, target=hub, direction="both", live=True, flowing=False)
    make.DataFlowFactory(integration=both, entity=contact)
    web = make.IntegrationFactory(name="Web form", source=form, target=hub, live=True, flowing=False)
    make.DataFlowFactory(integration=web, entity=contact).fields.add(mail)
    found = [(each.integration, each.field, each.overwrites) for each in conflicts()]
    assert found == [
        ("Both ways", "Consent", True),
        ("Both ways", "E-mail", True),
        ("Web form", "E-mail", False),
    ]
    assert conflicts()[0].words == "CRM writes Contact.Consent into Hub, which is its system of record."
    assert conflicts()[2].words == "Hub gets Contact.E-mail from Form, not from CRM, its system of record."
    with transition(Integration):
        Integration.objects.update(state="ended")
    assert conflicts() == []
    assert consent.entity == contact


def test_an_entity_without_fields_has_conflicts_too():
    crm, hub = make.ToolFactory(active=True, name="CRM"), make.ToolFactory(active=True, name="Hub")
    entity = make.DataEntityFactory(name="Deal")
    make.SystemOfRecordFactory(entity=entity, tool=crm)
    back = make.IntegrationFactory(source=hub, target=crm, live=True, flowing=False)
    make.DataFlowFactory(integration=back, entity=entity)
    assert [each.words for each in conflicts()] == ["Hub writes Deal into CRM, which is its system of record."]


def test_a_flow_names_fields_of_its_entity_alone(ops, client):
    client.force_login(ops)
    flow, foreign = make.DataFlowFactory(), make.DataFieldFactory()
    form = {"integration": flow.integration.pk, "entity": flow.entity.pk, "fields": [foreign.pk], "row_version": 1}
    page = client.post(page_of(flow), {**form, "opened_version": flow.row_version}).content.decode()
    assert "These belong to another entity" in page


def drawn_world(ops):
    crm, hub, form, contact, *_ = world()
    for name, source, target in (("In", form, hub), ("Over", hub, crm), ("Back", crm, hub)):
        found = make.IntegrationFactory(name=name, source=source, target=target, live=True, flowing=False)
        make.DataFlowFactory(integration=found, entity=contact)
    return flow_map(ops)


def test_the_map_stands_from_sources_to_sinks_even_in_a_circle(ops):
    drawn = drawn_world(ops)
    place = {node.name: node.x for node in drawn.nodes}
    assert place["Form"] < place["Hub"] < place["CRM"]
    assert len({(node.x, node.y) for node in drawn.nodes}) == 3
    assert {node.name: node.record_of for node in drawn.nodes}["CRM"] == ("Contact",)
    assert [edge.entities for edge in drawn.edges] == [("Contact",)] * 3
    assert drawn.entities == ["Contact"]


def test_a_long_chain_is_laid_out_without_recursion():
    nodes = [Node(number, f"T{number}", "", ()) for number in range(3000)]
    edges = [Edge(n, "e", n, n + 1, False, (), "good", "", "") for n in range(2999)]
    assert len({node.x for node in lay_out(nodes, edges)}) == 3000


def test_the_map_as_files_is_well_formed_and_escapes_everything(ops):
    evil = '<script>alert("x")</script> & "quotes" \x07'
    hub = make.ToolFactory(active=True, name=evil)
    found = make.IntegrationFactory(name=evil, source=hub, live=True, owner_person=ops, flowing=False)
    make.DataFlowFactory(integration=found, entity=make.DataEntityFactory(name=evil))
    drawn = flow_map(ops)
    for text in (svg_of(drawn, evil), graphml_of(drawn)):
        assert "<script>" not in text
        ET.fromstring(text)  # noqa: S314  # our own text
    graph = ET.fromstring(graphml_of(drawn))  # noqa: S314  # our own text
    namespace = "{http://graphml.graphdrawing.org/xmlns}"
    assert len(graph.findall(f".//{namespace}node")) == 2
    assert len(graph.findall(f".//{namespace}edge")) == 1
    mermaid = mermaid_of(drawn)
    assert mermaid.startswith("flowchart LR\n")
    assert "<script>" not in mermaid
    assert mermaid.count('"') % 2 == 0


def test_the_page_draws_from_facts_that_end_no_script(client, ops):
    evil = '</script><script>alert("x")</script> & more'
    found = make.IntegrationFactory(name=evil, live=True, owner_person=ops, flowing=False)
    make.DataFlowFactory(integration=found, entity=make.DataEntityFactory(name=evil))
    client.force_login(ops)
    text = client.get(reverse("technology-map")).content.decode()
    sent = re.search(r"<script type=\"application/json\" data-map-facts>(.*?)</script>", text, re.DOTALL)[1]
    assert json.loads(sent) == json.loads(json.dumps(page_facts(flow_map(ops))))
    assert evil not in text


def test_the_map_page_its_files_and_who_may_see_them(client, ops):
    drawn_world(ops)
    page, file = reverse("technology-map"), lambda kind: reverse("technology-map-file", args=(kind,))
    client.force_login(person_with(Role.SALES))
    for address in (page, file("svg"), reverse("technology-conflicts")):
        assert client.get(address).status_code == 403
    client.force_login(person_with(Role.AUDITOR))
    answer = client.get(page).content.decode()
    assert "data-map-facts" in answer
    facts = page_facts(flow_map(person_with(Role.AUDITOR)))
    assert [edge[1] for edge in facts["edges"]] == ["Back", "In", "Over"]
    assert [(edge[4], edge[5], edge[7], edge[9]) for edge in facts["edges"]] == [(0, "unknown", 0, [1])] * 3
    assert facts["entities"] == ["Contact"]
    for kind, media in (("svg", "image/svg+xml"), ("mmd", "text/plain"), ("graphml", "application/xml")):
        given = client.get(file(kind))
        assert given["Content-Type"].startswith(media)
        assert "attachment" in given["Content-Disposition"]
    assert client.get(file("exe")).status_code == 404
    assert "which is its system of record" in client.get(reverse("technology-conflicts")).content.decode()


def test_the_map_asks_as_much_for_three_as_for_thirty(client, ops):
    drawn_world(ops)
    client.force_login(ops)

    def many():
        for _ in range(10):
            make.DataFlowFactory(integration=make.IntegrationFactory(live=True, owner_person=ops, flowing=False))

    assert assert_same_queries(client, reverse("technology-map"), many) < 30
    with CaptureQueriesContext(connection) as asked:
        conflicts()
    assert len(asked) == 1


def test_an_empty_map_says_what_to_do_first(client, ops):
    client.force_login(ops)
    assert "No data flows yet" in client.get(reverse("technology-map")).content.decode()


@pytest.mark.parametrize(
    ("model", "factory"),
    [
        (Integration, lambda: make.IntegrationFactory(live=True)),
        (DataFlow, make.DataFlowFactory),
        (Transfer, make.TransferFactory),
        (DataEntity, make.DataEntityFactory),
        (DataField, make.DataFieldFactory),
        (DataDefinition, make.DataDefinitionFactory),
        (SystemOfRecord, make.SystemOfRecordFactory),
    ],
    ids=lambda each: getattr(each, "__name__", ""),
)
def test_lists_cost_the_same_at_one_and_three_rows(client, ops, model, factory):
    client.force_login(ops)
    factory()
    assert assert_same_queries(client, list_of(model), lambda: [factory() for _ in range(2)]) < 30


def test_pages_show_what_flows_and_record_a_transfer(client, ops):
    client.force_login(ops)
    found = make.IntegrationFactory(live=True, owner_person=ops)
    assert "nobody knows whether it works" in client.get(page_of(found)).content.decode()
    said = client.post(button_of(found, "transfer"), {"ok": "no", "note": "403"}, follow=True).content.decode()
    assert "recorded as failed; its owner is told" in said
    entity = found.flows.get().entity
    assert "Nobody has defined it yet" in client.get(page_of(entity)).content.decode()
