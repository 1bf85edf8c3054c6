"""The demo's chapter about what is shown: distributions, a month of figures, material in use, a campaign's content."""

import datetime as dt
import math
from typing import Any

from apps.accounts.models import User
from apps.content.domain import figures, publishing, using
from apps.content.models import PUBLISHING_TOOLS, ContentVersion, Distribution
from apps.technology.models import Tool

DAYS = 28


def tell_shown(company: Any, people: dict[str, User], versions: dict[str, ContentVersion]) -> None:
    """Publish the newsletter through a tool, plan the demo page, and let a month pass."""
    tools = Tool.objects.live().filter(lifecycle__in=PUBLISHING_TOOLS)
    tool = tools.filter(name__icontains="HubSpot").first() or tools.order_by("pk").first()
    boss, news, page, card = people["manager"], *(versions[each] for each in ("news", "page", "card"))
    if tool is not None:
        publishing.plan_distribution(news, by=boss, tool=tool, place="List: customers with a contract")
        publishing.mark_published(Distribution.objects.get(version=news), by=boss, at=company.at(DAYS))
        publishing.plan_distribution(page, by=boss, tool=tool, place="Page: /demo")
    for ago in range(DAYS, 0, -1):
        _day(news, boss, company.today - dt.timedelta(days=ago), ago, company.today)
    using.note_use(card, by=boss, occasion="Hafen Logistik, second meeting", helped=True, at=company.at(5))
    said = "They asked for prices; the card does not say."
    using.note_use(card, by=people["specialist"], occasion="Brightwater, first call", helped=False, note=said)


def _day(version: ContentVersion, by: User, day: dt.date, ago: int, today: dt.date) -> None:
    """A newsletter is opened on the first days, then less and less."""
    fades = math.exp(-(DAYS - ago) / 6)
    sent = 4200 if ago == DAYS else 0
    figures.record_metric(
        version,
        by=by,
        day=day,
        main_channel="email",
        source="HubSpot",
        today=today,
        shown=sent,
        delivered=sent - 61 if sent else 0,
        bounced=61 if sent else 0,
        opened=int(520 * fades) + ago % 3,
        clicked=int(96 * fades) + ago % 2,
        converted=int(9 * fades),
        complained=1 if ago == DAYS - 1 else 0,
        unsubscribed=int(5 * fades),
    )
