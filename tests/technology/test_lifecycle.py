"""How a tool moves from idea to scrap heap."""

import pytest

from apps.accounts.enums import Role
from apps.audit.models import AuditEvent
from apps.core.admin_kit.archive import archive
from apps.core.errors import NotAllowed, WrongState
from apps.technology.domain.implementing import open_gates, pass_gate
from apps.technology.domain.lifecycle import move_tool, next_states, refuse_move
from apps.technology.enums import MOVES, Lifecycle
from apps.technology.models import Tool
from tests.factories.accounts import person_with
from tests.factories.technology import ToolFactory

pytestmark = pytest.mark.django_db


def test_only_the_moves_of_the_table_work():
    person = person_with(Role.OPS)
    for state in Lifecycle:
        tool = ToolFactory(lifecycle=state)
        for gate in open_gates(tool):
            pass_gate(gate, by=person, reason="Shown")
        assert tuple(to for to in Lifecycle if refuse_move(person, tool, to=to) is None) == MOVES[state]


def test_a_move_is_recorded_with_person_and_reason():
    tool, person = ToolFactory(), person_with(Role.OPS)
    assert move_tool(tool, to=Lifecycle.EVALUATING, by=person, reason="two vendors") == f"{tool} is evaluating now."
    assert Tool.objects.get(pk=tool.pk).lifecycle == Lifecycle.EVALUATING
    event = AuditEvent.objects.of_object(tool).first()
    assert (event.actor, event.reason, event.changes) == (
        person,
        "two vendors",
        {"lifecycle": ["proposed", "evaluating"]},
    )
    assert tool.history.first().actor_label == person.email


def test_a_wrong_move_names_the_right_ones():
    with pytest.raises(WrongState, match="CRM is active; from there it becomes sunsetting"):
        move_tool(ToolFactory(name="CRM", active=True), to=Lifecycle.RETIRED, by=person_with(Role.OPS))


def test_retired_is_final():
    tool = ToolFactory(name="Fax", lifecycle=Lifecycle.RETIRED)
    assert refuse_move(person_with(Role.OPS), tool, to=Lifecycle.ACTIVE) == "Fax is retired, and that is final."
    assert next_states(Lifecycle.RETIRED) == ()


def test_an_archived_tool_does_not_move():
    tool, person = ToolFactory(name="Old"), person_with(Role.OPS)
    archive(tool, by=person)
    tool.refresh_from_db()
    assert refuse_move(person, tool, to=Lifecycle.EVALUATING) == "Old is archived; restore it first."


def test_who_may_not_change_does_not_move():
    with pytest.raises(NotAllowed, match="You may not change CRM"):
        move_tool(ToolFactory(name="CRM"), to=Lifecycle.EVALUATING, by=person_with(Role.AUDITOR))
