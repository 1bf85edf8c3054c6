"""Runs for a campaign: started by its launch, or by somebody on its page."""

import pytest

from apps.accounts.enums import Role
from apps.approvals.domain.decisions import approve
from apps.approvals.models import ApprovalRequest
from apps.campaigns.domain import working
from apps.campaigns.domain.launch import LAUNCHED, launch_campaign
from apps.campaigns.domain.working import BEGUN, begin_creative
from apps.core.errors import NotAllowed
from apps.processes.domain.doing import finish_step
from apps.processes.domain.flow import flow_of
from apps.processes.domain.handbook import start_from_template
from apps.processes.domain.publishing import submit_for_approval
from apps.processes.domain.running import start_about
from apps.processes.domain.triggers import start_for
from apps.processes.enums import StepState
from apps.processes.models import Process, Run
from tests.admin_pages import button_of, whole_page_of
from tests.factories.accounts import person_with
from tests.factories.campaigns import approved, planned
from tests.factories.processes import ProcessFactory, effective, play_roles, steps

pytestmark = pytest.mark.django_db


def test_a_launch_starts_the_processes_that_ask_for_it():
    owner, unready = person_with(Role.OPS), ProcessFactory(title="Zoning")
    ready = effective(ProcessFactory(title="Post-launch checks", owner_person=owner), flow=steps("Look", "Tell"))
    Process.objects.filter(pk__in=[ready.process_id, unready.pk]).update(starts_with=LAUNCHED)
    campaign = approved()
    said = launch_campaign(campaign, by=person_with(Role.OPS))
    run = Run.objects.get()
    assert said == (
        f"{campaign} is live. Post-launch checks: {campaign} was started: 2 steps. No run of Zoning was started: "
        "Zoning has no version in force; runs follow what is approved. Send a version for approval first."
    )
    assert (run.subject, run.version, run.steps.get(key="look").state) == (campaign, ready, StepState.TODO)
    assert run.owner == owner


def test_an_occasion_nobody_registered_is_a_mistake_in_the_code():
    with pytest.raises(KeyError):
        start_for("moon.full", approved(), by=person_with(Role.OPS))


def test_a_campaign_shows_its_runs_and_starts_one(client):
    version = effective(ProcessFactory(title="Creative review"), flow=steps("Look"))
    hidden = effective(ProcessFactory(title="Hidden one"), flow=steps("Look"))
    Process.objects.filter(pk=hidden.process_id).update(stakeholder_access="stakeholders")
    campaign, person = approved(), person_with(Role.OPS)
    client.force_login(person)
    page = client.get(whole_page_of(campaign)).content.decode()
    assert "Nothing is carried out for it yet" in page
    form = client.get(button_of(campaign, "start_run")).content.decode()
    assert ("Creative review" in form, "Hidden one" in form) == (True, False)
    assert client.post(button_of(campaign, "start_run"), {"process": hidden.process_id}).status_code == 200
    assert Run.objects.count() == 0
    page = client.post(button_of(campaign, "start_run"), {"process": version.process_id}, follow=True).content.decode()
    assert f"Creative review: {campaign} is under way: 1 steps" in page
    page = client.get(whole_page_of(campaign)).content.decode()
    assert "0 of 1 steps, version 1" in page
    client.force_login(person_with(Role.AUDITOR))
    page = client.get(whole_page_of(campaign)).content.decode()
    assert ("Runs for this" in page, "start_run" in page) == (True, False)


def test_a_run_for_a_record_one_does_not_see_is_refused():
    version = effective(flow=steps("Look"))
    with pytest.raises(NotAllowed, match="You may not start runs for this"):
        start_about(approved(), by=person_with(), process=version.process)


def test_the_shipped_five_stages_begin_with_the_work_on_a_campaign(client):
    ops, approver = person_with(Role.OPS), person_with(Role.APPROVER)
    version = start_from_template("campaign-development", by=ops)
    assert version.process.starts_with == BEGUN
    play_roles(flow_of(version))
    submit_for_approval(version, by=ops)
    approve(ApprovalRequest.objects.open().get(object_id=version.pk), by=approver)
    campaign = planned(author=ops)
    said = begin_creative(campaign, by=ops)
    assert said.endswith(f"Campaign development: {campaign} was started: 9 steps.")
    run = Run.objects.get()
    assert (run.subject, run.steps.get(key="campaign-planning").state) == (campaign, StepState.TODO)
    finish_step(run.steps.get(key="campaign-planning"), by=ops, evidence="The plan.")
    client.force_login(ops)
    page = client.get(whole_page_of(campaign)).content.decode()
    assert "1 of 9 steps" in page
    assert page.index("Approve the plan") < page.index("Close the campaign")
    working.return_to_plan(campaign, by=ops, reason="Other dates.")
    begin_creative(campaign, by=ops)
    assert Run.objects.count() == 1
