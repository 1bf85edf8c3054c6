"""How the desk does: volume, backlog, answering and solving in working time, promises kept, workload.

Every figure starts from the tickets its reader may see and is counted by PostgreSQL; none depends on how many there
are for the number of its questions. Working time of tickets without a promise is counted in the default calendar; it
is read where it was kept (`kept_times`), and counted where it was not yet.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Avg, Case, Count, F, OuterRef, Q, Subquery, Sum, Value, When
from django.db.models.functions import TruncDay, TruncMonth, TruncWeek

from apps.accounts.models import User, called
from apps.core import access
from apps.core.calendars.domain import business_time
from apps.core.calendars.domain.queries import default_calendar, schedule_for
from apps.core.calendars.models import BusinessCalendar
from apps.core.clocks.domain.laying_out import LAID, lay_out, place_in_laid, worked_in_laid
from apps.core.clocks.enums import ClockState
from apps.core.clocks.models import Clock
from apps.core.records import kind_of
from apps.tickets.domain.kept_times import ENDED
from apps.tickets.domain.service import FIRST, SOLUTION
from apps.tickets.enums import ACTIVE, Intake, Priority
from apps.tickets.models import Agreement, Queue, Ticket, TimeEntry

if TYPE_CHECKING:
    from django.db.models import QuerySet

PERCENTILES = (0.5, 0.75, 0.9, 0.95)
AGES = ((0, 1), (1, 3), (3, 7), (7, 30), (30, None))
MOST_PEOPLE = 50
# in seconds; a time that was not kept is worked out once, and counted for its priority and for all of them
_TIMES = f"""
    WITH laid AS MATERIALIZED ({LAID}), timed (priority, begun, ended, kept, counted) AS NOT MATERIALIZED ({{}})
    SELECT coalesce(priority, 0), count(*), percentile_cont(ARRAY{list(PERCENTILES)}) WITHIN GROUP (ORDER BY took)
    FROM (
        SELECT priority, coalesce(kept, date_part('epoch', coalesce(
            counted, {worked_in_laid("ended", "z")} - {worked_in_laid("begun", "a")}
        ))) AS took
        FROM timed
        CROSS JOIN LATERAL (
            SELECT CASE WHEN kept IS NULL THEN {place_in_laid("begun")} END AS a,
                CASE WHEN kept IS NULL THEN {place_in_laid("ended")} END AS z OFFSET 0
        ) places
    ) taken
    GROUP BY GROUPING SETS ((priority), ()) HAVING count(*) > 0 ORDER BY 1
