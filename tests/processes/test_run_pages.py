"""The pages on which runs are worked."""

import datetime as dt

import pytest
from django.urls import reverse

from apps.accounts.enums import Role
from apps.approvals.models import ApprovalRequest
from apps.core import clock
from apps.processes.domain import doing, running, waiving
from apps.processes.models import Run, RunStep, RunStepEvent, StepWaiver
from tests.admin_pages import assert_same_queries, button_of, list_of, page_of
from tests.factories.accounts import person_with
from tests.factories.processes import effective, steps
from tests.processes.test_runs import BRANCHED, started, step

pytestmark = pytest.mark.django_db


@pytest.fixture
def ops(client):
    person = person_with(Role.OPS)
    client.force_login(person)
    return person


@pytest.mark.parametrize("model", [Run, RunStep, RunStepEvent])
def test_lists_cost_the_same_at_one_and_three_rows(client, ops, model):
    run = started(ops, steps("One"))
    more = lambda: [running.start_run(run.process, by=ops) for _ in range(2)]  # noqa: E731
    assert assert_same_queries(client, list_of(model), more) <= 20


def test_a_run_is_started_from_its_process(client, ops):
    process = effective(flow=steps("One", "Two")).process
    assert button_of(process, "start_run") in client.get(page_of(process)).content.decode()
    due = clock.today() + dt.timedelta(days=5)
    done = client.post(button_of(process, "start_run"), {"title": "Spring", "due_on": due.isoformat()}, follow=True)
    assert "Spring is under way: 2 steps on version 1." in done.content.decode()
    assert Run.objects.get().due_on == due
    assert "All 1 runs, 1 under way" in client.get(page_of(process)).content.decode()


def test_a_person_works_through_a_run_on_its_page(client, ops):
    run = started(ops, steps("One", "Two", instructions="Do it **well**."))
    page = client.get(page_of(run)).content.decode()
    assert "<strong>well</strong>" in page
    assert button_of(step(run, "one"), "begin") in page
    assert button_of(step(run, "two"), "begin") not in page
    done = client.post(button_of(step(run, "one"), "begin"), follow=True)
    assert done.redirect_chain[-1][0] == page_of(run)
    assert "“One” is in work." in done.content.decode()
    done = client.post(button_of(step(run, "one"), "done"), {"evidence": "See file"}, follow=True).content.decode()
    assert "“One” is done." in done
    assert "See file" in done
    client.post(button_of(step(run, "two"), "done"), {"evidence": ""})
    assert "Finished" in client.get(page_of(run)).content.decode()


def test_a_decision_asks_for_the_way(client, ops):
    run = started(ops, BRANCHED)
    doing.finish_step(step(run, "write"), by=ops)
    doing.finish_step(step(run, "check"), by=person_with(Role.OPS))
    form = client.get(button_of(step(run, "choose"), "done")).content.decode()
    assert "on paper → Print" in form
    assert "online → Post" in form
    assert (
        "Choose what is next." in client.post(button_of(step(run, "choose"), "done"), {"evidence": ""}).content.decode()
    )
    client.post(button_of(step(run, "choose"), "done"), {"ways": "post"})
    assert step(run, "post").state == "todo"


def test_the_home_page_shows_my_steps(client, ops):
    run = started(ops)
    doing.assign_step(step(run, "one"), by=person_with(Role.OPS), person=ops)
    page = client.get(reverse("admin:index")).content.decode()
    assert page_of(step(run, "one")) in page
    assert "My steps" in page


def test_the_preview_says_what_a_new_version_does_to_a_run(client, ops):
    run = started(ops, steps("One", "Two"))
    effective(run.process, flow=steps("Two", "Three"))
    page = client.get(button_of(run, "move")).content.decode()
    assert "From version 1 to version 2" in page
    done = client.post(button_of(run, "move"), {"reason": "New law"}, follow=True).content.decode()
    assert "follows version 2 now" in done


def test_an_auditor_reads_and_touches_nothing(client):
    ops, auditor = person_with(Role.OPS), person_with(Role.AUDITOR)
    run = started(ops)
    client.force_login(auditor)
    page = client.get(page_of(run)).content.decode()
    assert button_of(step(run, "one"), "begin") not in page
    client.post(button_of(step(run, "one"), "begin"))
    client.post(button_of(run, "cancel"), {"reason": "x"})
    assert (step(run, "one").state, Run.objects.get().state) == ("todo", "active")


def test_who_does_not_see_the_process_does_not_see_its_runs(client):
    ops = person_with(Role.OPS)
    run = started(ops)
    type(run.process).objects.filter(pk=run.process_id).update(stakeholder_access="stakeholders")
    client.force_login(person_with(Role.EXECUTIVE))
    assert client.get(page_of(run)).status_code in (302, 404)
    assert "The run" not in client.get(list_of(Run)).content.decode()
    assert client.get(list_of(StepWaiver)).status_code == 200


def test_a_waiver_that_waits_leads_to_its_request(client, ops):
    person_with(Role.APPROVER)
    run = started(ops, steps("One"))
    waiving.ask_waiver(step(run, "one"), by=ops, reason="The printer is away.")
    request = ApprovalRequest.objects.get(content_type__model="stepwaiver")
    page = client.get(page_of(StepWaiver.objects.get())).content.decode()
    assert (f'href="{page_of(request)}">Round 1</a>' in page, "In review" in page) == (True, True)
