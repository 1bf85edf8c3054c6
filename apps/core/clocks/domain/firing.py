"""The due scan: what clocks have reached, each rung exactly once, in working time, with nobody touching the record.

A rung is recorded, the row moved on and those concerned told in one transaction: a worker killed at any moment leaves
all of it or nothing. Workers share the work by SKIP LOCKED. The record itself is locked as well before its hook runs,
without waiting, so that a hook may change it and never meets an operation on the record half way.
"""

import datetime as dt
from collections.abc import Sequence

import structlog
from django.db import models, transaction

from apps.core import clock as time
from apps.core.actors import acting_as, system_principal
from apps.core.alerts.domain.alerting import raise_alert
from apps.core.calendars.domain import business_time
from apps.core.clocks.domain.counting import BOOKED, Book, read_book, read_books
from apps.core.clocks.models import Clock, EscalationFire
from apps.core.clocks.registry import Rung
from apps.core.transitions import transition

BATCH = 100
GRACE = dt.timedelta(minutes=15)
BUSY = dt.timedelta(seconds=15)
AFTER_A_FAILURE = dt.timedelta(minutes=5)
log = structlog.get_logger(__name__)


def fire_due(*, now: dt.datetime | None = None, limit: int = BATCH) -> dict[str, int]:
    """Look at every clock whose moment has come; safe to run in several workers at once.

    Returns:
        How many clocks were looked at, how many rungs fired, how many hooks failed.
    """
    counts = {"clocks": 0, "rungs": 0, "failed": 0}
    moment = now or time.now()
    while found := fire_batch(now=moment, limit=limit):
        for name, count in found.items():
            counts[name] += count
    return counts


def fire_batch(*, now: dt.datetime, limit: int = BATCH) -> dict[str, int]:
    """Look at up to `limit` clocks whose moment has come, in one transaction; nothing where there are none."""
    with transaction.atomic(), acting_as(system_principal()):
        due = list(due_clocks(now, limit))
        if not due:
            return {}
        held = _held_subjects(due)
        counts = {"clocks": len(due), "rungs": 0, "failed": 0}
        for book in read_books(due):
            if (book.clock.content_type_id, book.clock.object_id) not in held:
                _look_again(book.clock, now + BUSY)
                continue
            fired = _fire_safely(book, now)
            counts["rungs"] += fired or 0
            counts["failed"] += fired is None
        return counts


def due_clocks(now: dt.datetime, limit: int) -> "models.QuerySet[Clock]":
    """Return the clocks to look at, locked, those left out that another worker has; one statement, by index."""
    return (
        Clock.objects.select_for_update(skip_locked=True, of=("self",))
        .filter(next_fire_at__lte=now)
        .select_related("calendar")
        .order_by("next_fire_at")[:limit]
    )


def _held_subjects(due: Sequence[Clock]) -> set[tuple[int, int]]:
    """Lock the records of `due` without waiting; what somebody else holds comes the next time."""
    held = set()
    for kind in {clock.content_type for clock in due}:
        keys = [clock.object_id for clock in due if clock.content_type_id == kind.pk]
        model = kind.model_class()
        if model is None:  # the app is gone: nothing to lock
            held |= {(kind.pk, key) for key in keys}
            continue
        rows = model._base_manager.filter(pk__in=keys).order_by("pk")
        held |= {
            (kind.pk, pk) for pk in rows.select_for_update(skip_locked=True, of=("self",)).values_list("pk", flat=True)
        }
    return held


def _fire_safely(book: Book, now: dt.datetime) -> int | None:
    """Fire what one clock has reached; a hook that fails is put off and told, and holds up no other clock."""
    try:
        with transaction.atomic():
            return _fire(book, now)
    except Exception as error:  # hooks belong to other apps: one broken one must not stop all clocks
        log.exception("clocks.hook_failed", clock=book.clock.pk, metric=book.clock.metric)
        raise_alert(
            f"clocks.hook_failed:{book.clock.metric}",
            title=f"What should happen when {book.clock} runs out has failed.",
            severity="critical",
            detail=f"Clock {book.clock.pk}: {type(error).__name__}: {error}"[:2000],
            runbook="It is tried again every five minutes. The log of the worker says what went wrong.",
        )
        _look_again(book.clock, now + AFTER_A_FAILURE)
        return None


def _fire(book: Book, now: dt.datetime) -> int:
    with transition(Clock):
        book.settle(now)
    count = 0
    while True:
        reached = _reached(book, now)
        late_outside = reached is not None and _outside_hours(book, now)
        if reached is None or late_outside:
            _move_on(book, now, wait=late_outside)
            return count
        rung, moment = reached
        EscalationFire.objects.create(
            clock=book.clock, rung=rung.percent, kind=rung.kind, reached_at=moment, fired_at=now
        )
        book.fired.add(rung.percent)
        count += 1
        _move_on(book, now)
        if book.clock.kind.on_rung is None:
            continue
        book.clock.kind.on_rung(book.clock, rung, at=moment)
        again = Clock.objects.select_related("calendar").get(pk=book.clock.pk)
        if not again.is_open:
            return count
        book = read_book(again)


def _reached(book: Book, now: dt.datetime) -> tuple[Rung, dt.datetime] | None:
    following = book.next_rung()
    if following is None or following[1] is None or following[1] > now:
        return None
    return following[0], following[1]


def _outside_hours(book: Book, now: dt.datetime) -> bool:
    """Whether people would be told at night: no worker was there when the rung was reached."""
    return (
        not business_time.is_open(book.schedule, now) and now - business_time.previous_close(book.schedule, now) > GRACE
    )


def _move_on(book: Book, now: dt.datetime, *, wait: bool = False) -> None:
    """Write what the clock has come to; with `wait` the scan looks again at the next opening."""
    book.post(now)
    book.clock.calendar_version_id = book.newest
    if wait:
        opening = business_time.next_open(book.schedule, now)
        later = [book.pause_ends(), opening]
        book.clock.next_fire_at = min(moment for moment in later if moment is not None and moment > now)
    with transition(Clock):
        book.clock.save(update_fields=BOOKED)


def _look_again(clock: Clock, at: dt.datetime) -> None:
    Clock.objects.filter(pk=clock.pk).update(next_fire_at=at)
