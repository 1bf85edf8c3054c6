"""Compliance rules: what fails and why, what is written down when, who is told, waivers, and what others ask."""

import datetime as dt

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.accounts.enums import Role
from apps.approvals.domain.decisions import approve, reject
from apps.approvals.models import ApprovalRequest
from apps.campaigns.domain.launch import launch_campaign, refuse_launch
from apps.campaigns.enums import CampaignState
from apps.campaigns.models import Campaign
from apps.core import clock
from apps.core.alerts.enums import AlertState
from apps.core.alerts.models import Alert
from apps.core.conformity import refuse_unmet_rules
from apps.core.errors import InvalidInput, NotAllowed, WrongState
from apps.core.jobs.testing import run_queued_jobs
from apps.core.transitions import transition
from apps.processes.domain import compliance, exceptions
from apps.processes.domain.checks import unregistered_steps
from apps.processes.domain.compliance_gate import unmet
from apps.processes.domain.compliance_scope import words_of_scope
from apps.processes.enums import Family, StakeholderAccess, Standing, StepMode, WaiverState
from apps.processes.models import ComplianceResult, ComplianceStanding, ComplianceWaiver, Process
from apps.processes.registry import check_named, checks
from apps.technology.domain.lifecycle import refuse_move
from apps.technology.enums import Lifecycle
from tests.factories.accounts import person_with, sign_in
from tests.factories.campaigns import approved
from tests.factories.processes import AutomationFactory, ComplianceRuleFactory, ProcessFactory, effective, steps
from tests.factories.technology import ToolFactory

pytestmark = pytest.mark.django_db
TODAY = clock.today


@pytest.fixture
def ops():
    return person_with(Role.OPS)


def owned_rule(**given):
    return ComplianceRuleFactory(**{"check_key": "processes.owned", **given})


def finding(rule, subject):
    return ComplianceStanding.objects.get(rule=rule, object_id=subject.pk)


def asked(rule, subject, by, days=30):
    exceptions.ask_waiver(finding(rule, subject), by=by, reason="Leave", until=TODAY() + dt.timedelta(days=days))
    return ComplianceWaiver.objects.get(rule=rule, object_id=subject.pk, state=WaiverState.IN_REVIEW)


def request_of(waiver):
    return ApprovalRequest.objects.get(object_id=waiver.pk, content_type__model="compliancewaiver")


def test_rule_finds_what_fails_and_says_why(ops):
    good = ProcessFactory(owner_person=ops, backup_person=ops)
    bad, half = ProcessFactory(), ProcessFactory(owner_person=ops)
    found = compliance.evaluate(owned_rule())
    assert (found.looked_at, found.failed, found.newly) == (3, 2, 2)
    assert {row.object_id: row.reason for row in ComplianceStanding.objects.all()} == {
        good.pk: "",
        bad.pk: "Nobody answers for it, and nobody stands in.",
        half.pk: "Nobody stands in for its owner.",
    }


def test_second_evaluation_writes_nothing_where_nothing_changed(ops):
    process, rule = ProcessFactory(), owned_rule()
    compliance.evaluate(rule)
    again = compliance.evaluate(rule)
    assert (again.failed, again.newly) == (1, 0)
    assert ComplianceResult.objects.count() == 1
    process.owner_person = process.backup_person = ops
    process.save()
    compliance.evaluate(rule)
    assert list(ComplianceResult.objects.values_list("outcome", flat=True)) == ["passed", "failed"]


def test_scope_narrows_and_what_leaves_it_no_longer_counts():
    campaign, lead = ProcessFactory(family=Family.CAMPAIGN), ProcessFactory(family=Family.LEAD)
    rule = owned_rule()
    compliance.evaluate(rule)
    rule.scope = {"predicate": {"all": [{"field": "family", "op": "in", "value": ["lead"]}]}}
    rule.save()
    assert compliance.evaluate(rule).looked_at == 1
    assert finding(rule, campaign).outcome == Standing.OUT
    assert finding(rule, lead).outcome == Standing.FAILED
    assert list(compliance.results_for(campaign)) == []
    assert "Lead" in words_of_scope(check_named(rule.check_key), rule.scope)


