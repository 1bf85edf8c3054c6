"""The demo's trend: a category that grows, the problems behind tickets, and the improvement made of one."""

import datetime as dt
from typing import Any

from apps.accounts.models import User
from apps.core import clock
from apps.processes.enums import ProcessFigure
from apps.tickets.domain import moves
from apps.tickets.domain.conversation import reply
from apps.tickets.domain.intake import open_ticket
from apps.tickets.domain.problems import call_known, improve, open_problem
from apps.tickets.enums import Intake
from apps.tickets.models import Ticket, TicketType

# (days ago, title, who asks, for which campaign, who belongs in it)
GROWING = (
    (6, "Contacts without consent in the Iberia list", "sales", "Iberia roadshow", "Plant managers in Spain, Portugal"),
    (5, "Webinar list holds unsubscribed contacts", "campaign_manager", "Spring webinar", "Who came last year"),
    (4, "Consent missing for half of the partner segment", "sales_lead", "Partner day", "Partners with a contract"),
    (3, "Newsletter segment: consent has run out", "copywriter", "Newsletter", "As last time"),
    (2, "List for the fair without consent dates", "campaign_manager_2", "Hannover fair", "Visitors of our stand"),
    (1, "Segment shrank to contacts with consent only", "sales", "Upsell maintenance", "Customers of the old line"),
    (1, "Consent column is empty in the export", "sales_lead", "Board mailing", "Executives we know"),
)
TITLE = "Lists are built before consent is checked"


def tell_growth(company: Any, people: dict[str, User], types: dict[str, TicketType]) -> None:
    """Let one category grow within a week, and say what lies behind it."""
    shown = _growing(company, people, types["List or segment"])
    _release(people, types["Something does not work"])
    _consent(people, types["List or segment"], shown)


def _growing(company: Any, people: dict[str, User], kind: TicketType) -> list[Ticket]:
    """Seven lists with the same trouble within a week, where two a week are usual; the first ones are solved."""
    helps, made = people["analyst"], []
    for place, (days, title, asks, campaign, who) in enumerate(GROWING):
        ticket = open_ticket(
            title=title,
            body="We may not write to some of the people in it. Can you look before it goes out?",
            by=people[asks],
            kind=kind,
            answers={
                "for_which_campaign": campaign,
                "who_belongs_in_it": who,
                "needed_by": str(company.today + dt.timedelta(days=6 - days + place)),
            },
            impact=2,
            urgency=3 if days == 1 else 2,
            channel=Intake.PORTAL,
            at=company.at(days, 9 + place % 3),
        )
        if days > 1:
            body = "Right: their consent had ended when the list was built. I take them out and build it again."
            reply(ticket, body=body, by=helps, at=company.at(days, 13))
        if days > 3:
            note = "Built again, with consent checked on the day."
            moves.resolve(
                ticket, by=helps, resolution="solved", note=note, at=min(company.at(days - 1, 10), clock.now())
            )
        made.append(ticket)
    return made


def _consent(people: dict[str, User], kind: TicketType, shown: list[Ticket]) -> None:
    """What the growing category has in common, and the improvement of the process behind it."""
    by = people["manager"]
    problem = open_problem(
        title=TITLE,
        description="Seven lists in a week held people we may not write to; two tickets a week are usual.",
        kind=kind,
        tickets=shown,
        by=by,
    )
    call_known(
        problem,
        by=by,
        root_cause="The list is built days before it is used, and nobody checks consent again when it goes out.",
        workaround="Filter by today's consent just before the list is handed over.",
    )
    problem.refresh_from_db()
    if kind.process is not None:
        improve(problem, by=by, figure=ProcessFigure.REWORK)


def _release(people: dict[str, User], kind: TicketType) -> None:
    """What two tickets have in common, with a way around it."""
    by = people["specialist"]
    problem = open_problem(
        title="Renamed fields break integrations after a release",
        description="Forms and syncs lose values after releases that rename a field.",
        kind=kind,
        tickets=list(Ticket.objects.filter(title__in=("Webinar form loses the company name",))),
        by=by,
    )
    call_known(
        problem,
        by=by,
        root_cause="Integrations address fields by key, and the release check does not look at them.",
        workaround="Map the new key in the integration, then re-run the records of the day.",
    )
