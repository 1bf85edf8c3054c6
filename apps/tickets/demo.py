"""The demo's chapter about tickets: queues, the catalogue, templates, and a fortnight at the desk."""

import datetime as dt
from typing import Any

from apps.accounts.models import User
from apps.approvals.domain.decisions import approve
from apps.approvals.models import ApprovalRequest
from apps.campaigns.models import Campaign
from apps.core import clock
from apps.core.actors import acting_as
from apps.processes.models import Process
from apps.technology.models import Tool
from apps.tickets.demo_after import tell_after
from apps.tickets.demo_routing import tell_routing
from apps.tickets.domain import linking, moves
from apps.tickets.domain.agreements import submit_agreement
from apps.tickets.domain.conversation import answer_as_requester, reply
from apps.tickets.domain.forms import publish_form
from apps.tickets.domain.intake import open_ticket
from apps.tickets.domain.problems import call_known, open_problem
from apps.tickets.domain.templates import filled, submit_version, write_version
from apps.tickets.enums import Intake, Tier
from apps.tickets.models import Agreement, Mailbox, Queue, ReplyTemplate, Ticket, TicketType

QUEUES = (
    ("Marketing desk", "Everything marketers ask that belongs nowhere else.", "Marketing Operations", True),
    ("Data and reporting", "Lists, segments, dashboards and figures.", "Marketing Operations", False),
    ("Systems and access", "Tools that fail, integrations, accounts.", "Marketing Operations", False),
)
TYPES = (
    (
        "Download logos and templates",
        Tier.SELF_SERVICE,
        "Logos, slides and e-mail signatures in the current brand.",
        (
            "Open **Brand / Downloads** in the asset library and take the newest folder.\n\n"
            "- Logos: `SVG` for screens, `PDF` for print\n- Slides: the 16:9 master\n- Signatures: the text version"
        ),
        "",
        "",
    ),
    (
        "New e-mail template",
        Tier.STANDARD,
        "A template built from the modules of the design system, tested in ten clients.",
        "Have the copy approved first; building starts with the final text.",
        "Marketing desk",
        (
            "Campaign name* | text\nLanguage* | choice | English, German, Portuguese\nGoes out on* | date\n"
            "Link to the approved copy* | text\nAnything special | long text"
        ),
    ),
    (
        "List or segment",
        Tier.STANDARD,
        "Contacts that match what you describe, with the consent they have given.",
        "Lists are for one campaign and expire with it.",
        "Data and reporting",
        (
            "For which campaign* | text\nWho belongs in it* | long text\nWho must not | long text\n"
            "Expected size | number\nNeeded by* | date"
        ),
    ),
    (
        "Something does not work",
        Tier.STANDARD,
        "A tool, a form, an integration or a report that does something else than it should.",
        "",
        "Systems and access",
        "Where* | text | The tool or the page\nSince when | date\nDoes it stop your work* | yes or no",
    ),
    (
        "New tool or integration",
        Tier.PROJECT,
        "Needs an evaluation, a budget and an owner; this starts the conversation.",
        "Say which problem it solves and who has it. The technology team comes back with the next step.",
        "Systems and access",
        "Which problem does it solve* | long text\nWho would use it* | text\nBudget | number",
    ),
)
PROMISES = """P1 | 30 min | 1 h | 8 h
P2 | 1 h | 4 h | 2 d
P3 | 4 h | 1 d | 4 d
P4 | 1 d | 2 d | 10 d
project P3 | 1 d | 2 d | -"""
LADDER = """50 % | tell assignee
75 % | tell assignee, team
90 % | tell team, manager, owner | raise priority
100 % | tell manager, owner"""
# by which procedure such tickets are worked on, and whether it starts with the ticket or by the button on its page
PROCEDURES = {
    "New e-mail template": ("Creative development", True),
    "List or segment": ("Campaign automation set-up", False),
    "New tool or integration": ("Implement a tool", False),
}
ADDRESSES = {"Data and reporting": "lists@example.com"}
TEMPLATES = (
    (
        "We are looking into it",
        (
            "Hello {requester},\n\nthank you for {ticket}. We can see what you describe and are looking for the cause. "
            "You hear from us by the end of the day.\n\n{agent}"
        ),
        "Only when you have reproduced it. Name the next update, and keep it.",
    ),
    (
        "We need more from you",
        "Hello {requester},\n\nto go on with “{title}” we need:\n\n- \n\nUntil then {ticket} waits for you.\n\n{agent}",
        "Ask everything at once. Send with “wait for an answer”, so that time stands still.",
    ),
    (
        "Done",
        (
            "Hello {requester},\n\n“{title}” is done. Have a look, and write here within two weeks if something is "
            "missing.\n\n{agent}"
        ),
        "Say what was done where, in one sentence of your own.",
    ),
)


