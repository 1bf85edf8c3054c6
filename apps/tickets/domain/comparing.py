"""What another service desk says of its promises, beside what our clocks make of the same incidents."""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from django.db import models

from apps.core.calendars.domain.queries import schedule_for
from apps.core.calendars.domain.schedule import Calendar
from apps.core.calendars.models import BusinessCalendar
from apps.core.clocks.domain import arithmetic
from apps.tickets.enums import DONE, WAITING, Priority, TicketState
from apps.tickets.models import ImportedChange, ImportedIncident
from apps.tickets.targets import Targets

# The file names no targets. These are the assumption the report starts with; its page changes them.
ASSUMED = "P1 | - | - | 4 h\nP2 | - | - | 8 h\nP3 | - | - | 3 d\nP4 | - | - | 5 d"
NOTHING = dt.timedelta(0)
SHOWN = 30


@dataclass(frozen=True)
class Piece:
    """One stretch of an incident: running, or waiting for somebody else."""

    started: dt.datetime
    ended: dt.datetime | None
    running: bool


@dataclass(frozen=True)
class Measured:
    """One incident by both desks; `through` is all working time it took, `stood` what of it it waited."""

    incident: ImportedIncident
    priority: Priority
    theirs: bool
    ours: bool
    took: dt.timedelta
    waited: dt.timedelta
    target: dt.timedelta
    through: dt.timedelta
    stood: dt.timedelta

    def kept(self, *, pauses: bool) -> bool:
        """Whether our clock keeps the promise, where time stands still while it waits and where it runs on."""
        return (self.through - self.stood if pauses else self.through) <= self.target

    @property
    def agrees(self) -> bool:
        """Whether both say the same."""
        return self.theirs == self.ours


@dataclass
class Line:
    """What came out for one priority."""

    priority: Priority
    target: dt.timedelta
    measured: list[Measured] = field(default_factory=list)

    def count(self, *, theirs: bool, ours: bool) -> int:
        """How many incidents the two desks judge so."""
        return sum(each.theirs == theirs and each.ours == ours for each in self.measured)

    @property
    def table(self) -> tuple[int, int, int, int]:
        """Kept by both, late by both, kept only by theirs, kept only by ours."""
        return (
            self.count(theirs=True, ours=True),
            self.count(theirs=False, ours=False),
            self.count(theirs=True, ours=False),
            self.count(theirs=False, ours=True),
        )

    @property
    def agreeing(self) -> float:
        """The share on which both agree."""
        return sum(each.agrees for each in self.measured) / len(self.measured)

    @property
    def best(self) -> tuple[dt.timedelta, float]:
        """The target under which both would agree most often, and the share: what the other desk may have promised."""
        ordered = sorted((each.took, each.theirs) for each in self.measured)
        right = sum(not theirs for _, theirs in ordered)  # a target of nothing: all are late
        best, most = NOTHING, right
        for (took, theirs), (following, _) in pairwise([*ordered, (ordered[-1][0] + dt.timedelta(days=1), False)]):
            right += 1 if theirs else -1
            if right > most and following > took:
                best, most = took, right
        return best, most / len(ordered)


@dataclass(frozen=True)
class Way:
    """What comes out for all incidents where time stands still while they wait, or runs on."""

    pauses: bool
    kept: int
    late: int
    agreeing: float


@dataclass(frozen=True)
class Comparison:
    """The report, with everything it assumes."""

    lines: Sequence[Line]
    calendar: BusinessCalendar
    zones: Sequence[str]
    pauses: bool
    unmeasured: int
    counts: tuple[int, int, int]  # incidents, reopened as often as reported, regrouped as often

    @property
    def total(self) -> int:
        """How many incidents were measured."""
        return sum(len(line.measured) for line in self.lines)

    @property
    def agreeing(self) -> float:
        """The share on which both desks agree."""
        return sum(each.agrees for line in self.lines for each in line.measured) / self.total if self.total else 0.0

    @property
    def ways(self) -> list[Way]:
        """The same incidents with pauses and without."""
        return [self._way(pauses=pauses) for pauses in (True, False)] if self.total else []

    @property
    def turned(self) -> int:
        """How many promises are kept only because time stands still."""
        return sum(
            each.kept(pauses=True) and not each.kept(pauses=False) for line in self.lines for each in line.measured
        )

    def _way(self, *, pauses: bool) -> Way:
        judged = [(each.kept(pauses=pauses), each.theirs) for line in self.lines for each in line.measured]
        kept = sum(ours for ours, _ in judged)
        return Way(pauses, kept, len(judged) - kept, sum(ours == theirs for ours, theirs in judged) / len(judged))

    @property
    def disagreements(self) -> list[Measured]:
        """Those they judge differently, the clearest first."""
        found = [each for line in self.lines for each in line.measured if not each.agrees]
        return sorted(found, key=lambda each: -abs(each.took - each.target))[:SHOWN]


