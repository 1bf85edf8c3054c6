"""A tool is implemented in gates: phased, tested, trained, monitored, and only then active."""

import pytest
from django.db import DatabaseError, transaction

from apps.accounts.enums import Role
from apps.core.admin_kit.refusals import sentence_of
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.core.transitions import transition
from apps.processes.domain.doing import begin_step, finish_step
from apps.processes.domain.running import cancel_run
from apps.processes.models import Run
from apps.technology.domain.implementing import open_gates, pass_gate, refuse_implementation, start_rollout
from apps.technology.domain.lifecycle import move_tool
from apps.technology.enums import Lifecycle
from apps.technology.models import ImplementationGate, Tool
from tests.admin_pages import assert_same_queries, button_of, list_of, page_of
from tests.factories.accounts import person_with
from tests.factories.processes import ProcessFactory, effective, steps
from tests.factories.technology import ToolFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def ops():
    return person_with(Role.OPS)


@pytest.fixture
def tool():
    return ToolFactory(name="CRM", lifecycle=Lifecycle.IMPLEMENTING)


def refused(statement):
    with pytest.raises(DatabaseError) as error, transaction.atomic():
        statement()
    return sentence_of(error.value)


def test_a_tool_gets_its_gates_whatever_path_leads_there(tool):
    assert [gate.kind for gate in open_gates(tool)] == ["phased", "tested", "trained", "monitored"]


def test_gates_are_passed_in_order_with_evidence(ops, tool):
    first, second, *rest = open_gates(tool)
    with pytest.raises(WrongState, match="First comes “phased”"):
        pass_gate(second, by=ops, reason="Tested")
    with pytest.raises(InvalidInput, match="a gate is passed with evidence"):
        pass_gate(first, by=ops, reason="  ")
    with pytest.raises(NotAllowed, match="You may not pass gates"):
        pass_gate(first, by=person_with(Role.AUDITOR), reason="Seen")
    assert pass_gate(first, by=ops, reason="Two phases") == "CRM: phased is passed; 3 to go."
    with pytest.raises(WrongState, match="It was passed on"):
        pass_gate(first, by=ops, reason="Again")
    for gate in (second, *rest):
        said = pass_gate(gate, by=ops, reason="Done")
    assert said == "CRM: monitored is passed, the last one: CRM can become active."


def test_active_waits_for_the_gates_in_words_and_in_the_database(ops, tool):
    with pytest.raises(WrongState, match="CRM still has gates of its implementation to pass: phased, tested, trained"):
        move_tool(tool, to=Lifecycle.ACTIVE, by=ops)

    def force():
        with transition(Tool):
            Tool.objects.filter(pk=tool.pk).update(lifecycle="active")

    assert refused(force).startswith("This tool cannot become active yet: its implementation still has gates")
    for gate in open_gates(tool):
        pass_gate(gate, by=ops, reason="Shown")
    move_tool(tool, to=Lifecycle.ACTIVE, by=ops)
    gate = ImplementationGate.objects.first()
    with pytest.raises(WrongState):
        pass_gate(gate, by=ops, reason="Later")


def test_the_database_keeps_the_order_and_the_evidence(tool):
    second = open_gates(tool)[1]

    def skip():
        with transition(ImplementationGate):
            ImplementationGate.objects.filter(pk=second.pk).update(passed_at="2026-01-01T00:00Z", evidence="x")

    assert refused(skip).startswith("The gates are passed one after the other")
    by_hand = ImplementationGate.objects.filter(pk=second.pk)
    assert refused(lambda: by_hand.update(evidence="x")).startswith("A gate is passed by its button")


def test_gates_of_a_tool_that_is_not_implemented_stay_closed(ops):
    tool = ToolFactory(lifecycle=Lifecycle.IMPLEMENTING)
    gate = open_gates(tool)[0]
    move_tool(tool, to=Lifecycle.RETIRED, by=ops)
    with pytest.raises(WrongState, match="gates are passed while it is implemented"):
        pass_gate(ImplementationGate.objects.get(pk=gate.pk), by=ops, reason="Late")


