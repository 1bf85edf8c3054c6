"""The demo's story: who did what, in which order, through the same operations that people use."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import transaction

from apps.accounts.demo import load_people
from apps.accounts.models import Team, User
from apps.approvals.domain.decisions import approve, request_changes
from apps.approvals.domain.policies import ensure_default_policies
from apps.approvals.models import ApprovalRequest
from apps.audit.domain.sealing import seal_ledger
from apps.campaigns.demo import agree_thresholds, choose_audience, plan_links, plan_money
from apps.campaigns.domain.approval import submit_campaign
from apps.campaigns.domain.checklist import settle
from apps.campaigns.domain.closure import cancel_campaign, close_campaign, complete_campaign
from apps.campaigns.domain.launch import launch_campaign
from apps.campaigns.domain.running import pause_campaign
from apps.campaigns.domain.scheduling import schedule_launch
from apps.campaigns.domain.working import begin_creative
from apps.campaigns.models import Campaign, ChecklistItem
from apps.core.actors import Channel, acting_as
from apps.core.calendars.demo import open_office
from apps.core.demo import chapters
from apps.core.errors import WrongState
from apps.core.exchange.registry import Row, get_importer
from apps.core.transitions import transition
from apps.leads.demo.choosing import fill_choosing, pass_all_gates
from apps.leads.demo.content import DemoCampaign, DemoSOP, DemoTool, campaigns, procedures, tools
from apps.leads.demo.decisions import fill_decisions
from apps.leads.demo.duties import fill_duties
from apps.leads.demo.earlier import bring_leads
from apps.leads.demo.flows import fill_flows
from apps.leads.demo.people import invented_leads, stage_of_leads
from apps.leads.demo.stack import fill_stack, make_case
from apps.leads.demo.use import fill_use
from apps.leads.domain.lifecycle import move_lead
from apps.leads.domain.opportunities import open_opportunity, win
from apps.leads.enums import Stage
from apps.leads.models import Lead
from apps.processes.demo_roles import fill_roles
from apps.processes.domain.flow import write_flow
from apps.processes.domain.publishing import submit_for_approval, write_draft
from apps.processes.models import Process, SOPVersion
from apps.technology.domain.lifecycle import move_tool
from apps.technology.domain.vendors import vendor_called
from apps.technology.enums import Lifecycle
from apps.technology.models import Tool

WAY = (Stage.MQL, Stage.SQL, Stage.CUSTOMER, Stage.ADVOCATE)
BY_HAND = 24
REASONS = {
    Stage.MQL: "Reached the scoring threshold.",
    Stage.SQL: "Sales accepted it after a first call.",
    Stage.CUSTOMER: "Signed.",
    Stage.ADVOCATE: "Agreed to be a reference.",
}


@dataclass(frozen=True)
class Company:
    """The people and teams of the demo, and today."""

    people: dict[str, User]
    teams: dict[str, Team]
    today: dt.date

    def at(self, days_ago: int, hour: int = 10) -> dt.datetime:
        """A moment `days_ago` days before today."""
        return dt.datetime.combine(self.today - dt.timedelta(days=days_ago), dt.time(hour), dt.UTC)


def load_demo(today: dt.date, *, say: Callable[[str], Any]) -> dict[str, int]:
    """Fill an empty installation; all of it or nothing.

    Args:
        today: what everything is counted from.
        say: told what is being made.

    Returns:
        How many records of each kind there are now.

    Raises:
        WrongState: there is data already, or this is no demo.
    """
    for model in (Tool, Process, Campaign, Lead):
        if model._default_manager.exists():
            raise WrongState(
                f"There are {model._meta.verbose_name_plural} already; the demo fills an empty installation only. "
                "Point MOPS_HOME to another folder, or DATABASE_URL to another database, to look at it beside yours."
            )
    with transaction.atomic():
        people = load_people()
        company = Company(people, {team.name: team for team in Team.objects.all()}, today)
        open_office(today, by=people["administrator"])
        ensure_default_policies(by=people["administrator"])
        own = (
            ("tools", _tools),
            ("processes", _processes),
            ("leads", _leads),
            ("campaigns", _campaigns),
            ("approvals", fill_decisions),
        )
        for title, make in (*own, *chapters()):
            say(f"  {title} …")
            make(company)
        # the first look of the watch would find the whole story unsealed, and alarm
        transaction.on_commit(seal_ledger, robust=True)
    counted = (Tool, Process, SOPVersion, Campaign, Lead, ApprovalRequest)
    return {str(model._meta.verbose_name_plural): model._default_manager.count() for model in counted}


def _tools(company: Company) -> None:
    administrator = company.people["technology_administrator"]
    importer = get_importer("technology.tools")
    rows = [_row(importer, line, tool) for line, tool in enumerate(tools(), start=1) if not tool.is_idea]
    with acting_as(administrator, channel=Channel.IMPORT, reason="The inventory kept in a spreadsheet until now"):
        importer.apply(rows, by=administrator)
    for tool in tools():
        with acting_as(company.people["manager"], reason="Owners named at the kick-off"):
            row = Tool.objects.filter(name=tool.name).first() or Tool(name=tool.name, function=tool.function)
            row.vendor_name, row.vendor = tool.vendor, vendor_called(tool.vendor)
            row.owner_person, row.owner_team = company.people[tool.owner], company.teams[tool.team]
            row.backup_person = company.people[tool.backup] if tool.backup else None
            row.save()
        for state, reason in tool.moves:
            if state == Lifecycle.APPROVED:
                make_case(row, company.people, company.today)
                continue
            with acting_as(administrator):
                if state == Lifecycle.ACTIVE:
                    pass_all_gates(row, administrator)
                move_tool(row, to=Lifecycle(state), by=administrator, reason=reason)
    fill_stack(company.people, company.today)
    fill_choosing(company.people, company.today)
    fill_flows(company.people, company.today)
    fill_duties(company.people, company.today)
    fill_use(company.people, company.today)


def _row(importer: Any, line: int, tool: DemoTool) -> Row:
    given = {
        "name": tool.name,
        "function": tool.function,
        "vendor_name": tool.vendor,
        "department": tool.team,
        "criticality": tool.tier,
        "data_classification": tool.data,
        "personal_data": tool.personal,
        "sub_processor": tool.sub_processor,
        "integration_method": tool.integration,
        "annual_cost": "" if tool.cost == "TBD" else tool.cost,
        "currency": "" if tool.cost == "TBD" else "EUR",
        "software_as_a_service": "yes",
        "audience": "employees",
    }
    return Row(line, {name: importer.column(name).read(cell) for name, cell in given.items()})


def _processes(company: Company) -> None:
    fill_roles(company)
    for each in procedures():
        author = company.people[each.author]
        with acting_as(author):
            process = Process.objects.create(
                title=each.title,
                family=each.family,
                summary=each.summary,
                review_every=each.review_every,
                owner_person=company.people[each.owner],
                backup_person=company.people[each.backup] if each.backup else None,
            )
        _versions(company, each, process)


def _versions(company: Company, each: DemoSOP, process: Process) -> None:
    first = _draft(company, each, process, 1, "The first written version.")
    if each.fate == "draft":
        return
    _send(company, each, first, each.days_ago)
    if each.fate == "in_review":
        return
    request, approver = _open_request(first), company.people[each.approver]
    if each.fate == "changes":
        reason = "Step 3 names no source for the comparison; add where the figures come from."
        request_changes(request, by=approver, reason=reason, at=company.at(each.days_ago - 1, 15))
        return
    approve(request, by=approver, note="Clear and complete.", at=company.at(each.days_ago - 2, 14))
    if each.fate in ("second", "revising"):
        second = _draft(company, each, process, 2, "One step more: ask whether anything is unclear.")
        if each.fate == "second":
            _send(company, each, second, each.days_ago - 60)
            approve(_open_request(second), by=approver, at=company.at(each.days_ago - 63, 9))


def _draft(company: Company, each: DemoSOP, process: Process, number: int, what_is_new: str) -> SOPVersion:
    author = company.people[each.author]
    with acting_as(author):
        version = write_draft(Process.objects.get(pk=process.pk), by=author)
        version.body, version.change_log = each.text(version=number), what_is_new
        version.save()
        write_flow(version, each.flow(version=number))
    return version


def _send(company: Company, each: DemoSOP, version: SOPVersion, days_ago: int) -> None:
    author = company.people[each.author]
    submit_for_approval(version, by=author, note="Please have a look this week.", at=company.at(days_ago))


def _open_request(thing: Any) -> ApprovalRequest:
    kind = {"content_type__app_label": thing._meta.app_label, "content_type__model": thing._meta.model_name}
    return ApprovalRequest.objects.get(object_id=thing.pk, state="in_review", **kind)


def _campaigns(company: Company) -> None:
    for each in campaigns():
        author = company.people[each.author]
        with acting_as(author):
            campaign = Campaign.objects.create(
                name=each.name,
                main_channel=each.channel,
                objective=each.objective,
                audience=each.audience,
                success_metrics=each.metrics,
                budget=Decimal(each.budget),
                currency=each.currency,
                starts_on=company.today + dt.timedelta(days=each.starts),
                ends_on=company.today + dt.timedelta(days=each.ends),
                owner_person=author,
                owner_team=company.teams["Demand Generation"],
                state_since=company.at(min(max(-each.starts + 14, 2), 170) + 12, 9),
            )
        plan_money(campaign, author)
        agree_thresholds(campaign, author)
        plan_links(campaign, author)
        if each.channel == "email":
            choose_audience(campaign, author)
        _along(company, each, campaign, author)


def _along(company: Company, each: DemoCampaign, campaign: Campaign, author: User) -> None:
    """Take the campaign as far as it has come."""
    if each.fate == "cancelled":
        cancel_campaign(campaign, by=author, reason=each.results, at=company.at(30))
    if each.fate in ("planning", "cancelled"):
        return
    if each.fate == "in_creative":
        begin_creative(campaign, by=author, note="The brief is with the agency.", at=company.at(3))
        return
    sent = min(max(-each.starts + 14, 2), 170)
    submit_campaign(
        campaign, by=author, note="Complete; the dates are agreed with the channel owners.", at=company.at(sent)
    )
    if each.fate == "in_approval":
        return
    request, approver = _open_request(campaign), company.people[each.approver]
    if each.fate == "changes":
        reason = "Ten MQL for this money is too little: halve the budget or name a second goal."
        request_changes(request, by=approver, reason=reason, at=company.at(sent - 1, 16))
        return
    approve(request, by=approver, note="Good plan.", at=company.at(sent - 1, 11))
    if each.fate != "approved":
        _beyond_approval(company, each, campaign, author)


def _beyond_approval(company: Company, each: DemoCampaign, campaign: Campaign, author: User) -> None:
    """Launch, pause, complete and close it, as far as it has come."""
    _check(campaign, company.people["specialist_2" if each.author == "specialist" else "specialist"])
    if each.fate == "scheduled":
        moment = company.at(-each.starts, 9)
        schedule_launch(campaign, by=author, launch_at=moment, note="When the offices open.", now=company.at(1))
        return
    launch_campaign(campaign, by=author, at=company.at(-each.starts, 8))
    if each.fate == "live":
        return
    if each.fate == "paused":
        reason = "The landing page answers too slowly; it goes on once that is repaired."
        pause_campaign(campaign, by=author, reason=reason, at=company.at(2, 15))
        return
    complete_campaign(campaign, by=author, at=company.at(-each.ends, 17))
    if each.fate == "closed":
        lessons = "Start two weeks earlier, and check public holidays of every country first."
        close_campaign(campaign, by=author, results=each.results, lessons=lessons, at=company.at(-each.ends - 5, 12))


def _check(campaign: Campaign, checker: User) -> None:
    """Settle the checklist, by somebody who did not plan the campaign."""
    said = {
        "creative": "Looked at by the creative lead against the brand book; proofs are in the campaign folder.",
        "legal": "Consent basis and imprint checked for every region; nothing is claimed that is not substantiated.",
        "utm": "All links follow the naming rule and were clicked once.",
        "audience": "Count and a sample of twenty compared with the plan; customers and competitors are excluded.",
        "monitoring": "The owner looks at the figures every Monday and Thursday; alerts go to the team.",
    }
    for item in ChecklistItem.objects.filter(campaign=campaign):
        settle(item, by=checker, evidence=said[item.kind])


def _leads(company: Company) -> None:
    bring_leads(company)
    importer, specialist = get_importer("leads.leads"), company.people["specialist"]
    given = list(invented_leads())
    rows = [
        Row(line, {name: value for name, value in each.items() if name != "seller"})
        for line, each in enumerate(given, start=1)
    ]
    with acting_as(specialist, channel=Channel.SYNC, reason="Nightly sync of the marketing hub"):
        importer.apply(rows, by=specialist)
    with acting_as(company.people["sales_lead"], reason="Territories of this year"):
        for seller in ("sales", "sales_2"):
            numbers = [each["external_id"] for each in given if each["seller"] == seller]
            Lead.objects.filter(external_id__in=numbers).update(
                owner_person=company.people[seller], owner_team=company.teams["Sales"]
            )
    _stages(list(Lead.objects.filter(record_source="hubspot").order_by("external_id")), specialist)


def _stages(stored: list[Lead], specialist: User) -> None:
    """Bring the leads to where they stand: most at once, as the nightly qualification would, the last ones by hand."""
    moved = list(zip(stored, stage_of_leads(), strict=True))
    by_night, by_hand = moved[:-BY_HAND], moved[-BY_HAND:]
    for place, stage in enumerate(WAY, start=1):
        keys = [lead.pk for lead, steps in by_night if steps >= place]
        with acting_as(specialist, channel=Channel.JOB, reason=REASONS[stage]), transition(Lead):
            Lead.objects.filter(pk__in=keys).update(stage=stage)
    for lead, steps in by_hand:
        for stage in WAY[:steps]:
            if stage == Stage.CUSTOMER:
                _won(lead, specialist)
            else:
                move_lead(lead, to=stage, by=specialist, reason=REASONS[stage])


def _won(lead: Lead, by: User) -> None:
    """Let a lead become a customer as leads do: by an opportunity that is won."""
    made = open_opportunity(lead, name="Platform for a year", amount=Decimal(12_000), by=by)
    win(made, by=by, reason=REASONS[Stage.CUSTOMER])