def compare(
    incidents: "models.QuerySet[ImportedIncident]",
    *,
    targets: Targets,
    calendar: BusinessCalendar,
    pauses: bool = True,
) -> Comparison:
    """Measure each resolved incident with our arithmetic and put it beside what its own desk says.

    Args:
        incidents: those a person may see.
        targets: assumed promises; the resolution by priority counts.
        calendar: whose working time counts.
        pauses: whether time stands still while an incident waits for its caller, a vendor or somebody else.
    """
    schedule = schedule_for(calendar)
    changes = models.Prefetch("changes", ImportedChange.objects.only("incident_id", "sequence", "at", "state", "facts"))
    rows = list(incidents.select_related("ticket").prefetch_related(changes))
    lines: dict[Priority, Line] = {}
    unmeasured, same_reopened, same_reassigned = 0, 0, 0
    for incident in rows:
        seen = list(incident.changes.all())
        reopened, reassigned = _steps(seen)
        same_reopened += reopened == incident.reopened
        same_reassigned += reassigned == incident.reassigned
        priority = Priority(incident.ticket.priority)
        target = targets.of("", priority)
        if target is None or target.resolution is None or incident.kept_promise is None:
            unmeasured += 1
            continue
        if incident.ticket.resolved_at is None:
            unmeasured += 1
            continue
        line = lines.setdefault(priority, Line(priority, target.resolution))
        line.measured.append(_measure(incident, seen, schedule, target.resolution, pauses=pauses))
    return Comparison(
        lines=[lines[each] for each in sorted(lines)],
        calendar=calendar,
        zones=sorted({each.zone for each in rows}),
        pauses=pauses,
        unmeasured=unmeasured,
        counts=(len(rows), same_reopened, same_reassigned),
    )


def segments_of(incident: ImportedIncident, changes: Iterable[ImportedChange], *, pauses: bool) -> list[Piece]:
    """Return the stretches between opening and resolution: paused while the incident waited, if that counts."""
    opened, over = incident.ticket.opened_at, incident.ticket.resolved_at
    return list(_pieces(opened, over, sorted(changes, key=lambda each: (each.at, each.sequence)), pauses=pauses))


def _pieces(
    opened: dt.datetime, over: dt.datetime | None, changes: Sequence[ImportedChange], *, pauses: bool
) -> Iterator[Piece]:
    if over is None:
        return
    begun, running = opened, True
    for change in changes:
        at = min(max(change.at, opened), over)
        runs = not (pauses and TicketState(change.state) in WAITING)
        if runs == running:
            continue
        yield Piece(begun, at, running)
        begun, running = at, runs
    yield Piece(begun, over, running)


def _measure(
    incident: ImportedIncident,
    changes: Sequence[ImportedChange],
    schedule: Calendar,
    target: dt.timedelta,
    *,
    pauses: bool,
) -> Measured:
    pieces = segments_of(incident, changes, pauses=True)
    over = pieces[-1].ended or incident.ticket.opened_at
    ran = arithmetic.elapsed(pieces, schedule, at=over)
    stood = arithmetic.paused(pieces, schedule, at=over)
    took = ran if pauses else ran + stood
    return Measured(
        incident=incident,
        priority=Priority(incident.ticket.priority),
        theirs=bool(incident.kept_promise),
        ours=took <= target,
        took=took,
        waited=stood if pauses else NOTHING,
        target=target,
        through=ran + stood,
        stood=stood,
    )


def _steps(changes: Sequence[ImportedChange]) -> tuple[int, int]:
    """How often an incident was reopened and changed its group, as its history shows."""
    ordered = sorted(changes, key=lambda each: each.sequence)
    reopened = reassigned = 0
    for before, after in pairwise(ordered):
        risen = int(after.facts.get("reopened") or 0) > int(before.facts.get("reopened") or 0)
        reopened += risen or (TicketState(before.state) in DONE and TicketState(after.state) not in DONE)
        reassigned += before.facts.get("group", "") != after.facts.get("group", "")
    return reopened, reassigned
