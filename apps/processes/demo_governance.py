"""The demo's chapter on governance: what machines do, the rules everything is held to, and a waiver of one of them."""

import datetime as dt
from decimal import Decimal
from typing import Any

from django.contrib.contenttypes.models import ContentType

from apps.accounts.models import User
from apps.approvals.domain.decisions import approve
from apps.approvals.models import ApprovalRequest
from apps.core import clock
from apps.core.actors import acting_as
from apps.core.rules.catalog import catalog_of
from apps.core.rules.predicates import in_words
from apps.processes.demo import TITLE as SAMPLED
from apps.processes.domain import automations, compliance, exceptions, improving, maturity, packs, proposing, roadmap
from apps.processes.enums import MaturityLevel, MeasuredOver, ProcessFigure, Standing, Trigger
from apps.processes.models import (
    Automation,
    ComplianceRule,
    ComplianceStanding,
    ComplianceWaiver,
    Process,
)

CRITICAL = {"predicate": {"any": [{"field": "criticality", "op": "in", "value": ["high", "critical"]}]}}
# title, check, severity, scope
RULES: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
    ("Every process has an owner and a backup", "processes.owned", "warning", {}),
    ("Every process is written down and in force", "processes.in_force", "info", {}),
    ("Reviews of processes are never late", "processes.reviewed", "warning", {}),
    ("Who must read a process has read it", "processes.read", "warning", {}),
    ("Critical processes never hang on one person", "processes.two_qualified", "critical", CRITICAL),
    ("What machines do stands in the register", "processes.automation_registered", "warning", {}),
    ("Runs follow their process", "processes.run_conforms", "info", {}),
    ("Every automation has an owner and a system", "processes.automation_described", "warning", {}),
    ("Every tool in use has an owner", "technology.tool_owned", "warning", {}),
    ("Campaigns are closed soon after their end", "campaigns.closed", "info", {}),
)
# name, what sets it off, when exactly, what it does, when it cannot, system, owner
AUTOMATIONS = (
    (
        "Lead routing by territory",
        Trigger.EVENT,
        "A lead becomes marketing qualified.",
        "1. Look up country and company size.\n2. Take the first territory that fits.\n3. Next person of its pool.",
        "No territory fits: the lead waits in the unassigned pool, and its owner is told.",
        "Salesforce Sales Cloud",
        "specialist",
    ),
    (
        "Weekly export of new leads",
        Trigger.SCHEDULE,
        "Mondays at 07:00.",
        "Export the leads created since last Monday with source, country and score, one row each.",
        "The warehouse does not answer: tried again every ten minutes for an hour, then the analyst is told.",
        "HubSpot Marketing Hub",
        "analyst",
    ),
)


def tell(company: Any) -> None:
    """Register automations, set the rules, evaluate them, and waive one finding."""
    people: dict[str, User] = company.people
    manager = people["manager"]
    tools: Any = Process.tools.rel.model._default_manager
    for name, trigger, detail, logic, otherwise, system, owner in AUTOMATIONS:
        with acting_as(people[owner]):
            row = Automation.objects.create(
                name=name,
                trigger=trigger,
                trigger_detail=detail,
                logic=logic,
                exceptions=otherwise,
                tool=tools.filter(name=system).first(),
                owner_person=people[owner],
                backup_person=manager,
            )
        _linked(row, people[owner])
    with acting_as(manager, reason="Agreed in the first governance meeting"):
        for title, check, severity, scope in RULES:
            words = in_words(scope["predicate"], catalog_of(Process)) if scope else ""
            ComplianceRule.objects.create(
                title=title,
                check_key=check,
                severity=severity,
                scope=scope,
                scope_words=words,
                effective_from=company.today - dt.timedelta(days=90),
                owner_person=manager,
            )
    compliance.evaluate_all()
    _waived(people)
    _improved(company)
    roadmap.bring_in_standard(by=people["director"], starts_on=company.today - dt.timedelta(days=110))
    maturity.assess_all()
    packs.make_pack(by=people["director"])
    process = Process.objects.get(title=SAMPLED)
    reason = "The figures of the pilot in spring are kept in a sheet; they show what the runs will show."
    until = clock.today() + dt.timedelta(days=60)
    maturity.ask_override(process, by=people["manager"], level=MaturityLevel.MANAGED, reason=reason, until=until)


def _linked(row: Automation, by: User) -> None:
    """Link an automation to the step it carries out; two automated steps are left for the rules to find."""
    key = "lead-handoff" if "routing" in row.name else "export"
    automations.link_steps(row, by=by, steps=[each for each in automations.steps_to_automate(by) if each.key == key])


def _waived(people: dict[str, User]) -> None:
    """One finding has a waiver, another waits for one."""
    failing = ComplianceStanding.objects.filter(outcome=Standing.FAILED, process__isnull=False).order_by("pk")
    reasons = (
        "The successor starts next month; until then the manager looks at every run.",
        "The two campaigns under way end this quarter; it is reviewed together with them.",
    )
    for row, reason in zip(list(failing[:2]), reasons, strict=False):
        until = clock.today() + dt.timedelta(days=45)
        exceptions.ask_waiver(row, by=people["manager"], reason=reason, until=until)
    first = ComplianceWaiver.objects.order_by("pk").first()
    if first is not None:
        kind = ContentType.objects.get_for_model(ComplianceWaiver)
        request = ApprovalRequest.objects.get(content_type=kind, object_id=first.pk)
        approve(request, by=people["approver"], note="Bearable for six weeks.")


def _improved(company: Any) -> None:
    """One improvement went all the way, another has just begun."""
    first: User = company.people["specialist"]
    process = Process.objects.get(title=SAMPLED)
    row = proposing.propose(
        process,
        by=first,
        title="The sample is read once, not twice",
        figure=ProcessFigure.REWORK,
        measured_over=MeasuredOver.MONTH,
        reason="Two of the first runs were begun again.",
        at=company.at(18),
    )
    improving.take_baseline(row, by=first, at=company.at(18, 11))
    gap = "The sample is drawn before the export is complete, so it is too small and drawn again."
    improving.describe_gap(row, by=first, gap=gap, target=Decimal(10), at=company.at(17))
    solution = "The export says when it is complete; the sample is drawn after that, thirty leads at least."
    improving.describe_solution(row, by=first, solution=solution, at=company.at(17, 14))
    improving.implemented(row, by=first, reason="The export writes its last line; the step says so.", at=company.at(15))
    improving.validate(row, by=first, reason="Waiting for the last line was all it took.", at=company.at(6))
    other = Process.objects.get(title="Lead management")
    title = "Leads are handed over within the hour"
    proposing.propose(other, by=first, title=title, figure=ProcessFigure.WAITING, due_on=company.today)