def tell(company: Any) -> None:
    """Set up the desk and let a fortnight pass."""
    people: dict[str, User] = company.people
    boss = people["manager"]
    with acting_as(boss, reason="The desk opens"):
        queues = {
            name: Queue.objects.create(
                name=name,
                purpose=purpose,
                team=company.teams[team],
                is_default=default,
                address=ADDRESSES.get(name, ""),
            )
            for name, purpose, team, default in QUEUES
        }
        types = {each[0]: _type(each, queues, boss) for each in TYPES}
    templates = [_template(company, people, *each) for each in TEMPLATES]
    _agreements(company, people, queues)
    tell_routing(company, people, queues, types)
    _broken_form(company, people, types, templates)
    _segment(company, people, types)
    _duplicates(company, people)
    _rest(company, people, types, queues)
    _weeks(company, people, types, templates)
    _problem(people, types)
    _mailbox(people, queues)
    tell_after(company, people)


def _template(company: Any, people: dict[str, User], name: str, body: str, guidelines: str) -> ReplyTemplate:
    """Written by the manager, approved by the director; of the last one a newer version is under way."""
    boss = people["manager"]
    with acting_as(boss):
        template: ReplyTemplate = ReplyTemplate.objects.create(name=name, owner_person=boss)
    version = write_version(template, by=boss, body=body, guidelines=guidelines)
    submit_version(version, by=boss, at=company.at(19))
    request = ApprovalRequest.objects.open().get(object_id=version.pk, content_type__model="templateversion")
    approve(request, by=people["director"], at=company.at(18))
    template.refresh_from_db()
    if name == "Done":
        shorter = "Hello {requester},\n\n“{title}” is done. Is it what you needed?\n\n{agent}"
        write_version(template, by=boss, body=shorter, note="Ends with a question: more of them answer it.")
    return template


def _agreements(company: Any, people: dict[str, User], queues: dict[str, Queue]) -> None:
    """Two signed by both sides, one that waits for the other side."""
    for name, signed in (("Marketing desk", True), ("Systems and access", True), ("Data and reporting", False)):
        with acting_as(people["manager"]):
            agreement = Agreement.objects.create(
                name=f"{name} for Demand Generation",
                queue=queues[name],
                customer=company.teams["Demand Generation"],
                for_everybody=True,
                provider_signatory=people["director"],
                customer_signatory=people["demand_lead"],
                effective_on=company.today - dt.timedelta(days=30),
                promises=PROMISES,
                escalation=LADDER if name == "Systems and access" else "",
                owner_person=people["manager"],
            )
        submit_agreement(agreement, by=people["manager"], note="As agreed in the quarterly review.", at=company.at(21))
        request = ApprovalRequest.objects.get(object_id=agreement.pk, content_type__model="agreement")
        approve(request, by=people["director"], at=company.at(20))
        if signed:
            approve(request, by=people["demand_lead"], at=company.at(20, 15))


def _type(row: tuple[str, Tier, str, str, str, str], queues: dict[str, Queue], boss: User) -> TicketType:
    name, tier, summary, guide, queue, questions = row
    procedure, at_once = PROCEDURES.get(name, ("", False))
    in_force = Process.objects.filter(effective_version__isnull=False, archived_at__isnull=True)
    process = in_force.filter(title=procedure).first()
    kind: TicketType = TicketType.objects.create(
        name=name,
        tier=tier,
        summary=summary,
        guide=guide,
        queue=queues.get(queue),
        owner_person=boss,
        process=process,
        starts_run=at_once and process is not None,
    )
    if questions:
        publish_form(kind, by=boss, questions=questions)
    return kind


