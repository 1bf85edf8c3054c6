"""The arithmetic of a clock in words and as a small picture: what a person reads on the page of its record."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import models

from apps.core import clock as time
from apps.core.calendars.domain import business_time
from apps.core.calendars.domain.schedule import Timeline
from apps.core.clocks.domain import arithmetic
from apps.core.clocks.domain.counting import Book
from apps.core.clocks.domain.queries import clocks_of, schedule_of, schedules_of, segments_of
from apps.core.clocks.domain.wording import in_words, moment_in_words
from apps.core.clocks.enums import ClockState
from apps.core.clocks.models import Clock, ClockSegment, EscalationFire

WIDTH = 200
HEIGHT = 10
TONES = {
    ClockState.RUNNING: "",
    ClockState.PAUSED: "warn",
    ClockState.BREACHED: "bad",
    ClockState.MET: "good",
    ClockState.LATE: "bad",
    ClockState.CANCELLED: "",
    ClockState.REPLACED: "",
}


@dataclass(frozen=True)
class Piece:
    """One stretch of the bar: where it begins, how wide it is (0 to `WIDTH`), and what it shows."""

    x: float
    width: float
    style: str
    title: str


@dataclass(frozen=True)
class SegmentLine:
    """One segment in a row of the table."""

    segment: ClockSegment
    says: str
    counted: str
    actor: str


@dataclass(frozen=True)
class Explanation:
    """Everything a page shows of one clock."""

    clock: Clock
    sentence: str
    tone: str
    zone: Any
    lines: Sequence[SegmentLine]
    pieces: Sequence[Piece]
    fires: Sequence[EscalationFire]


def explain(clock: Clock, *, at: dt.datetime | None = None) -> str:
    """Return the arithmetic in a sentence: "2 h 10 min of 4 h, paused 1 h waiting for requester, due Tue 10:20 (…)".

    Args:
        clock: with its segments prefetched where many are shown.
        at: for which moment, now when not given.
    """
    return _sentence(clock, segments_of(clock), schedule_of(clock), at or time.now())


def explained(clock: Clock, *, at: dt.datetime | None = None, schedule: Timeline | None = None) -> Explanation:
    """Return the sentence, the table of segments and the bar of one clock; `schedule` where it is known already."""
    now, segments, schedule = at or time.now(), segments_of(clock), schedule or schedule_of(clock)
    return Explanation(
        clock=clock,
        sentence=_sentence(clock, segments, schedule, now),
        tone=TONES[ClockState(clock.state)],
        zone=_zone(schedule, now),
        lines=[_line(clock, each, schedule, now) for each in segments],
        pieces=_pieces(clock, segments, schedule, now),
        fires=[each for each in clock.fires.all() if not each.silent],
    )


def clock_panel(
    subject: models.Model, *, title: str = "Clocks", at: dt.datetime | None = None, why: str = ""
) -> dict[str, Any]:
    """Return the panel that shows a record's clocks, and `why` they count: append it to `row_panels` of its page."""
    clocks = list(clocks_of(subject))
    schedules = schedules_of(clocks)
    shown = [explained(clock, at=at, schedule=schedules[clock.pk]) for clock in clocks]
    return {
        "template": "admin/clocks/panel.html",
        "title": title,
        "why": why,
        "clocks": shown,
        "width": WIDTH,
        "height": HEIGHT,
    }


def _sentence(clock: Clock, segments: list[ClockSegment], schedule: Timeline, now: dt.datetime) -> str:
    at = clock.closed_at or now
    ran = arithmetic.elapsed(segments, schedule, at=at, carried=clock.carried)
    zone = _zone(schedule, at)
    parts = [f"{in_words(ran)} of {in_words(clock.goal)}"]
    if clock.carried:
        parts.append(f"{in_words(clock.carried)} of it carried over")
    parts += [f"paused {in_words(amount)} {title}" for title, amount in _pauses(clock, segments, schedule, at)]
    parts.append(_outlook(clock, segments, schedule, ran, now))
    return f"{', '.join(part for part in parts if part)} ({clock.calendar.name}, {zone})"


