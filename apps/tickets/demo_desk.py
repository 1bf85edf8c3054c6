"""The demo's desk before the first ticket: queues, the catalogue, templates and agreements."""

import datetime as dt
from typing import Any

from apps.accounts.models import User
from apps.approvals.domain.decisions import approve
from apps.approvals.models import ApprovalRequest
from apps.core.actors import acting_as
from apps.processes.models import Process
from apps.tickets.domain.agreements import submit_agreement
from apps.tickets.domain.forms import publish_form
from apps.tickets.domain.templates import submit_version, write_version
from apps.tickets.enums import Tier
from apps.tickets.models import Agreement, Queue, ReplyTemplate, TicketType

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
QUICK = """P1 | 15 min | 30 min | 4 h
P2 | 30 min | 2 h | 1 d
P3 | 2 h | 4 h | 2 d
P4 | 4 h | 1 d | 4 d"""
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


def open_desk(
    company: Any, people: dict[str, User]
) -> tuple[dict[str, Queue], dict[str, TicketType], list[ReplyTemplate]]:
    """Set up queues, the catalogue, templates and agreements; returns the first three."""
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
    _agreements(company, people, queues, types)
    return queues, types, templates


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


def _agreements(company: Any, people: dict[str, User], queues: dict[str, Queue], types: dict[str, TicketType]) -> None:
    """Three signed by both sides, one of them for what is broken alone; one waits for the other side."""
    broken = {"field": "type", "op": "eq", "value": types["Something does not work"].pk}
    quick: dict[str, Any] = {"applies_to": {"predicate": {"all": [broken]}}, "promises": QUICK}
    for name, title, signed, given in (
        ("Marketing desk", "", True, {}),
        ("Systems and access", "", True, {}),
        ("Systems and access", "What does not work", True, quick),
        ("Data and reporting", "", False, {}),
    ):
        with acting_as(people["manager"]):
            agreement = Agreement.objects.create(
                name=title or f"{name} for Demand Generation",
                queue=queues[name],
                customer=company.teams["Demand Generation"],
                for_everybody=True,
                provider_signatory=people["director"],
                customer_signatory=people["demand_lead"],
                effective_on=company.today - dt.timedelta(days=30),
                escalation=LADDER if name == "Systems and access" else "",
                owner_person=people["manager"],
                **{"promises": PROMISES, **given},
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
