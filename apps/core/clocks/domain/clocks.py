"""Starting, pausing, resuming, stopping, cancelling and replacing clocks."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction

from apps.core import clock as time
from apps.core.actors import acting_as, system_principal
from apps.core.calendars.models import BusinessCalendar
from apps.core.clocks.domain.counting import BOOKED, ZERO, Book, open_book, read_book
from apps.core.clocks.domain.wording import in_words
from apps.core.clocks.domain.writing import caps_of, minutes_of, not_before, not_later, write_clock
from apps.core.clocks.enums import ClockState
from apps.core.clocks.models import Clock
from apps.core.clocks.registry import PauseReason, Rung, metric_of
from apps.core.errors import WrongState
from apps.core.transitions import transition

if TYPE_CHECKING:
    from apps.accounts.models import User


def start_clock(
    subject: models.Model,
    metric: str,
    *,
    target: dt.timedelta | int,
    calendar: BusinessCalendar | None = None,
    by: "User | None",
    at: dt.datetime | None = None,
    ladder: Sequence[Rung] | None = None,
    carry_from: Clock | None = None,
    caps: Mapping[str, dt.timedelta] | None = None,
) -> Clock:
    """Start the clock of `metric` for a record.

    Args:
        subject: the record it belongs to.
        metric: the key of a registered metric.
        target: working time, as a timedelta of whole minutes or as minutes.
        calendar: whose working time counts; the default calendar when not given.
        by: who started it; None for mops itself.
        at: since when it counts; now when not given, never in the future.
        ladder: its rungs; the metric's when not given, none for an empty sequence.
        carry_from: a closed clock of the record whose time this one goes on from.
        caps: limits of its pauses by reason, where they differ from the metric's.

    Raises:
        WrongState: such a clock runs already, or the one to go on from is still open.
        InvalidInput: the target is none, or the moment lies in the future.
        CalendarError: the calendar has no hours, or no working time in which the target could fall due.
        LookupError: nobody registered the metric.
    """
    known, moment = metric_of(metric), not_later(at)
    minutes = minutes_of(target)
    if carry_from is not None and carry_from.is_open:
        raise WrongState(f"{carry_from} still counts; replace it instead of going on from it.")
    with transaction.atomic(), acting_as(by or system_principal()), transition(Clock):
        if Clock.objects.of(subject).filter(metric=metric).open().exists():
            raise WrongState(f"{known.title} of {subject} is being counted already; stop or replace that clock first.")
        return write_clock(
            (ContentType.objects.get_for_model(subject), subject.pk),
            known,
            minutes,
            calendar,
            moment,
            by or system_principal(),
            ladder=known.ladder if ladder is None else ladder,
            follows=carry_from,
            carried=carry_from.counted if carry_from is not None else ZERO,
            caps=caps_of(caps or {}),
        )


def begin_clock_of(
    subject: models.Model, metric: str, *, target: dt.timedelta | int, by: "User | None", at: dt.datetime | None = None
) -> Clock:
    """Start the first clock of `metric` for a record: within an operation on the record, which it fails with.

    Args:
        subject: the record, of which no such clock runs; the database refuses a second one.
        metric: the key of a registered metric.
        target: working time by the default calendar, as a timedelta of whole minutes or as minutes.
        by: who started it; None for mops itself.
        at: since when it counts; now when not given, never in the future.

    Raises:
        InvalidInput, CalendarError, LookupError: as for `start_clock`.
    """
    known, person, moment = metric_of(metric), by or system_principal(), not_later(at)
    with transaction.atomic(savepoint=False), acting_as(person), transition(Clock):
        kind = ContentType.objects.get_for_model(subject)
        return write_clock(
            (kind, subject.pk),
            known,
            minutes_of(target),
            None,
            moment,
            person,
            ladder=known.ladder,
            follows=None,
            carried=ZERO,
            caps={},
        )


def pause_clock(clock: Clock, *, reason: str, by: "User | None", at: dt.datetime | None = None) -> Clock:
    """Let a clock stand still for one of its metric's reasons; with a limit, it runs again by itself.

    Raises:
        WrongState: see `refuse_pause`.
        InvalidInput: the metric knows no such reason, or the moment makes no sense.
    """
    if refused := pause_if_possible(clock, reason=reason, by=by, at=at):
        raise WrongState(refused)
    clock.refresh_from_db()
    return clock


def pause_if_possible(clock: Clock, *, reason: str, by: "User | None", at: dt.datetime | None = None) -> str | None:
    """Pause a clock, or return why it keeps running: for operations whose own success does not hang on it.

    Raises:
        InvalidInput: the moment makes no sense.
    """
    person, moment = by or system_principal(), not_later(at)
    with transaction.atomic(), acting_as(person), transition(Clock):
        book = open_book(clock)
        if refused := refuse_pause(clock=book.clock, reason=reason, book=book, at=moment):
            return refused
        book.settle(moment)
        not_before(book, moment)
        book.switch(moment, running=False, by=person, reason=reason)
        _post(book)
    return None


def resume_clock(clock: Clock, *, by: "User | None", at: dt.datetime | None = None) -> Clock:
    """Let a paused clock run again; one whose pause has reached its limit has been running since then.

    Raises:
        WrongState: it is not paused.
        InvalidInput: the moment makes no sense.
    """
    person, moment = by or system_principal(), not_later(at)
    with transaction.atomic(), acting_as(person), transition(Clock):
        book = open_book(clock)
        if refused := refuse_resume(book.clock):
            raise WrongState(refused)
        book.settle(moment)
        if not book.current.running:
            not_before(book, moment)
            book.switch(moment, running=True, by=person)
        return _post(book)


def stop_clock(clock: Clock, *, by: "User | None", at: dt.datetime | None = None) -> Clock:
    """End a clock: met when no more than its target has passed, late otherwise.

    Raises:
        WrongState: it is closed already.
        InvalidInput: the moment makes no sense.
    """
    return _close(clock, None, by=by, at=at)


def cancel_clock(clock: Clock, *, by: "User | None", at: dt.datetime | None = None) -> Clock:
    """End a clock that measures nothing any more: it counts neither as met nor as late."""
    return _close(clock, ClockState.CANCELLED, by=by, at=at)


def end_clock_of(
    subject: models.Model, metric: str, *, by: "User | None", cancel: bool = False, at: dt.datetime | None = None
) -> Clock | None:
    """End the open clock of a record, if there is one: within an operation on the record, which it fails with.

    Args:
        subject: the record.
        metric: whose clock.
        by: who ended it; None for mops itself.
        cancel: whether nothing was measured; else it is met or late.
        at: when; now when not given.

    Raises:
        InvalidInput: the moment makes no sense.
    """
    person, moment = by or system_principal(), not_later(at)
    with transaction.atomic(savepoint=False), acting_as(person), transition(Clock):
        rows = Clock.objects.of(subject).filter(metric=metric).open()
        locked = rows.select_for_update(of=("self",)).select_related("calendar").first()
        if locked is None:
            return None
        return _end(read_book(locked, with_rungs=False), ClockState.CANCELLED if cancel else None, person, moment).clock


def replace_clock(
    clock: Clock,
    *,
    by: "User | None",
    target: dt.timedelta | int | None = None,
    calendar: BusinessCalendar | None = None,
    ladder: Sequence[Rung] | None = None,
    carry: bool = True,
    caps: Mapping[str, dt.timedelta] | None = None,
    at: dt.datetime | None = None,
) -> Clock:
    """Close a clock and open another in its place, for instance because a priority has changed; both stay visible.

    Args:
        clock: the open one.
        by: who replaced it; None for mops itself.
        target: the new target; the old one's when not given.
        calendar: the new calendar; the old one when not given.
        ladder: the new rungs; the old ones when not given.
        carry: whether the new one goes on from the time counted so far, or begins anew.
        caps: the new limits of pauses; the old ones when not given.
        at: when; now when not given.

    Returns:
        The new clock. It stands still if the old one did.
    """
    person, moment = by or system_principal(), not_later(at)
    with transaction.atomic(), acting_as(person), transition(Clock):
        book = _closed_book(clock, ClockState.REPLACED, person, moment)
        old, last = book.clock, book.current
        return write_clock(
            (old.content_type, old.object_id),
            old.kind,
            old.target if target is None else minutes_of(target),
            calendar or old.calendar,
            moment,
            person,
            ladder=old.rungs if ladder is None else ladder,
            follows=old,
            carried=old.counted if carry else ZERO,
            pause="" if last.running else last.reason,
            caps=old.caps if caps is None else caps_of(caps),
        )


def refuse_pause(clock: Clock, reason: str, *, book: Book | None = None, at: dt.datetime | None = None) -> str | None:
    """Say why `clock` cannot be paused for `reason`, if so."""
    known: PauseReason | None = clock.pause_reason(reason)
    if not clock.is_open:
        return f"{clock} is closed ({clock.get_state_display().lower()}); it cannot be paused."
    if known is None:
        reasons = ", ".join(each.title for each in clock.kind.pause_reasons)
        return f"{clock} does not pause for that; it pauses for: {reasons}." if reasons else f"{clock} never pauses."
    if clock.state == ClockState.PAUSED:
        return f"{clock} is paused already."
    if book is not None and at is not None:
        left = book.pause_left(known, at)
        if left is not None and left <= ZERO:
            limit = in_words(known.cap) if known.cap is not None else ""
            return f"{clock} has used up its {limit} of {known.title}; it keeps running."
    return None


def refuse_resume(clock: Clock) -> str | None:
    """Say why `clock` cannot be resumed, if so."""
    if not clock.is_open:
        return f"{clock} is closed ({clock.get_state_display().lower()}); it cannot run again."
    return None if clock.state == ClockState.PAUSED else f"{clock} is running already."


def refuse_close(clock: Clock) -> str | None:
    """Say why `clock` cannot be stopped, cancelled or replaced, if so."""
    return None if clock.is_open else f"{clock} is closed already ({clock.get_state_display().lower()})."


def _close(clock: Clock, state: ClockState | None, *, by: "User | None", at: dt.datetime | None) -> Clock:
    person, moment = by or system_principal(), not_later(at)
    with transaction.atomic(), acting_as(person), transition(Clock):
        return _closed_book(clock, state, person, moment).clock


def _closed_book(clock: Clock, state: ClockState | None, by: "User", at: dt.datetime) -> Book:
    """Close a clock in `state`; met or late by its own count where none is given."""
    book = open_book(clock, with_rungs=False)
    if refused := refuse_close(book.clock):
        raise WrongState(refused)
    return _end(book, state, by, at)


def _end(book: Book, state: ClockState | None, by: "User", at: dt.datetime) -> Book:
    book.settle(at)
    not_before(book, at)
    closed = book.clock
    due = book.reached(100)
    book.end(at)
    closed.counted = book.elapsed(at)
    closed.state = state or (ClockState.MET if closed.counted <= closed.goal else ClockState.LATE)
    closed.due_at = due
    closed.breached_at = due if closed.counted > closed.goal else None
    closed.calendar_version_id = book.newest
    closed.running_since = closed.next_fire_at = None
    closed.closed_at, closed.closed_by = at, by.get_username()
    closed.save(update_fields=[*BOOKED, "closed_at", "closed_by"])
    return book


def _post(book: Book) -> Clock:
    book.post(time.now())
    book.clock.calendar_version_id = book.newest
    book.clock.save(update_fields=BOOKED)
    return book.clock