def test_rule_out_of_its_dates_applies_to_nothing():
    process, rule = ProcessFactory(), owned_rule(effective_from=TODAY() + dt.timedelta(days=3))
    assert compliance.evaluate(rule).looked_at == 0
    assert unmet(process) == []
    assert compliance.evaluate(rule, at=clock.now() + dt.timedelta(days=4)).failed == 1


def test_alert_is_raised_for_new_failures_and_resolved_when_none_is_left(ops):
    rule, process = owned_rule(owner_person=ops), ProcessFactory(title="Loose")
    closed = ProcessFactory(title="Secret", stakeholder_access=StakeholderAccess.STAKEHOLDERS)
    compliance.evaluate(rule)
    alert = Alert.objects.get(fingerprint=f"compliance:{rule.pk}")
    assert alert.owner_person == ops
    assert "Loose" in alert.detail
    assert "Secret" not in alert.detail
    compliance.evaluate(rule)
    alert.refresh_from_db()
    assert alert.occurrences == 1
    for each in (process, closed):
        each.owner_person = each.backup_person = ops
        each.save()
    compliance.evaluate(rule)
    alert.refresh_from_db()
    assert alert.state == AlertState.RESOLVED


def test_results_cannot_be_changed():
    ProcessFactory()
    compliance.evaluate(owned_rule())
    with pytest.raises(DatabaseError), transaction.atomic():
        ComplianceResult.objects.update(outcome="passed")


def test_waiver_counts_once_a_second_person_approved_and_ends_by_itself(ops):
    rule, process, approver = owned_rule(), ProcessFactory(), person_with(Role.APPROVER)
    compliance.evaluate(rule)
    waiver = asked(rule, process, ops)
    assert finding(rule, process).outcome == Standing.FAILED
    assert [each.rule for each in unmet(process)] == [rule]
    with pytest.raises(NotAllowed):
        approve(request_of(waiver), by=ops)
    approve(request_of(waiver), by=approver)
    assert finding(rule, process).outcome == Standing.WAIVED
    assert unmet(process) == []
    later = clock.now() + dt.timedelta(days=31)
    compliance.evaluate(rule, at=later)
    assert finding(rule, process).outcome == Standing.FAILED
    assert [each.sentence for each in unmet(process, at=later)] == [
        f"{rule}: Nobody answers for it, and nobody stands in."
    ]


def test_rules_keep_tools_and_campaigns_from_going_on(ops):
    """At the transition itself, not only by night; a waiver opens the way."""
    tool = ToolFactory(lifecycle=Lifecycle.SUNSETTING)
    campaign = approved(starts_on=clock.today(), owner_team=None, owner_person=ops)
    assert refuse_move(ops, tool, to=Lifecycle.ACTIVE) is None
    assert refuse_launch(ops, campaign) is None
    tools = ComplianceRuleFactory(title="Tools are owned", check_key="technology.tool_owned")
    ComplianceRuleFactory(title="Campaigns are owned", check_key="campaigns.owned", way_out="Name a backup.")
    ComplianceRuleFactory(title="Campaigns are closed", check_key="campaigns.closed")
    assert refuse_move(ops, tool, to=Lifecycle.ACTIVE) == (
        "Compliance rules are not met. Tools are owned: Nobody in mops answers for it. Name an owner and a backup on "
        "its page. Mend it, or ask for a waiver of the rule."
    )
    assert "Campaigns are owned: Nobody stands in for its owner. Name a backup." in refuse_launch(ops, campaign)
    with pytest.raises(WrongState, match="Compliance rules are met: no"):
        launch_campaign(campaign, by=ops)
    compliance.evaluate(tools)
    waiver = asked(tools, tool, ops)
    approve(request_of(waiver), by=person_with(Role.APPROVER))
    assert refuse_move(ops, tool, to=Lifecycle.ACTIVE) is None
    assert refuse_unmet_rules(ProcessFactory()) is None