def _outlook(
    clock: Clock, segments: list[ClockSegment], schedule: Timeline, ran: dt.timedelta, now: dt.datetime
) -> str:
    """Say how it ended, or what comes next."""
    state, over = ClockState(clock.state), ran - clock.goal
    if state == ClockState.LATE:
        return f"{in_words(over)} late"
    if not clock.is_open:
        return state.label.lower()
    if state == ClockState.PAUSED:
        ends = Book(clock, segments, schedule, clock.calendar_version_id).pause_ends()
        runs = f", runs again by itself {_when(ends, now, schedule)}" if ends is not None else ""
        late = f"late by {in_words(over)}, " if over > dt.timedelta(0) else ""
        return f"{late}standing still since {_when(segments[-1].started, now, schedule)}{runs}"
    due = arithmetic.due_at(segments, schedule, clock.goal, carried=clock.carried)
    when = _when(due, now, schedule) if due is not None else "never"
    return f"late by {in_words(over)}, was due {when}" if over > dt.timedelta(0) else f"due {when}"


def _pauses(
    clock: Clock, segments: list[ClockSegment], schedule: Timeline, at: dt.datetime
) -> list[tuple[str, dt.timedelta]]:
    reasons = dict.fromkeys(segment.reason for segment in segments if not segment.running)
    found = [(_title(clock, reason), arithmetic.paused(segments, schedule, at=at, reason=reason)) for reason in reasons]
    return [(title, amount) for title, amount in found if amount]


def _title(clock: Clock, reason: str) -> str:
    known = clock.pause_reason(reason)
    return known.title if known is not None else reason.replace("_", " ")


def _line(clock: Clock, segment: ClockSegment, schedule: Timeline, now: dt.datetime) -> SegmentLine:
    over = segment.ended or max(now, segment.started)
    counted = in_words(business_time.elapsed(schedule, segment.started, over))
    says = "Running" if segment.running else f"Paused, {_title(clock, segment.reason)}"
    actor = "mops" if segment.actor is None or segment.actor.is_system else str(segment.actor)
    return SegmentLine(segment, f"{says}. {segment.note}" if segment.note else says, counted, actor)


def _pieces(clock: Clock, segments: list[ClockSegment], schedule: Timeline, now: dt.datetime) -> list[Piece]:
    """Lay working time, run and paused, along the bar; what the target still allows stays empty."""
    at = clock.closed_at or now
    amounts: list[tuple[str, dt.timedelta, str]] = []
    if clock.carried:
        amounts.append(("carried", clock.carried, f"Carried over: {in_words(clock.carried)}"))
    for segment in segments:
        if segment.started < at:
            ran = business_time.elapsed(schedule, segment.started, min(segment.ended or at, at))
            amounts.append(_labelled(clock, segment, ran))
    used = sum((ran for style, ran, _ in amounts if style != "paused"), dt.timedelta(0))
    whole = sum((ran for _, ran, _ in amounts), dt.timedelta(0)) + max(clock.goal - used, dt.timedelta(0))
    pieces, x, ticking = [], 0.0, dt.timedelta(0)
    for style, ran, title in amounts:
        for look, part in _split(style, ran, clock.goal - ticking):
            width = part / whole * WIDTH
            pieces.append(Piece(round(x, 2), round(width, 2), look, title))
            x += width
        ticking += ran if style != "paused" else dt.timedelta(0)
    return [piece for piece in pieces if piece.width]


def _split(style: str, ran: dt.timedelta, left: dt.timedelta) -> list[tuple[str, dt.timedelta]]:
    """Cut a running stretch where the target was used up: what follows is late."""
    if style == "paused" or ran <= left:
        return [(style, ran)]
    within = max(left, dt.timedelta(0))
    return [(style, within), ("late", ran - within)]


def _labelled(clock: Clock, segment: ClockSegment, ran: dt.timedelta) -> tuple[str, dt.timedelta, str]:
    if segment.running:
        return "running", ran, f"Running: {in_words(ran)}"
    return "paused", ran, f"Paused, {_title(clock, segment.reason)}: {in_words(ran)}"


def _when(moment: dt.datetime, now: dt.datetime, schedule: Timeline) -> str:
    return moment_in_words(moment, now=now, zone=_zone(schedule, moment))


def _zone(schedule: Timeline, moment: dt.datetime) -> Any:
    return schedule.zone_at(moment.astimezone(dt.UTC).replace(tzinfo=None))
