"""The demo after the answer: what requesters thought, follow-ups, and articles made of what is in force."""

import datetime as dt
from typing import Any

from apps.accounts.models import User
from apps.core import clock
from apps.core.actors import acting_as, system_principal
from apps.processes.enums import StakeholderAccess
from apps.processes.models import Process
from apps.tickets.domain.follow_ups import plan_follow_up
from apps.tickets.domain.knowledge import read_article, vote
from apps.tickets.domain.surveys import VALID_FOR, record_score
from apps.tickets.enums import DONE, Audience, ReadFrom, Tier
from apps.tickets.models import Article, Survey, Ticket

MOST = 4


def tell_after(company: Any, people: dict[str, User]) -> None:
    """Ask about what is done, without sending mail; answer once; plan a look back; offer articles."""
    done = Ticket.objects.filter(state__in=DONE, merged_into=None).select_related("type", "queue", "requester")
    for place, ticket in enumerate(done.order_by("pk")):
        asked = (ticket.resolved_at or company.at(5, 10)) + dt.timedelta(hours=1)
        last = ticket.messages.filter(template__isnull=False).order_by("at").last()
        with acting_as(system_principal()):
            survey = Survey.objects.create(
                ticket=ticket,
                round=ticket.reopened,
                queue=ticket.queue,
                tier=ticket.type.tier if ticket.type is not None else Tier.STANDARD,
                template=last.template if last is not None else None,
                agent=ticket.assignee,
                asked_at=asked,
                expires_at=asked + VALID_FOR,
            )
        if place == 0:
            record_score(survey, score=5, comment="Quick, and I was told why it happened.", at=company.at(4, 9))
            plan_follow_up(
                ticket,
                by=people["specialist"],
                question="Did the next release keep the mapping?",
                due_on=max(company.today, clock.today()) + dt.timedelta(days=3),
            )
        elif place % 3 == 0:
            record_score(survey, score=4 if place % 2 else 3, at=asked + dt.timedelta(hours=20))
    _articles(company, people)


def _articles(company: Any, people: dict[str, User]) -> None:
    open_ones = Process.objects.filter(
        effective_version__isnull=False,
        archived_at__isnull=True,
        stakeholder_access=StakeholderAccess.EVERYBODY,
        classification__in=("public", "internal"),
    )
    boss, reader = people["manager"], people["copywriter"]
    for place, process in enumerate(open_ones.order_by("title")[:MOST]):
        with acting_as(boss):
            article: Article = Article.objects.create(process=process, audience=Audience.EVERYBODY)
        if place == 0:
            for person, days in ((reader, 6), (people["sales"], 3)):
                read_article(person, article.pk, source=ReadFrom.ASKING, at=company.at(days, 10))
            vote(article, by=reader, helpful=True, at=company.at(6, 10))
            vote(
                article,
                by=people["sales"],
                helpful=False,
                comment="Who decides when the owner is away?",
                at=company.at(3, 10),
            )
