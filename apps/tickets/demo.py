"""The demo's chapter about tickets: the desk opens, and a fortnight passes at it."""

import datetime as dt
from typing import Any

from apps.accounts.models import User
from apps.campaigns.models import Campaign
from apps.core import clock
from apps.technology.models import Tool
from apps.tickets.demo_after import tell_after
from apps.tickets.demo_desk import open_desk
from apps.tickets.demo_growth import tell_growth
from apps.tickets.demo_mail import tell_mail
from apps.tickets.demo_routing import tell_next_rules, tell_routing
from apps.tickets.domain import linking, moves
from apps.tickets.domain.conversation import answer_as_requester, reply
from apps.tickets.domain.intake import open_ticket
from apps.tickets.domain.templates import filled
from apps.tickets.enums import Intake
from apps.tickets.models import Queue, ReplyTemplate, Ticket, TicketType


def tell(company: Any) -> None:
    """Set up the desk and let a fortnight pass."""
    people: dict[str, User] = company.people
    queues, types, templates = open_desk(company, people)
    tell_routing(company, people, queues, types)
    _broken_form(company, people, types, templates)
    _segment(company, people, types)
    _duplicates(company, people)
    _rest(company, people, types, queues)
    _weeks(company, people, types, templates)
    tell_growth(company, people, types)
    tell_mail(company, people, queues)
    tell_next_rules(people)
    tell_after(company, people)


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


def _about(ticket: Ticket, agent: User, at: dt.datetime, *things: Any) -> None:
    for thing in things:
        if thing is not None:
            linking.add_record(ticket, by=agent, thing=thing, at=at)
