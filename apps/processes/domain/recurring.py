"""Processes that come round: their dates, the runs they start, what is skipped and what was missed."""

import datetime as dt
from calendar import monthrange
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from django.db import transaction

from apps.core import access, clock
from apps.core.actors import acting_as, system_principal
from apps.core.calendars.domain.business_time import (
    first_business_day_on_or_after,
    is_business_day,
    last_business_day_on_or_before,
)
from apps.core.calendars.domain.queries import default_calendar, schedule_for
from apps.core.calendars.models import BusinessCalendar
from apps.core.errors import NotAllowed, WrongState
from apps.core.words import reason_given
from apps.processes.domain.running import refuse_start, start_run
from apps.processes.enums import Every, Outcome, Shift
from apps.processes.models import Occurrence, Recurrence, Run

if TYPE_CHECKING:
    from apps.accounts.models import User

BEGINS_IN = range(2000, 2101)
LAST_YEAR = 2190  # calendars reach to 2200
LOOKED_AHEAD = 60  # dates looked at before saying that none of them ever falls on a working day
PREVIEWED = 6
MISSED = "Nothing started runs on that day; only the newest date is made up for."
Shifted = Callable[[dt.date, Shift], dt.date | None]


@dataclass(frozen=True)
class Due:
    """One date of a recurrence: as planned, and as it falls once days off are considered."""

    planned_on: dt.date
    falls_on: dt.date


def planned_dates(every: Every, first: dt.date, last: dt.date | None = None) -> Iterator[dt.date]:
    """Yield the dates of a rule, ends included. The day of the month is the first one's, or the month's last."""
    number = 0
    while True:
        try:
            day = first + dt.timedelta(weeks=number) if every == Every.WEEK else _month_on(first, number * every)
        except (OverflowError, ValueError):
            return
        if day.year > LAST_YEAR or (last is not None and day > last):
            return
        yield day
        number += 1


def _month_on(first: dt.date, months: int) -> dt.date:
    year, month = divmod(first.year * 12 + first.month - 1 + months, 12)
    return dt.date(year, month + 1, min(first.day, monthrange(year, month + 1)[1]))


def dates_of(recurrence: Recurrence, shifted: Shifted) -> Iterator[Due]:
    """Yield the dates of a recurrence as they fall; those left out on days off are not among them."""
    for day in planned_dates(Every(recurrence.every), recurrence.starts_on, recurrence.ends_on):
        falls = shifted(day, Shift(recurrence.shift))
        if falls is not None:
            yield Due(day, falls)


def shifting() -> Shifted:
    """Return how dates are moved off days on which nobody works: by the default calendar, weekends without one."""
    if not BusinessCalendar.objects.filter(is_default=True).exists():
        return _by_weekends
    calendar = schedule_for(default_calendar())

    def shifted(day: dt.date, how: Shift) -> dt.date | None:
        if how == Shift.KEEP or is_business_day(calendar, day):
            return day
        if how == Shift.OMIT:
            return None
        before = how == Shift.BEFORE
        return (
            last_business_day_on_or_before(calendar, day) if before else first_business_day_on_or_after(calendar, day)
        )

    return shifted


def _by_weekends(day: dt.date, how: Shift) -> dt.date | None:
    beyond = day.weekday() - 4
    if how == Shift.KEEP or beyond <= 0:
        return day
    if how == Shift.OMIT:
        return None
    return day - dt.timedelta(days=beyond) if how == Shift.BEFORE else day + dt.timedelta(days=3 - beyond)


def refuse_rule(recurrence: Recurrence) -> str | None:
    """Return why a recurrence cannot be kept as it is: it would never occur. None when it occurs."""
    if recurrence.starts_on.year not in BEGINS_IN:
        return f"A recurrence begins between {BEGINS_IN[0]} and {BEGINS_IN[-1]}; the year looks mistyped."
    if recurrence.ends_on is not None and recurrence.ends_on < recurrence.starts_on:
        return "It would end before it begins, so it would never occur."
    shifted = shifting()
    planned = planned_dates(Every(recurrence.every), recurrence.starts_on, recurrence.ends_on)
    if any(shifted(day, Shift(recurrence.shift)) for day in islice(planned, LOOKED_AHEAD)):
        return None
    return "Every one of its dates is a day off and left out, so it would never occur; let them move to a working day."


