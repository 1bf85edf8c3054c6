"""The books of one clock: its segments, the calendar they count in, and what follows from them for its row."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from apps.core.actors import system_principal
from apps.core.calendars.domain import business_time
from apps.core.calendars.domain.queries import newest_schedule
from apps.core.calendars.domain.schedule import Calendar
from apps.core.clocks.domain import arithmetic
from apps.core.clocks.domain.wording import in_words
from apps.core.clocks.enums import ClockState
from apps.core.clocks.models import Clock, ClockSegment, EscalationFire
from apps.core.clocks.registry import PauseReason, Rung

if TYPE_CHECKING:
    from apps.accounts.models import User

BOOKED = ("state", "counted", "running_since", "due_at", "next_fire_at", "breached_at", "calendar_version")


@dataclass
class Book:
    """A locked clock with everything that is counted of it."""

    clock: Clock
    segments: list[ClockSegment]
    schedule: Calendar
    newest: int  # the key of the newest version in the schedule
    fired: set[int] = field(default_factory=set)

    def elapsed(self, at: dt.datetime) -> dt.timedelta:
        """The working time it has run by `at`."""
        return arithmetic.elapsed(self.segments, self.schedule, at=at, carried=self.clock.carried)

    def reached(self, percent: int) -> dt.datetime | None:
        """When it has run so many percent of its target; None while it stands still before."""
        amount = self.clock.goal * percent / 100
        return arithmetic.due_at(self.segments, self.schedule, amount, carried=self.clock.carried)

    def next_rung(self) -> tuple[Rung, dt.datetime | None] | None:
        """The lowest rung that has not fired, and when it is reached."""
        for rung in self.clock.rungs:
            if rung.percent not in self.fired:
                return rung, self.reached(rung.percent)
        return None

    def passed_at_birth(self, at: dt.datetime) -> Sequence[tuple[Rung, dt.datetime]]:
        """The rungs passed already when it began, all but the highest: of that one people are told."""
        reached = ((rung, self.reached(rung.percent)) for rung in self.clock.rungs)
        return [(rung, moment) for rung, moment in reached if moment is not None and moment <= at][:-1]

    @property
    def current(self) -> ClockSegment:
        """The segment that is open."""
        return self.segments[-1]

    @property
    def pause(self) -> PauseReason | None:
        """Why it stands still, None while it runs."""
        return None if self.current.running else self.clock.pause_reason(self.current.reason)

    def pause_left(self, reason: PauseReason, at: dt.datetime) -> dt.timedelta | None:
        """How much longer it may stand still for `reason`, by the pauses begun before `at`; None for no limit."""
        if reason.cap is None:
            return None
        return reason.cap - arithmetic.paused(self.segments, self.schedule, at=at, reason=reason.key)

    def pause_ends(self) -> dt.datetime | None:
        """When the pause ends by itself; None while it runs, or where it has no limit."""
        reason = self.pause
        left = self.pause_left(reason, self.current.started) if reason is not None else None
        return None if left is None else business_time.due(self.schedule, self.current.started, max(left, ZERO))

    def switch(self, at: dt.datetime, *, running: bool, by: "User", reason: str = "", note: str = "") -> None:
        """End the open segment and begin the next."""
        self.end(at)
        self.segments.append(segment(self.clock, at, running=running, by=by, reason=reason, note=note))
        self.current.save()

    def end(self, at: dt.datetime) -> None:
        """End the open segment."""
        self.current.ended = at
        self.current.save(update_fields=["ended"])

    def settle(self, at: dt.datetime) -> None:
        """Let a pause that is over by `at` have ended when its limit was reached."""
        ends = self.pause_ends()
        if ends is not None and ends <= at:
            reason = self.pause
            limit = in_words(reason.cap) if reason is not None and reason.cap is not None else ""
            note = f"Runs again: {limit} of {reason.title if reason else self.current.reason} are used up."
            self.switch(ends, running=True, by=system_principal(), note=note)

    def post(self, now: dt.datetime) -> None:
        """Work out the columns of the row from the segments, and when the scan must look again."""
        clock = self.clock
        clock.due_at = self.reached(100)
        clock.breached_at = clock.due_at if clock.due_at is not None and clock.due_at <= now else None
        if self.current.running:
            clock.state = ClockState.BREACHED if clock.breached_at else ClockState.RUNNING
            clock.running_since = self.current.started
            clock.counted = self.elapsed(self.current.started)
        else:
            clock.state, clock.running_since = ClockState.PAUSED, None
            clock.counted = self.elapsed(self.current.started)
        rung = self.next_rung()
        unbroken = clock.due_at if clock.breached_at is None else None
        looks = [rung[1] if rung else None, unbroken, self.pause_ends()]
        clock.next_fire_at = min((moment for moment in looks if moment is not None), default=None)


ZERO = dt.timedelta(0)


def segment(
    clock: Clock, at: dt.datetime, *, running: bool, by: "User", reason: str = "", note: str = ""
) -> ClockSegment:
    """Return a segment that is open, not saved yet."""
    return ClockSegment(
        clock=clock,
        started=at,
        running=running,
        reason="" if running else reason,
        note=note[:300],
        actor=by,
        actor_label=by.get_username(),
    )


def open_book(clock: Clock, *, with_rungs: bool = True) -> Book:
    """Lock an open clock and read everything that is counted of it; belongs in a transaction."""
    locked = Clock.objects.select_for_update(of=("self",)).select_related("calendar").get(pk=clock.pk)
    return read_book(locked, with_rungs=with_rungs)


def read_book(locked: Clock, *, with_rungs: bool = True) -> Book:
    """Read what is counted of a clock that is locked already."""
    return read_books([locked], with_rungs=with_rungs)[0]


def read_books(locked: Sequence[Clock], *, with_rungs: bool = True) -> list[Book]:
    """Read what is counted of clocks that are locked already: two queries, and one or two for each calendar.

    Args:
        locked: the clocks.
        with_rungs: whether the rungs that have fired are wanted; whoever ends a clock asks for none any more.
    """
    segments: dict[int, list[ClockSegment]] = {clock.pk: [] for clock in locked}
    fired: dict[int, set[int]] = {clock.pk: set() for clock in locked}
    for each in ClockSegment.objects.filter(clock__in=segments).order_by("started", "id"):
        segments[each.clock_id].append(each)
    rungs = EscalationFire.objects.filter(clock__in=segments) if with_rungs else EscalationFire.objects.none()
    for clock_id, rung in rungs.values_list("clock_id", "rung"):
        fired[clock_id].add(rung)
    schedules = {clock.calendar_id: clock.calendar for clock in locked}
    timelines = {pk: newest_schedule(calendar) for pk, calendar in schedules.items()}
    return [Book(clock, segments[clock.pk], *timelines[clock.calendar_id], fired[clock.pk]) for clock in locked]