def _broken_form(
    company: Any, people: dict[str, User], types: dict[str, TicketType], templates: list[ReplyTemplate]
) -> None:
    """Answered from a template, waited, came back, done."""
    asks, helps = people["campaign_manager"], people["specialist"]
    ticket = open_ticket(
        title="Webinar form loses the company name",
        body="Since this morning leads from the webinar page arrive **without company**. Routing puts them all into "
        "the default territory.",
        by=asks,
        kind=types["Something does not work"],
        answers={"where": "Webinar landing page", "does_it_stop_your_work": "Yes"},
        impact=3,
        urgency=2,
        channel=Intake.PORTAL,
        at=company.at(6, 9),
    )
    _about(
        ticket, helps, company.at(6, 10), Tool.objects.order_by("pk").first(), Campaign.objects.order_by("pk").first()
    )
    reply(
        ticket,
        body=filled(templates[0], ticket, agent=helps),
        by=helps,
        template=templates[0],
        at=company.at(6, 10),
    )
    note = "The field mapping was renamed in Friday's release; the integration still sends the old key."
    reply(ticket, body=note, by=helps, internal=True, at=company.at(6, 11))
    linking.add_points(
        ticket, by=helps, points="Map the new key\nRe-run the leads of today\nAdd it to the release check"
    )
    points = list(ticket.checklist.all())
    for point in points[:2]:
        linking.tick(ticket, by=helps, point=point, at=company.at(6, 13))
    body = "Mapped, and the 41 leads of this morning are re-routed. Can you check three of them?"
    reply(ticket, body=body, by=helps, then="waiting_requester", at=company.at(6, 14))
    answer_as_requester(ticket, body="Checked five, all fine. Thank you!", by=asks, at=company.at(5, 8))
    linking.tick(ticket, by=helps, point=points[-1], at=company.at(5, 8))
    linking.spend_time(ticket, by=helps, minutes=95, note="Mapping and re-run")
    moves.resolve(ticket, by=helps, resolution="solved", note="The mapping follows the new field.", at=company.at(5, 9))


def _segment(company: Any, people: dict[str, User], types: dict[str, TicketType]) -> None:
    """Waits for its requester."""
    ticket = open_ticket(
        title="Manufacturing contacts in DACH for the spring campaign",
        body="Decision makers in manufacturing, 200 to 2,000 people, without current opportunities.",
        by=people["campaign_manager_2"],
        kind=types["List or segment"],
        answers={
            "for_which_campaign": "Spring manufacturing",
            "who_belongs_in_it": "Heads of production and operations in Germany, Austria and Switzerland",
            "needed_by": str(company.today + dt.timedelta(days=9)),
        },
        channel=Intake.PORTAL,
        at=company.at(2, 9),
    )
    body = "Do you want contacts whose consent runs out during the campaign? That is about a tenth of them."
    reply(ticket, body=body, by=people["analyst"], then="waiting_requester", at=company.at(2, 13))


def _duplicates(company: Any, people: dict[str, User]) -> None:
    """Two about the same, merged."""
    agent = people["specialist_2"]
    tickets = [
        open_ticket(
            title=title, body=body, by=people[asks], impact=2, urgency=3, channel=Intake.PORTAL, at=company.at(1, hour)
        )
        for title, body, asks, hour in (
            ("Dashboard shows yesterday's figures", "The pipeline dashboard has not moved since 18:00.", "sales", 8),
            ("Pipeline report is stale", "Same numbers as yesterday.", "sales_lead", 9),
        )
    ]
    body = "The nightly load failed; it runs again now. You will see fresh figures within the hour."
    reply(tickets[0], body=body, by=agent, at=company.at(1, 10))
    linking.merge_into(tickets[1], by=agent, other=tickets[0], note="Same dashboard.", at=company.at(1, 10))