"""


@dataclass(frozen=True)
class Period:
    """What the figures are about: from a moment up to another, of all queues or of one."""

    since: dt.datetime
    until: dt.datetime
    queue: Queue | None = None

    @property
    def days(self) -> int:
        """How long it is."""
        return max(1, (self.until - self.since).days)


@dataclass(frozen=True)
class Times:
    """How long something took, for all or one priority."""

    label: str
    count: int
    at: tuple[dt.timedelta, ...]


@dataclass(frozen=True)
class Kept:
    """How often one version of an agreement kept one promise."""

    agreement: str
    agreement_id: int
    metric: str
    met: int
    late: int

    @property
    def share(self) -> float:
        """The share that was kept."""
        return self.met / (self.met + self.late)


@dataclass(frozen=True)
class Load:
    """What one person has on their desk, against the working time they had."""

    person: str
    person_id: int
    active: int
    solved: int
    minutes: int
    capacity: dt.timedelta

    @property
    def used(self) -> float:
        """The share of their working time written down on tickets."""
        return dt.timedelta(minutes=self.minutes) / self.capacity if self.capacity else 0.0


@dataclass(frozen=True)
class Figures:
    """Everything a page or a report shows."""

    period: Period
    volume: Sequence[tuple[dt.datetime, int, int]]
    opened: int
    solved: int
    active: int
    ages: Sequence[tuple[str, int, int, int | None]]
    first: Sequence[Times]
    solution: Sequence[Times]
    kept: Sequence[Kept]
    reopened: float | None
    reassigned: float | None
    moves: float
    types: Sequence[tuple[str, int | None, int]]
    load: Sequence[Load]


def figures(reader: User, period: Period, *, now: dt.datetime) -> Figures:
    """Return the figures of a period as `reader` may see them: a fixed number of questions, whatever the size."""
    rows: QuerySet[Ticket] = access.visible(reader, Ticket).filter(archived_at__isnull=True).order_by()
    if period.queue is not None:
        rows = rows.filter(queue=period.queue)
    opened = rows.filter(opened_at__gte=period.since, opened_at__lt=period.until)
    solved = rows.filter(resolved_at__gte=period.since, resolved_at__lt=period.until)
    volume = _volume(opened, solved, period)
    rates = solved.aggregate(
        again=Count("pk", filter=Q(reopened__gt=0)),
        moved=Count("pk", filter=Q(reassigned__gt=0)),
        moves=Avg("reassigned"),
        all=Count("pk"),
    )
    ages = _ages(rows, now)
    calendar = default_calendar()
    schedule = schedule_for(calendar)
    version = lay_out(calendar, timeline=schedule).pk
    return Figures(
        period=period,
        volume=volume,
        opened=sum(each[1] for each in volume),
        solved=rates["all"],
        active=sum(each[1] for each in ages),
        ages=ages,
        first=_times(rows, period, FIRST, calendar, version),
        solution=_times(rows, period, SOLUTION, calendar, version),
        kept=_kept(rows, period),
        reopened=rates["again"] / rates["all"] if rates["all"] else None,
        reassigned=rates["moved"] / rates["all"] if rates["all"] else None,
        moves=float(rates["moves"] or 0),
        types=[
            (each["type__name"] or "Without a type", each["type_id"], each["n"])
            for each in opened.values("type_id", "type__name").annotate(n=Count("pk")).order_by("-n")[:12]
        ],
        load=_load(rows, period, business_time.elapsed(schedule, period.since, period.until)),
    )


def _volume(
    opened: "QuerySet[Ticket]", solved: "QuerySet[Ticket]", period: Period
) -> list[tuple[dt.datetime, int, int]]:
    """Count what came and what was solved by day, by week or by month, as the period is long."""
    by: Any = TruncDay if period.days <= 31 else TruncWeek if period.days <= 190 else TruncMonth
    counts: dict[dt.datetime, list[int]] = {}
    parts = [
        rows.annotate(step=by(name))
        .values("step")
        .annotate(place=Value(place), n=Count("pk"))
        .values("step", "place", "n")
        for place, rows, name in ((0, opened, "opened_at"), (1, solved, "resolved_at"))
    ]
    for each in parts[0].union(parts[1], all=True):
        counts.setdefault(each["step"], [0, 0])[each["place"]] = each["n"]
    return [(step, *both) for step, both in sorted(counts.items())]  # type: ignore[misc]  # two counts each


def _ages(rows: "QuerySet[Ticket]", now: dt.datetime) -> list[tuple[str, int, int, int | None]]:
    """Count what is still to be done by how long ago it was opened."""
    day = dt.timedelta(days=1)
    filters = {
        f"age{number}": Count(
            "pk", filter=Q(opened_at__lte=now - low * day) & (Q(opened_at__gt=now - high * day) if high else Q())
        )
        for number, (low, high) in enumerate(AGES)
    }
    found = Ticket.objects.active().filter(pk__in=rows.values("pk")).aggregate(**filters)
    labels = [f"{low} to {high} days" if high else f"over {low} days" for low, high in AGES]
    return [(label, found[f"age{n}"], *AGES[n]) for n, label in enumerate(["under a day", *labels[1:]])]


def _times(
    rows: "QuerySet[Ticket]", period: Period, metric: str, calendar: BusinessCalendar, version: int
) -> list[Times]:
    """Return how long answering or solving took in working time: by the clock, which leaves pauses out, if any."""
    name, moment = {FIRST: ("first_response", "first_response_at"), SOLUTION: ("resolution", "resolved_at")}[metric]
    clocks = Clock.objects.filter(
        content_type=kind_of(Ticket), object_id=OuterRef("pk"), metric=metric, state__in=ENDED
    ).order_by("-id")
    holds = Q(times__calendar=None) | Q(times__calendar=calendar)
    timed = (
        rows.filter(**{f"{moment}__gte": period.since, f"{moment}__lt": period.until})
        .exclude(intake=Intake.IMPORT)
        .annotate(
            kept=Case(When(holds, **{f"times__{moment}": F(moment)}, then=F(f"times__{name}"))),
            counted=Subquery(clocks.values("counted")[:1]),
        )
    )
    try:
        sql, values = timed.values_list("priority", "opened_at", moment, "kept", "counted").query.sql_with_params()
    except EmptyResultSet:  # somebody who sees no ticket
        return []
    with connection.cursor() as cursor:
        cursor.execute(_TIMES.format(sql), [version, *values])
        found = [
            Times(Priority(of).label if of else "All", n, tuple(dt.timedelta(seconds=each) for each in at or ()))
            for of, n, at in cursor.fetchall()
        ]
    return found if len(found) > 2 else found[1:]


def _kept(rows: "QuerySet[Ticket]", period: Period) -> list[Kept]:
    """Count promises kept by version of the agreement they were made under."""
    clocks = Clock.objects.filter(
        content_type=kind_of(Ticket),
        state__in=ENDED,
        closed_at__gte=period.since,
        closed_at__lt=period.until,
        object_id__in=rows.filter(agreement__isnull=False).values("pk"),
    )
    agreement = Subquery(Ticket.objects.filter(pk=OuterRef("object_id")).values("agreement")[:1])
    counted = list(
        clocks.order_by()
        .annotate(under=agreement)
        .values("under", "metric")
        .annotate(met=Count("pk", filter=Q(state=ClockState.MET)), late=Count("pk", filter=Q(state=ClockState.LATE)))
        .order_by("under", "metric")
    )
    names = Agreement.objects.in_bulk({each["under"] for each in counted})
    return [
        Kept(str(names[each["under"]]), each["under"], each["metric"], each["met"], each["late"]) for each in counted
    ]


def _load(rows: "QuerySet[Ticket]", period: Period, capacity: dt.timedelta) -> list[Load]:
    """Return what each person has, has solved and has spent, against the working time of the period."""
    last = (period.until - dt.timedelta(microseconds=1)).date()
    open_ones = Q(state__in=ACTIVE)
    done = Q(resolved_at__gte=period.since, resolved_at__lt=period.until)
    mine = rows.filter(open_ones | done, assignee__isnull=False).order_by()
    loads: dict[int, dict[str, Any]] = {}
    for each in mine.values("assignee").annotate(
        called=called("assignee"), active=Count("pk", filter=open_ones), solved=Count("pk", filter=done)
    ):
        loads[each["assignee"]] = {**each}
    spent = TimeEntry.objects.filter(
        ticket__in=rows.values("pk"), spent_on__gte=period.since.date(), spent_on__lte=last
    )
    for entry in spent.order_by().values("person").annotate(called=called("person"), n=Sum("minutes")):
        loads.setdefault(entry["person"], {"called": entry["called"]})["minutes"] = entry["n"]
    found_load = [
        Load(each["called"], pk, each.get("active", 0), each.get("solved", 0), each.get("minutes", 0), capacity)
        for pk, each in loads.items()
    ]
    return sorted(found_load, key=lambda each: (-each.active, -each.solved, each.person))[:MOST_PEOPLE]
