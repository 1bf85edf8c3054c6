"""Where approvals wait: queue time and touch time per stage and person, the oldest blocker, rounds, rework.

Queue time is what passes between the begin of a stage and the moment an approver first opens the request; touch time
what passes from there to the decision (0 where it was decided without opening, from the inbox for instance). Both are
counted in business hours of the default calendar. The rework rate is the share of settled requests that were sent back
at least once before; a round is one sending.
"""

import datetime as dt
import statistics
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from django.db.models import F, Max, OuterRef, QuerySet, Subquery

from apps.accounts.models import User
from apps.approvals.enums import RequestState, StageState
from apps.approvals.models import ApprovalRequest, Decision, Opening, StageInstance
from apps.core.access import visible
from apps.core.calendars.domain import business_time
from apps.core.calendars.domain.queries import schedule_for
from apps.core.calendars.domain.schedule import Calendar, always_open
from apps.core.calendars.models import BusinessCalendar

MOST = 5000
HOUR = dt.timedelta(hours=1)
REFUSED = (RequestState.REJECTED.value, RequestState.CHANGES_REQUESTED.value)


@dataclass(frozen=True)
class Times:
    """Waiting and working time of one stage or person, in business hours.

    Attributes:
        name: of the stage or person.
        number: of decisions.
        queue: the median from the begin of a stage to its first opening.
        touch: the median from there to the decision.
        longest: the longest of both together.
        lookups: what narrows the list of requests to those behind it.
    """

    name: str
    number: int
    queue: float
    touch: float
    longest: float
    lookups: dict[str, Any] = field(default_factory=dict)

    @property
    def whole(self) -> float:
        """Both together."""
        return self.queue + self.touch


@dataclass(frozen=True)
class Analytics:
    """What the analytics page shows of one span."""

    stages: list[Times]
    people: list[Times]
    settled: int
    rounds: float
    rework: float | None
    refused: int
    oldest: list[StageInstance]


def analyse(person: User, *, since: dt.datetime, until: dt.datetime) -> Analytics:
    """Return the figures of what `person` may see, decided between two moments."""
    requests = visible(person, ApprovalRequest).order_by()
    taken = _decisions(requests, since, until)
    settled = requests.filter(decided_at__gte=since, decided_at__lt=until)
    by_subject = list(
        settled.exclude(state=RequestState.WITHDRAWN)
        .values("content_type", "object_id")
        .annotate(rounds=Max("round"))
        .values_list("rounds", flat=True)
    )
    return Analytics(
        stages=_times(taken, "stage_name", "stage_lookups"),
        people=_times(taken, "person", "person_lookups"),
        settled=settled.count(),
        rounds=round(statistics.mean(by_subject), 2) if by_subject else 0.0,
        rework=sum(each > 1 for each in by_subject) / len(by_subject) if by_subject else None,
        refused=settled.filter(state__in=REFUSED).count(),
        oldest=oldest_blockers(requests),
    )


def oldest_blockers(requests: "QuerySet[ApprovalRequest]", *, limit: int = 5) -> list[StageInstance]:
    """Return the stages that have waited longest for a decision."""
    rows = StageInstance.objects.filter(state=StageState.ACTIVE, approval__in=requests.values("pk"))
    return list(rows.select_related("approval__requester").order_by("activated_at")[:limit])


def _decisions(requests: "QuerySet[ApprovalRequest]", since: dt.datetime, until: dt.datetime) -> list[dict[str, Any]]:
    opened = Opening.objects.filter(stage=OuterRef("stage")).order_by("at").values("at")[:1]
    rows = (
        Decision.objects.filter(at__gte=since, at__lt=until, request__in=requests.values("pk"))
        .annotate(
            begun=F("stage__activated_at"),
            opened=Subquery(opened),
            policy=F("request__policy"),
            policy_name=F("request__policy__name"),
            in_stage=F("stage__name"),
            person=F("approver__full_name"),
        )
        .order_by("-at")
        .values("begun", "opened", "at", "policy_name", "policy", "in_stage", "person", "approver")[:MOST]
    )
    schedule = _schedule()
    taken = []
    for row in rows:
        begun = min(row["begun"] or row["at"], row["at"])
        opened_at = min(max(row["opened"] or row["at"], begun), row["at"])
        taken.append(
            {
                "stage_name": f"{row['policy_name']}: {row['in_stage']}",
                "stage_lookups": {"policy__id__exact": row["policy"], "decisions__stage__name": row["in_stage"]},
                "person": row["person"],
                "person_lookups": {"decisions__approver__exact": row["approver"]},
                "queue": business_time.elapsed(schedule, begun, opened_at) / HOUR,
                "touch": business_time.elapsed(schedule, opened_at, row["at"]) / HOUR,
            }
        )
    return taken


def _schedule() -> Calendar:
    """The hours of the default calendar; where nobody has made one, every hour counts."""
    calendar = BusinessCalendar.objects.filter(is_default=True).first()
    return schedule_for(calendar) if calendar is not None else always_open()


def _times(taken: list[dict[str, Any]], key: str, lookups: str) -> list[Times]:
    groups: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in taken:
        groups[row[key], str(row[lookups])].append(row)
    found = [
        Times(
            name,
            len(rows),
            round(statistics.median(row["queue"] for row in rows), 1),
            round(statistics.median(row["touch"] for row in rows), 1),
            round(max(row["queue"] + row["touch"] for row in rows), 1),
            rows[0][lookups],
        )
        for (name, _), rows in groups.items()
    ]
    return sorted(found, key=lambda each: -each.whole)