def _rest(company: Any, people: dict[str, User], types: dict[str, TicketType], queues: dict[str, Queue]) -> None:
    """What is new this morning, and what waits for a vendor."""
    answers = {
        "campaign_name": "Partner day",
        "language": "German",
        "goes_out_on": str(company.today + dt.timedelta(days=12)),
        "link_to_the_approved_copy": "Content library, partner day, final",
    }
    open_ticket(
        title="Invitation for the partner day",
        body="Two columns, with the agenda below the fold.",
        by=people["copywriter"],
        kind=types["New e-mail template"],
        answers=answers,
        channel=Intake.PORTAL,
        at=min(company.at(0, 7), clock.now()),
    )
    slow = open_ticket(
        title="Consent sync is a day behind",
        body="Unsubscribes reach the e-mail tool a day late.",
        by=people["legal"],
        queue=queues["Systems and access"],
        impact=3,
        urgency=3,
        at=company.at(3, 8),
    )
    body = "The vendor confirms a queue on their side and works on it."
    reply(slow, body=body, by=people["technology_administrator"], at=company.at(3, 9))
    reason = "Vendor case 55-1207"
    who = people["technology_administrator"]
    moves.wait(slow, by=who, state="waiting_vendor", reason=reason, at=company.at(3, 9))
    open_ticket(
        title="A client asks which data we keep",
        body="They want a copy and then deletion.",
        by=people["manager"],
        requester_name="Anke Petersen",
        requester_email="anke.petersen@example.org",
        urgency=3,
        at=min(company.at(0, 8), clock.now()),
    )


def _weeks(company: Any, people: dict[str, User], types: dict[str, TicketType], templates: list[ReplyTemplate]) -> None:
    """What came in the weeks before, solved: so that demand and figures have a past."""
    asks, helps = people["sales_lead"], people["analyst"]
    for week, number in enumerate((2, 1, 2, 3, 2, 3, 2), start=2):
        for place in range(number):
            days = 7 * week + place
            made = open_ticket(
                title=("Contacts for the newsletter", "Figures for the board", "Segment for the webinar")[place],
                body="As every month, please; the filters are those of last time.",
                by=asks,
                kind=types["List or segment"],
                answers={
                    "for_which_campaign": "Newsletter",
                    "who_belongs_in_it": "As last time",
                    "needed_by": str(company.today - dt.timedelta(days=days - 5)),
                },
                channel=Intake.PORTAL,
                at=company.at(days, 9),
            )
            linking.spend_time(made, by=helps, minutes=40 + 10 * place, spent_on=company.at(days, 10).date())
            at, note = company.at(days - 1, 11), "It is in the shared folder."
            if place == 0:
                done = templates[2]
                reply(made, body=filled(done, made, agent=helps), by=helps, template=done, then="resolved", at=at)
            else:
                moves.resolve(made, by=helps, resolution="solved", note=note, at=at)


def _problem(people: dict[str, User], types: dict[str, TicketType]) -> None:
    """What two tickets have in common, with a way around it."""
    by = people["specialist"]
    problem = open_problem(
        title="Renamed fields break integrations after a release",
        description="Forms and syncs lose values after releases that rename a field.",
        kind=types["Something does not work"],
        tickets=list(Ticket.objects.filter(title__in=("Webinar form loses the company name",))),
        by=by,
    )
    call_known(
        problem,
        by=by,
        root_cause="Integrations address fields by key, and the release check does not look at them.",
        workaround="Map the new key in the integration, then re-run the records of the day.",
    )


def _mailbox(people: dict[str, User], queues: dict[str, Queue]) -> None:
    """A mailbox as it would be set up; nobody fetches it, for there is no server behind the demo."""
    with acting_as(people["technology_administrator"]):
        Mailbox.objects.create(
            name="Marketing help",
            address="marketing-help@example.com",
            host="imap.example.com",
            username="marketing-help",
            secret_name="MOPS_MAILBOX_MARKETING_HELP_PASSWORD",  # noqa: S106  # the name of a variable
            queue=queues["Marketing desk"],
            runs_as=people["specialist"],
            is_active=False,
        )


def _about(ticket: Ticket, agent: User, at: dt.datetime, *things: Any) -> None:
    for thing in things:
        if thing is not None:
            linking.add_record(ticket, by=agent, thing=thing, at=at)
