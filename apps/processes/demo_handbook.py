"""The demo's chapter on processes: templates brought to life, people who read them, reviews, feedback, a retirement."""

from typing import Any

from django.contrib.contenttypes.models import ContentType

from apps.accounts.models import User
from apps.approvals.domain.decisions import approve
from apps.approvals.models import ApprovalRequest
from apps.core import clock
from apps.core.actors import acting_as
from apps.processes.demo_roles import PLAYERS
from apps.processes.domain.acknowledging import acknowledge
from apps.processes.domain.doing import begin_step, finish_step
from apps.processes.domain.feedback import answer_feedback, give_feedback
from apps.processes.domain.handbook import start_from_template
from apps.processes.domain.publishing import submit_for_approval
from apps.processes.domain.reviews import close_review, start_review
from apps.processes.domain.running import start_run
from apps.processes.models import Feedback, Process, ProcessRole, SOPVersion, TrainingRequirement

# template, title, owner, days ago it was approved, which of its roles must read it
TOOLS = {
    "Lead management": ("HubSpot Marketing Hub", "Salesforce Sales Cloud", "ZoomInfo"),
    "Campaign development": ("HubSpot Marketing Hub", "Bynder", "LinkedIn Campaign Manager"),
}
STARTED = (
    ("lead-management", "", "specialist", 120, ("Automation specialist", "Sales")),
    ("campaign-development", "", "demand_lead", 75, ("Campaign manager", "Automation specialist")),
    ("content-management", "", "copywriter", 60, ()),
    ("tool-implementation", "", "technology_administrator", 45, ()),
)


def tell(company: Any) -> None:
    """Fill the pages of processes that the story leaves empty."""
    people = company.people
    for key, title, owner, days_ago, readers in STARTED:
        version = _started(company, key, title, people[owner], days_ago)
        _required(version.process, readers, people["manager"])
        with acting_as(people[owner]):
            used = TOOLS.get(version.process.title, ())
            tools: Any = Process.tools.rel.model._default_manager.filter(name__in=used)
            version.process.tools.set(tools)
        _approved(company, version, people[owner], days_ago)
        _read_by(company, version, readers, days_ago - 2)
    _implementing(company)
    _coming(company)
    _reviewed(company)
    _retired(company)


def _implementing(company: Any) -> None:
    """The tool that is implemented follows its procedure; later ones begin it by themselves."""
    by = company.people["technology_administrator"]
    process = Process.objects.get(title="Implement a tool")
    with acting_as(by):
        process.starts_with = "technology.implementing"
        process.save()
    tools: Any = Process.tools.rel.model._default_manager
    tool = tools.filter(lifecycle="implementing").order_by("pk").first()
    if tool is None:
        return
    run = start_run(process, by=by, title=f"Implement {tool}", subject=tool, at=clock.now())
    for key, evidence in (
        ("phases", "Onboarding mails of one product first, then all; back to the old tool by a list."),
        ("set-up", ""),
    ):
        step = run.steps.select_related("run__process", "run__version", "step").get(key=key)
        begin_step(step, by=by)
        finish_step(step, by=by, evidence=evidence)


def _started(company: Any, key: str, title: str, owner: User, days_ago: int) -> SOPVersion:
    with acting_as(owner):
        version = start_from_template(key, by=owner, title=title)
        process = version.process
        process.backup_person = company.people["manager"]
        process.save()
    return version


def _required(process: Process, roles: tuple[str, ...], by: User) -> None:
    with acting_as(by):
        for name in roles:
            TrainingRequirement.objects.create(process=process, role=ProcessRole.objects.get(name=name), quota=50)


def _approved(company: Any, version: SOPVersion, author: User, days_ago: int) -> None:
    submit_for_approval(version, by=author, note="Written with the people who do it.", at=company.at(days_ago))
    request = ApprovalRequest.objects.get(
        content_type=ContentType.objects.get_for_model(SOPVersion), object_id=version.pk, state="in_review"
    )
    approve(request, by=company.people["approver"], note="Good.", at=company.at(days_ago - 1, 14))


def _read_by(company: Any, version: SOPVersion, roles: tuple[str, ...], days_ago: int) -> None:
    """The first of each role reads it; the others still have it before them."""
    for name in roles:
        acknowledge(version, by=company.people[PLAYERS[name][0]], at=company.at(days_ago, 11))


def _coming(company: Any) -> None:
    """One version that is approved and waits for its day."""
    analyst = company.people["analyst"]
    version = _started(company, "quarterly-planning", "", analyst, 0)
    with acting_as(analyst):
        version.effective_from = company.at(-14, 6)
        version.save()
    _approved(company, version, analyst, 5)


def _reviewed(company: Any) -> None:
    specialist = company.people["specialist"]
    process = Process.objects.get(title="Lead management")
    review = start_review(process, by=specialist, at=company.at(28))
    notes = "Walked through it with sales: the order holds, and the first response takes forty minutes, not two hours."
    close_review(review, by=specialist, outcome="no_change", notes=notes, at=company.at(28, 15))
    give_feedback(
        process, by=company.people["analyst"], text="Say what happens to leads from countries without a sales team."
    )
    campaign = Process.objects.get(title="Campaign development")
    give_feedback(
        campaign,
        by=company.people["campaign_manager"],
        text="Nobody tells support before the launch.",
        step="launch-coordination",
    )
    answer_feedback(
        Feedback.objects.get(process=campaign),
        by=company.people["demand_lead"],
        disposition="accepted",
        answer="Support joins “informed” with the next version.",
        at=company.at(3),
    )
    start_review(campaign, by=company.people["demand_lead"], at=company.at(2))


def _retired(company: Any) -> None:
    manager = company.people["manager"]
    version = _started(company, "annual-budget", "Budget by spreadsheet", manager, 0)
    _approved(company, version, manager, 150)
    review = start_review(version.process, by=manager, at=company.at(40))
    notes = "Finance plans in its own tool since spring; nobody opened the spreadsheet again."
    close_review(review, by=manager, outcome="retire", notes=notes, at=company.at(40, 16))