def test_a_campaign_long_over_is_a_finding():
    campaign = approved(starts_on=clock.today() - dt.timedelta(days=60), ends_on=clock.today() - dt.timedelta(days=40))
    with transition(Campaign):
        Campaign.objects.filter(pk=campaign.pk).update(state=CampaignState.LIVE, launched_at=clock.now())
    rule = ComplianceRuleFactory(check_key="campaigns.closed")
    compliance.evaluate(rule)
    assert finding(rule, campaign).reason == f"It ended on {campaign.ends_on:%-d %B %Y} and is not closed."


def test_refused_waiver_changes_nothing(ops):
    rule, process, approver = owned_rule(), ProcessFactory(), person_with(Role.APPROVER)
    compliance.evaluate(rule)
    waiver = asked(rule, process, ops)
    reject(request_of(waiver), by=approver, reason="Name an owner.")
    waiver.refresh_from_db()
    assert waiver.state == WaiverState.REFUSED
    assert finding(rule, process).outcome == Standing.FAILED


def test_what_is_asked_of_waivers_is_refused_in_words(ops):
    person_with(Role.APPROVER)
    rule, process = owned_rule(), ProcessFactory()
    fine = ProcessFactory(owner_person=ops, backup_person=ops)
    compliance.evaluate(rule)
    day = TODAY() + dt.timedelta(days=5)
    with pytest.raises(InvalidInput, match="Say why it is bearable"):
        exceptions.ask_waiver(finding(rule, process), by=ops, reason=" ", until=day)
    with pytest.raises(InvalidInput, match="is past; an exception ends on a day to come"):
        exceptions.ask_waiver(finding(rule, process), by=ops, reason="Leave", until=TODAY() - dt.timedelta(days=1))
    with pytest.raises(InvalidInput, match="An exception ends within a year"):
        exceptions.ask_waiver(finding(rule, process), by=ops, reason="Leave", until=TODAY() + dt.timedelta(days=400))
    with pytest.raises(WrongState, match="Only what is not met is waived"):
        exceptions.ask_waiver(finding(rule, fine), by=ops, reason="Leave", until=day)
    with pytest.raises(NotAllowed, match="You may read findings, not ask for waivers"):
        exceptions.ask_waiver(finding(rule, process), by=person_with(Role.AUDITOR), reason="Leave", until=day)
    asked(rule, process, ops)
    with pytest.raises(WrongState, match="A waiver of it waits for a decision already"):
        exceptions.ask_waiver(finding(rule, process), by=ops, reason="Leave", until=day)


def test_waiver_is_not_edited(ops):
    person_with(Role.APPROVER)
    rule, process = owned_rule(), ProcessFactory()
    compliance.evaluate(rule)
    waiver = asked(rule, process, ops)
    for change in ({"state": WaiverState.APPROVED}, {"until": TODAY() + dt.timedelta(days=300)}, {"reason": "Other"}):
        with pytest.raises(DatabaseError), transaction.atomic():
            ComplianceWaiver.objects.filter(pk=waiver.pk).update(**change)


def test_unknown_check_is_refused_in_words():
    with pytest.raises(InvalidInput, match=r"There is no check called “gone\.away”"):
        compliance.evaluate(owned_rule(check_key="gone.away"))


def test_version_in_force_is_evaluated_at_once(ops):
    rule = ComplianceRuleFactory(check_key="processes.in_force")
    process = ProcessFactory()
    compliance.evaluate(rule)
    assert finding(rule, process).reason == "No version is in force."
    effective(process, flow=steps("One"))
    run_queued_jobs()
    assert finding(rule, process).outcome == Standing.PASSED


def test_automated_step_without_entry_is_a_finding():
    process = effective(flow=steps("Export", mode=StepMode.AUTOMATED)).process
    assert [each.title for each in unregistered_steps(Process.objects.filter(pk=process.pk))] == ["Export"]
    rule = ComplianceRuleFactory(check_key="processes.automation_registered")
    compliance.evaluate(rule)
    assert finding(rule, process).reason == "Automated and not in the register: “Export”."


