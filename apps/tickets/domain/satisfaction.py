"""What requesters thought: how many answered, what they said, and how those differ who did not answer."""

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Avg, Count, DurationField, ExpressionWrapper, F, Q, QuerySet

from apps.accounts.models import called
from apps.core import access
from apps.core.words import NOTHING
from apps.tickets.enums import Tier
from apps.tickets.models import Survey, Ticket

if TYPE_CHECKING:
    from apps.accounts.models import User

BY = {"tier": "Tier", "queue__name": "Queue", "template__name": "Template", "agent": "Person"}
NONE = {"queue__name": "Without a queue", "template__name": "Without a template", "agent": "Nobody"}
FEW = 5


@dataclass(frozen=True)
class Line:
    """One line of the table: who was asked, who answered, and the mean of what they said."""

    name: str
    asked: int
    answered: int
    mean: float | None
    low: int

    @property
    def rate(self) -> str:
        """The share that answered."""
        return f"{self.answered / self.asked:.0%}" if self.asked else NOTHING

    @property
    def is_thin(self) -> bool:
        """Whether too few answered to say much."""
        return self.answered < FEW


@dataclass(frozen=True)
class Side:
    """Those who answered, or those who did not: what their tickets were like."""

    name: str
    tickets: int
    hours: float | None
    reopened: float | None


def surveys_of(user: "User", *, since: dt.datetime) -> QuerySet[Survey]:
    """Return the surveys since a moment about tickets that `user` may see, where they may see surveys at all."""
    if not access.has_model_permission(user, "view", Survey):
        return Survey.objects.none()
    return Survey.objects.filter(asked_at__gte=since, ticket__in=access.visible(user, Ticket).values("pk"))


def lines(rows: QuerySet[Survey], by: str = "") -> list[Line]:
    """Return the figures of all rows, or one line for each value of `by`."""
    figures: dict[str, Any] = {
        "asked": Count("pk"),
        "answered": Count("answered_at"),
        "mean": Avg("score"),
        "low": Count("pk", filter=Q(score__lte=2)),
    }
    if not by:
        return [Line("All", **rows.aggregate(**figures))]
    of = called("agent") if by == "agent" else F(by)
    each_of: Any = rows.order_by().annotate(of=of)
    found: Any = each_of.values("of").annotate(**figures).order_by("-asked", "of")
    return [Line(_name(each.pop("of"), by), **each) for each in found]


def sides(rows: QuerySet[Survey]) -> list[Side]:
    """Return what the tickets of those who answered and of those who did not were like: the bias of silence."""
    took = ExpressionWrapper(F("ticket__resolved_at") - F("ticket__opened_at"), output_field=DurationField())
    found = []
    for name, part in (
        ("Answered", rows.filter(answered_at__isnull=False)),
        ("Did not answer", rows.filter(answered_at__isnull=True)),
    ):
        figures = part.annotate(took=took).aggregate(
            tickets=Count("pk"), mean=Avg("took"), reopened=Avg("ticket__reopened")
        )
        hours = figures["mean"].total_seconds() / 3600 if figures["mean"] is not None else None
        found.append(Side(name, figures["tickets"], hours, figures["reopened"]))
    return found


def _name(value: Any, by: str) -> str:
    if by == "tier":
        return Tier(value).label
    return str(value or NONE[by])