def next_dates(recurrence: Recurrence, today: dt.date, count: int = PREVIEWED) -> list[Due]:
    """Return the next dates of a recurrence for which nothing is decided yet, from today on."""
    known = set(recurrence.occurrences.values_list("planned_on", flat=True))
    ahead = (due for due in dates_of(recurrence, shifting()) if due.falls_on >= today and due.planned_on not in known)
    return list(islice(ahead, count))


def refuse_skip(user: "User", recurrence: Recurrence) -> str | None:
    """Return why the next occurrence cannot be skipped, None when it can."""
    if not access.may(user, "change", recurrence):
        return "You may not change this recurrence."
    return None if next_dates(recurrence, clock.today(), 1) else f"{recurrence} does not occur again; nothing to skip."


def skip_next(recurrence: Recurrence, *, by: "User", reason: str) -> str:
    """Leave out the next date, with a reason that stays on record.

    Raises:
        InvalidInput: nothing says why.
        NotAllowed, WrongState: `refuse_skip`.
    """
    reason = reason_given(reason, "Say why it is skipped.")
    with transaction.atomic(), acting_as(by, reason=reason):
        row = Recurrence.objects.select_for_update(of=("self",)).get(pk=recurrence.pk)
        if refused := refuse_skip(by, row):
            raise (WrongState if access.may(by, "change", row) else NotAllowed)(refused)
        due = next_dates(row, clock.today(), 1)[0]
        _record(row, due, Outcome.SKIPPED, by=by, at=clock.now(), reason=reason.strip())
    return f"{due.falls_on:%-d %B %Y} is skipped."


def start_due(recurrence_id: int, *, at: dt.datetime | None = None) -> Run | None:
    """Start the run of the newest date that has come; older ones that nobody made are recorded as missed.

    Never more than one run at a time, however long nothing ran; safe to call twice. Dates from before the recurrence
    was written down are nobody's fault and not recorded.
    """
    moment, by = at or clock.now(), system_principal()
    with transaction.atomic(), acting_as(by, reason="The date of a recurrence has come."):
        rows = Recurrence.objects.select_for_update(of=("self",), skip_locked=True).select_related("process")
        row: Recurrence | None = rows.filter(pk=recurrence_id, archived_at__isnull=True).first()
        come = _come(row, moment.date()) if row is not None else []
        if row is None or not come:
            return None
        for due in come[:-1]:
            _record(row, due, Outcome.MISSED, by=by, at=moment, reason=MISSED)
        return _make(row, come[-1], by=by, at=moment)


def _come(recurrence: Recurrence, today: dt.date) -> list[Due]:
    known = set(recurrence.occurrences.values_list("planned_on", flat=True))
    written, found = recurrence.created_at.date(), []
    for due in dates_of(recurrence, shifting()):
        if due.planned_on > today + dt.timedelta(days=31):
            break
        if written <= due.falls_on <= today and due.planned_on not in known:
            found.append(due)
    return found


def _make(recurrence: Recurrence, due: Due, *, by: "User", at: dt.datetime) -> Run | None:
    if refused := refuse_start(by, recurrence.process):
        _record(recurrence, due, Outcome.MISSED, by=by, at=at, reason=refused)
        return None
    days = recurrence.days_to_finish
    run = start_run(
        recurrence.process,
        by=by,
        title=f"{recurrence.title}, {due.falls_on:%-d %B %Y}",
        due_on=at.date() + dt.timedelta(days=days) if days is not None else None,
        owners=recurrence,
        at=at,
    )
    _record(recurrence, due, Outcome.MADE, by=by, at=at, run=run)
    return run


def _record(
    recurrence: Recurrence,
    due: Due,
    outcome: Outcome,
    *,
    by: "User",
    at: dt.datetime,
    reason: str = "",
    run: Run | None = None,
) -> None:
    Occurrence.objects.create(
        recurrence=recurrence,
        planned_on=due.planned_on,
        falls_on=due.falls_on,
        outcome=outcome,
        run=run,
        reason=reason,
        actor=by,
        actor_label=by.get_username(),
        at=at,
    )


def live_recurrences() -> list[int]:
    """Return the keys of the recurrences that still start runs."""
    return list(Recurrence.objects.filter(archived_at__isnull=True).order_by("pk").values_list("pk", flat=True))