def test_every_check_answers_on_empty_and_full_tables(ops):
    effective(ProcessFactory(owner_person=ops), flow=steps("One", mode=StepMode.AUTOMATED))
    assert len(checks()) >= 14
    for check in checks():
        found = check.evaluate(check.subjects(), clock.now())
        assert all(isinstance(said, str) and said for said in found.values()), check.key


def test_evaluating_all_is_one_job():
    ProcessFactory()
    owned_rule()
    assert compliance.evaluate_all() == {"rules": 1, "records": 1, "not met": 1, "new": 1}


def test_check_now_says_what_came_out(ops):
    ProcessFactory()
    rule = owned_rule()
    said = compliance.check_now(rule, by=ops)
    assert said == "1 looked at: 1 not met, 1 of them new, 0 waived."
    with pytest.raises(NotAllowed, match="not evaluate them"):
        compliance.check_now(rule, by=person_with(Role.AUDITOR))


def test_findings_of_closed_processes_are_seen_by_their_stakeholders_alone(client, ops):
    closed = ProcessFactory(title="Secret", stakeholder_access=StakeholderAccess.STAKEHOLDERS)
    rule = owned_rule()
    compliance.evaluate(rule)
    page = sign_in(client, ops).get(reverse("admin:processes_compliancestanding_changelist"))
    assert "Secret" not in page.content.decode()
    row = finding(rule, closed)
    address = reverse("admin:processes_compliancestanding_change", args=(row.pk,))
    assert client.get(address).status_code in (302, 403, 404)
    page = sign_in(client, person_with(Role.AUDITOR)).get(address)
    assert "Secret" in page.content.decode()


def test_pages_open_with_their_rows(client, ops):
    process, rule = ProcessFactory(title="Loose"), owned_rule()
    client = sign_in(client, ops)
    empty = client.get(reverse("admin:processes_compliancestanding_changelist"))
    assert "Rules are evaluated every night" in empty.content.decode()
    compliance.evaluate(rule)
    for address in (
        reverse("admin:processes_compliancerule_change", args=(rule.pk,)),
        reverse("admin:processes_compliancestanding_changelist"),
        reverse("admin:processes_compliancestanding_change", args=(finding(rule, process).pk,)),
        reverse("admin:processes_process_change", args=(process.pk,)),
    ):
        page = client.get(address)
        assert page.status_code == 200
        assert "Nobody answers for it" in page.content.decode()


def test_rule_is_made_and_narrowed_on_its_page(client, ops):
    client = sign_in(client, ops)
    given = {
        "title": "Lead processes have an owner",
        "check_key": "processes.owned",
        "severity": "warning",
        "effective_from": "2026-01-01",
        "effective_until": "",
        "owner_person": ops.pk,
        "way_out": "",
    }
    client.post(reverse("admin:processes_compliancerule_add"), given)
    rule = compliance.ComplianceRule.objects.get(title=given["title"])
    address = reverse("admin:processes_compliancerule_change", args=(rule.pk,))
    scope = '{"predicate": {"all": [{"field": "family", "op": "in", "value": ["lead"]}]}}'
    client.post(address, {**given, "scope": scope, "row_version": rule.row_version})
    rule.refresh_from_db()
    assert "Lead" in rule.scope_words
    ownerless = client.post(address, {**given, "owner_person": "", "scope": scope, "row_version": rule.row_version})
    assert "Name who is told when it fails" in ownerless.content.decode()


@pytest.mark.parametrize("kind", ["compliancerule", "compliancestanding", "compliancewaiver", "automation"])
def test_lists_ask_as_much_for_three_rows_as_for_one(client, ops, kind):
    person_with(Role.APPROVER)
    client, address = sign_in(client, ops), reverse(f"admin:processes_{kind}_changelist")

    def one_more():
        process, rule = ProcessFactory(), owned_rule()
        AutomationFactory(owner_person=ops)
        compliance.evaluate(rule)
        asked(rule, process, ops)

    one_more()
    client.get(address)
    with CaptureQueriesContext(connection) as once:
        client.get(address)
    one_more(), one_more()
    with CaptureQueriesContext(connection) as thrice:
        client.get(address)
    assert len(thrice) == len(once)
