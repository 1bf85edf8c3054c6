"""Seats: assigned, used, found inactive, taken back; and what taking one back saves."""

import datetime as dt
from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce

from apps.accounts.domain.ownership import owned_by
from apps.core import access, clock
from apps.core.access import visible
from apps.core.actors import acting_as
from apps.core.errors import DomainError, NotAllowed, WrongState
from apps.core.events import publish
from apps.core.money import decimals, money
from apps.core.notifications.domain.notifying import notify
from apps.core.overdue import LateRows
from apps.core.transitions import transition
from apps.technology.domain.cost_lines import price_of
from apps.technology.domain.costing import annualised
from apps.technology.domain.rates import policy, rates_on
from apps.technology.domain.stack import AsOf
from apps.technology.enums import Basis, Lifecycle, Metric, ReclaimState
from apps.technology.models import CostLine, Licence, ReclaimTask, Seat, Tool

if TYPE_CHECKING:
    from apps.accounts.models import User

RECLAIM_KIND = "technology.reclaim"


def refuse_assignment(user: "User", licence: Licence) -> str | None:
    """Return why `user` cannot give out a seat of `licence` now, None when it works."""
    if not access.has_model_permission(user, "add", Seat):
        return "You may not assign seats."
    if licence.is_archived:
        return f"{licence} is archived; restore it first."
    if licence.tool.lifecycle == Lifecycle.RETIRED:
        return f"{licence.tool} is retired; nobody gets a seat on it."
    if licence.metric != Metric.SEAT or licence.quantity is None:
        return None
    taken = licence.seats.taken().count()
    if taken < licence.quantity:
        return None
    return f"All {licence.quantity} seats of {licence} are taken; release one, or raise the number of seats."


def assign_seat(
    licence: Licence,
    *,
    holder: str,
    by: "User",
    person: "User | None" = None,
    assigned_on: dt.date | None = None,
    last_active_on: dt.date | None = None,
) -> Seat:
    """Give somebody a seat; announces `seat.assigned`.

    Raises:
        NotAllowed, WrongState: as `refuse_assignment` says, or they have one already.
    """
    with transaction.atomic(), acting_as(by):
        row = Licence.objects.select_for_update(of=("self",)).select_related("tool").get(pk=licence.pk)
        if refused := refuse_assignment(by, row):
            raise (WrongState if access.has_model_permission(by, "add", Seat) else NotAllowed)(refused)
        if row.seats.taken().filter(holder__iexact=holder.strip()).exists():
            raise WrongState(f"{holder.strip()} already has a seat on {row}.")
        seat: Seat = Seat.objects.create(
            licence=row,
            holder=holder.strip(),
            person=person,
            assigned_on=assigned_on or clock.today(),
            last_active_on=last_active_on,
        )
        publish("seat.assigned", seat_id=seat.pk)
    return seat


def refuse_release(user: "User", seat: Seat) -> str | None:
    """Return why `user` cannot take this seat back now, None when it works."""
    if not access.can(user, "change", seat):
        return "You may not change seats."
    return f"The seat was released on {seat.released_on:%-d %B %Y}." if seat.released_on else None


def release_seat(seat: Seat, *, by: "User", reason: str = "", on: dt.date | None = None) -> str:
    """Take a seat back; an open wish to reclaim it is fulfilled by that.

    Raises:
        NotAllowed, WrongState: as `refuse_release` says.
    """
    with transaction.atomic(), acting_as(by, reason=reason or None):
        row = Seat.objects.select_for_update(of=("self",)).select_related("licence__tool").get(pk=seat.pk)
        if refused := refuse_release(by, row):
            raise (WrongState if access.can(by, "change", row) else NotAllowed)(refused)
        row.released_on = max(on or clock.today(), row.assigned_on)
        with transition(Seat):
            row.save(update_fields=["released_on"])
        for task in row.reclaims.select_for_update(of=("self",)).filter(state=ReclaimState.OPEN):
            _close(task, ReclaimState.RECLAIMED, by=by, note=reason)
        publish("seat.released", seat_id=row.pk)
    return f"{row.holder} no longer has a seat on {row.licence}."


def record_activity(seat: Seat, on: dt.date, *, source: str, by: "User") -> bool:
    """Note when a seat was last used, where that is news; returns whether it was.

    A later day than known is kept; an earlier one changes nothing, since files come in any order.
    """
    if seat.last_active_on is not None and seat.last_active_on >= on:
        return False
    with transaction.atomic(), acting_as(by):
        seat.last_active_on, seat.activity_source = on, source
        seat.save(update_fields=["last_active_on", "activity_source"])
    return True


def inactive_seats(today: dt.date, days: int) -> Any:
    """Return the seats that nobody has used for `days`; one never used counts from the day it was assigned."""
    since = Coalesce(F("last_active_on"), F("assigned_on"))
    rows = Seat.objects.taken().filter(licence__metric=Metric.SEAT, archived_at__isnull=True)
    return rows.annotate(inactive_since=since).filter(inactive_since__lt=today - dt.timedelta(days=days))


