"""The register of automations: linking steps, reviews, retirement, and what is refused."""

import datetime as dt

import pytest
from django.db import DatabaseError, transaction
from django.urls import reverse

from apps.accounts.enums import Role
from apps.core import clock
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.processes.domain import automations, compliance
from apps.processes.enums import AutomationState, StakeholderAccess, StepMode
from apps.processes.models import Automation, Process
from apps.processes.models.values import Flow, FlowEdge, FlowStep
from tests.factories.accounts import person_with, sign_in
from tests.factories.processes import AutomationFactory, ComplianceRuleFactory, effective

pytestmark = pytest.mark.django_db
FLOW = Flow(
    (
        FlowStep("export", "Export", mode=StepMode.AUTOMATED, role="Analyst", minutes=10),
        FlowStep("read", "Read", role="Analyst", minutes=20),
    ),
    (FlowEdge("export", "read"),),
)


@pytest.fixture
def ops():
    return person_with(Role.OPS)


def step_of(process, key):
    return process.effective_version.steps.select_related("version").get(key=key)


def test_linked_step_is_no_finding_until_the_automation_is_retired(ops):
    process, row = effective(flow=FLOW).process, AutomationFactory()
    rule = ComplianceRuleFactory(check_key="processes.automation_registered")
    assert compliance.evaluate(rule).failed == 1
    said = automations.link_steps(row, by=ops, steps=[step_of(process, "export")])
    assert said == f"{row} carries out 1 step."
    assert compliance.evaluate(rule).failed == 0
    assert Process.objects.filter(automations.registered_on()).get() == process
    automations.retire_automation(row, by=ops, reason="The tool does it itself now.")
    assert compliance.evaluate(rule).failed == 1
    assert not Process.objects.filter(automations.registered_on()).exists()


def test_link_follows_the_step_into_the_next_version(ops):
    process, row = effective(flow=FLOW).process, AutomationFactory()
    automations.link_steps(row, by=ops, steps=[step_of(process, "export")])
    effective(process, flow=FLOW, change_log="Second")
    process.refresh_from_db()
    lines = automations.automations_of(process, ops)["lines"]
    assert [(line["step"].title, line["automations"]) for line in lines] == [("Export", [row])]


def test_steps_of_processes_one_does_not_see_stay_linked(ops):
    closed, row = effective(flow=FLOW).process, AutomationFactory()
    Process.objects.filter(pk=closed.pk).update(owner_person=ops, stakeholder_access=StakeholderAccess.STAKEHOLDERS)
    automations.link_steps(row, by=ops, steps=[step_of(closed, "export")])
    other = person_with(Role.OPS)
    assert list(automations.steps_to_automate(other)) == []
    automations.link_steps(row, by=other, steps=[])
    assert row.steps.count() == 1


def test_what_cannot_be_done_is_refused_in_words(ops):
    process, row = effective(flow=FLOW).process, AutomationFactory()
    with pytest.raises(InvalidInput, match="“Read” is done by hand"):
        automations.link_steps(row, by=ops, steps=[step_of(process, "read")])
    with pytest.raises(InvalidInput, match="Say what you compared"):
        automations.review_automation(row, by=ops, reason="")
    with pytest.raises(InvalidInput, match="Say why it is retired"):
        automations.retire_automation(row, by=ops, reason="")
    with pytest.raises(NotAllowed, match="not change it"):
        automations.retire_automation(row, by=person_with(Role.AUDITOR), reason="No")
    automations.retire_automation(row, by=ops, reason="Over")
    with pytest.raises(WrongState, match="is retired; add what runs instead"):
        automations.review_automation(row, by=ops, reason="Looked")


def test_review_sets_the_next_one(ops):
    row = AutomationFactory(next_review_on=clock.today() - dt.timedelta(days=1), owner_person=ops)
    assert [each.thing for each in automations.overdue_automations(ops, clock.today())] == [row]
    automations.review_automation(row, by=ops, reason="Does what is written.")
    row.refresh_from_db()
    assert row.next_review_on > clock.today() + dt.timedelta(days=80)
    assert list(automations.overdue_automations(ops, clock.today())) == []


def test_database_refuses_a_state_set_by_hand():
    row = AutomationFactory()
    for change in ({"state": AutomationState.RETIRED}, {"next_review_on": clock.today()}):
        with pytest.raises(DatabaseError), transaction.atomic():
            Automation.objects.filter(pk=row.pk).update(**change)


def test_steps_are_chosen_on_a_page(client, ops):
    process, row = effective(flow=FLOW).process, AutomationFactory()
    client, address = sign_in(client, ops), reverse("admin:processes_automation_steps", args=(row.pk,))
    assert "Export" in client.get(address).content.decode()
    client.post(address, {"steps": [step_of(process, "export").pk, "999999"]})
    assert list(row.steps.values_list("key", flat=True)) == ["export"]
    page = client.get(reverse("admin:processes_automation_change", args=(row.pk,)))
    assert "Steps it carries out" in page.content.decode()
    page = client.get(reverse("admin:processes_process_change", args=(process.pk,)))
    assert row.name in page.content.decode()
    auditor = sign_in(client, person_with(Role.AUDITOR))
    assert auditor.post(address, {"steps": []}).status_code == 403
    assert row.steps.count() == 1


def test_retired_automation_is_read_only(client, ops):
    row = AutomationFactory()
    automations.retire_automation(row, by=ops, reason="Over")
    page = sign_in(client, ops).get(reverse("admin:processes_automation_change", args=(row.pk,)))
    assert page.status_code == 200
    assert 'name="logic"' not in page.content.decode()