def test_an_sop_carries_the_implementation_out(client, ops, tool):
    process = effective(ProcessFactory(title="Implement a tool"), flow=steps("Plan", "Do")).process
    client.force_login(ops)
    page = client.get(button_of(tool, "rollout")).content.decode()
    assert "Implement a tool" in page
    said = client.post(button_of(tool, "rollout"), {"process": process.pk}, follow=True).content.decode()
    run = Run.objects.get()
    assert (run.subject, run.title) == (tool, "Implement CRM")
    assert "Implement CRM is under way" in said
    assert f"/admin/processes/run/{run.pk}/change/" in client.get(page_of(tool)).content.decode()
    with pytest.raises(WrongState, match="the run is started while it is implemented"):
        start_rollout(ToolFactory(active=True), by=ops, process=process.pk)
    with pytest.raises(WrongState, match="There is no such process for you"):
        start_rollout(ToolFactory(lifecycle=Lifecycle.IMPLEMENTING), by=ops, process=0)
    with pytest.raises(NotAllowed, match="You may not change CRM"):
        start_rollout(tool, by=person_with(Role.AUDITOR), process=process.pk)


def walk(run, ops):
    for step in run.steps.select_related("run__process", "run__version", "step").order_by("position"):
        step.refresh_from_db()
        begin_step(step, by=ops)
        finish_step(step, by=ops, evidence="Shown")


def test_the_run_of_the_procedure_begins_by_itself_and_must_be_done(ops):
    process = ProcessFactory(title="Implement a tool", starts_with="technology.implementing", owner_person=ops)
    effective(process, flow=steps("Plan", "Do"))
    tool = ToolFactory(name="CRM", lifecycle=Lifecycle.APPROVED)
    said = move_tool(tool, to=Lifecycle.IMPLEMENTING, by=ops)
    assert said == "CRM is implementing now. Implement a tool: CRM was started: 2 steps."
    *first, last = open_gates(tool)
    for gate in first:
        pass_gate(gate, by=ops, reason="Shown")
    under_way = "“Implement a tool: CRM” is under way, 0 of 2 steps closed. An implementation ends with its run"
    with pytest.raises(WrongState, match=under_way):
        pass_gate(last, by=ops, reason="Shown")
    run = Run.objects.get()
    cancel_run(run, by=ops, reason="The vendor is late.")
    with pytest.raises(WrongState, match="No run of “Implement a tool” was carried out for CRM"):
        pass_gate(last, by=ops, reason="Shown")
    start_rollout(tool, by=ops, process=process.pk)
    with pytest.raises(WrongState, match="“Implement CRM” is under way already; it stands on this page"):
        start_rollout(tool, by=ops, process=process.pk)
    walk(Run.objects.get(state="active"), ops)
    pass_gate(last, by=ops, reason="Shown")
    assert refuse_implementation(tool) is None
    start_rollout(tool, by=ops, process=process.pk)  # somebody begins once more: the database waits for it as well
    tool.refresh_from_db()
    with pytest.raises(WrongState, match="“Implement CRM” is under way"):
        move_tool(tool, to=Lifecycle.ACTIVE, by=ops)

    def force():
        with transition(Tool):
            Tool.objects.filter(pk=tool.pk).update(lifecycle="active")

    assert refused(force).startswith("This tool cannot become active yet: the run that implements it is under way.")
    walk(Run.objects.get(state="active"), ops)
    assert move_tool(tool, to=Lifecycle.ACTIVE, by=ops) == "CRM is active now."


def test_the_list_costs_the_same_at_one_and_three_rows(client, ops, tool):
    client.force_login(ops)
    assert assert_same_queries(client, list_of(ImplementationGate), lambda: ToolFactory(lifecycle="implementing")) < 30
    gate = open_gates(tool)[0]
    assert "Who gets it in which phase" in client.get(button_of(gate, "pass")).content.decode()
    client.post(button_of(gate, "pass"), {"reason": "Two phases"})
    gate.refresh_from_db()
    assert (gate.evidence, gate.passed_by) == ("Two phases", ops)