def seat_price(licence: Licence, as_of: AsOf) -> Decimal | None:
    """Return what one seat costs in a year in the reporting currency; None where no price per seat is known."""
    lines = CostLine.objects.known().filter(tool_id=licence.tool_id, basis=Basis.SEAT)
    if licence.contract_id and lines.filter(contract_id=licence.contract_id).exists():
        lines = lines.filter(contract_id=licence.contract_id)
    named = sorted(lines, key=lambda line: (line.label.casefold() != licence.name.casefold(), line.pk))
    line = next((each for each in named if price_of(each).holds_on(as_of.on)), None)
    if line is None:
        return None
    rate = rates_on(as_of.on, into=as_of.into, age=as_of.rate_days).get(line.currency)
    if rate is None:
        return None
    line.quantity = Decimal(1)
    return annualised(price_of(line), as_of.on, rate=rate, decimals=decimals(as_of.into))


def propose_reclaims(today: dt.date, *, by: "User") -> dict[str, int]:
    """Make a task of every seat nobody has used for long; who runs the tool is told once.

    A seat that somebody decided to keep is not asked about again until it has been inactive for as long once more.
    Safe to run twice.
    """
    steering = policy()
    kept_until = today - dt.timedelta(days=steering.inactive_days)
    kept = ReclaimTask.objects.filter(state=ReclaimState.KEPT, decided_at__date__gt=kept_until)
    asked = Q(pk__in=ReclaimTask.objects.filter(state=ReclaimState.OPEN).values("seat")) | Q(pk__in=kept.values("seat"))
    found = inactive_seats(today, steering.inactive_days).exclude(asked).select_related("licence__tool")
    prices: dict[int, Decimal | None] = {}
    told: dict[Any, list[ReclaimTask]] = defaultdict(list)
    as_of = AsOf.of(today, by=steering)
    with transaction.atomic(), acting_as(by):
        for seat in found.order_by("pk"):
            if seat.licence_id not in prices:
                prices[seat.licence_id] = seat_price(seat.licence, as_of)
            task = ReclaimTask.objects.create(
                seat=seat,
                assignee=seat.licence.tool.technical_owner or seat.licence.tool.owner_person,
                inactive_since=seat.inactive_since,
                due_on=today + dt.timedelta(days=steering.reclaim_days),
                saving=prices[seat.licence_id],
                currency=steering.currency if prices[seat.licence_id] is not None else "",
            )
            told[task.assignee].append(task)
        for person, tasks in told.items():
            if person is not None:
                number = len(tasks)
                title = f"{number} inactive seat{'s' if number > 1 else ''} to reclaim by {tasks[0].due_on:%-d %B}."
                notify([person], RECLAIM_KIND, title=title, subject=tasks[0])
    return {"proposed": sum(len(tasks) for tasks in told.values())}


def refuse_decision(user: "User", task: ReclaimTask) -> str | None:
    """Return why `user` cannot decide about this seat now, None when it works."""
    if not access.can(user, "change", task):
        return "You may not change these tasks."
    return None if task.state == ReclaimState.OPEN else f"It is {task.get_state_display().lower()} already."


def reclaim(task: ReclaimTask, *, by: "User", note: str = "") -> str:
    """Take the seat back.

    Raises:
        NotAllowed, WrongState: as `refuse_decision` says.
    """
    with transaction.atomic(), acting_as(by, reason=note or None):
        row = _locked(task, by)
        release_seat(row.seat, by=by, reason=note)
        row.refresh_from_db()
        if row.state == ReclaimState.OPEN:
            _close(row, ReclaimState.RECLAIMED, by=by, note=note)
    saved = f"; that saves {money(row.saving, row.currency)} a year" if row.saving else ""
    return f"{row.seat.holder} no longer has a seat on {row.seat.licence}{saved}."


def keep(task: ReclaimTask, *, by: "User", reason: str) -> str:
    """Leave the seat to its holder, saying why.

    Raises:
        NotAllowed, WrongState: as `refuse_decision` says.
    """
    with transaction.atomic(), acting_as(by, reason=reason):
        row = _locked(task, by)
        _close(row, ReclaimState.KEPT, by=by, note=reason)
    return f"{row.seat.holder} keeps the seat on {row.seat.licence}."


def live_seats(tool: Tool) -> str:
    """Return how many people still sit on a tool, in words; a claim that keeps it from being retired."""
    number = Seat.objects.taken().filter(licence__tool=tool).count()
    return f"{number} live seat{'s' if number > 1 else ''}" if number else ""


def overdue_reclaims(person: "User", today: dt.date) -> LateRows:
    """Return the tasks of `person`, or about tools they own, that are late."""
    mine = Q(assignee=person) | Q(assignee__isnull=True, seat__licence__tool__in=Tool.objects.filter(owned_by(person)))
    rows = visible(person, ReclaimTask).filter(mine, state=ReclaimState.OPEN, due_on__lt=today)
    rows = rows.select_related("seat__licence__tool").order_by("due_on")
    return LateRows(rows, "take the seat back, or say why it stays")


def _locked(task: ReclaimTask, by: "User") -> ReclaimTask:
    rows = ReclaimTask.objects.select_for_update(of=("self",)).select_related("seat__licence__tool")
    row: ReclaimTask = rows.get(pk=task.pk)
    if refused := refuse_decision(by, row):
        kind: type[DomainError] = WrongState if access.can(by, "change", row) else NotAllowed
        raise kind(refused)
    return row


def _close(task: ReclaimTask, state: ReclaimState, *, by: "User", note: str) -> None:
    task.state, task.decided_at, task.decided_by, task.note = state, clock.now(), by, note
    with transition(ReclaimTask):
        task.save(update_fields=["state", "decided_at", "decided_by", "note"])
