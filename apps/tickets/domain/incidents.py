"""Incidents of another service desk, brought in change by change: each becomes a ticket with its history."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import transaction

from apps.core import access
from apps.core.actors import acting_as
from apps.core.errors import WrongState
from apps.core.transitions import transition
from apps.tickets.enums import DONE, EventKind, Intake, MessageKind, Priority, Resolution, TicketState, priority_of
from apps.tickets.models import ImportedChange, ImportedIncident, Message, Queue, Ticket, TicketEvent, TicketType

if TYPE_CHECKING:
    from apps.accounts.models import User

STATES = {
    "New": TicketState.NEW,
    "Active": TicketState.OPEN,
    "Awaiting User Info": TicketState.WAITING_REQUESTER,
    "Awaiting Vendor": TicketState.WAITING_VENDOR,
    "Awaiting Problem": TicketState.ON_HOLD,
    "Awaiting Evidence": TicketState.ON_HOLD,
    "Resolved": TicketState.RESOLVED,
    "Closed": TicketState.CLOSED,
}
NO_QUEUE = "There is no queue to put it in; an administrator makes one the default under Queues."
CLOCK_SKEW = dt.timedelta(minutes=30)
_SHORT = 200


@dataclass(frozen=True)
class Change:
    """One row of the file, read."""

    line: int
    number: str
    sequence: int
    at: dt.datetime
    opened_at: dt.datetime
    resolved_at: dt.datetime | None
    closed_at: dt.datetime | None
    state: TicketState
    impact: int
    urgency: int
    reopened: int
    reassigned: int
    facts: Mapping[str, str]

    def fact(self, name: str) -> str:
        """Return a cell as it stands in the file, empty where it says it is unknown."""
        return self.facts.get(name, "")


@dataclass(frozen=True)
class Brought:
    """What became of one row: "created" (its incident is new), "added" or "known", or why it was refused."""

    kind: str
    ticket_id: int | None = None
    refused: str = ""


def bring_in(changes: Sequence[Change], *, system: str, zone: str, by: "User") -> list[Brought]:
    """Write what is new of `changes`, and bring each ticket to where its last change left it.

    A change that is there already is left alone; one that is there and says something else is refused, because the
    history of an incident does not change.

    Args:
        changes: rows of the file in any order.
        system: which service desk they are from.
        zone: the time zone in which the file's times were read.
        by: who imports.
    """
    found: dict[str, list[Change]] = {}
    for change in changes:
        found.setdefault(change.number, []).append(change)
    with transaction.atomic(), acting_as(by), transition(Ticket):
        stored = ImportedIncident.objects.filter(system=system, number__in=found).select_related("ticket")
        known = {each.number: each for each in stored.select_for_update(of=("self",))}
        places = _Places()
        done: dict[int, Brought] = {}
        for number, rows in found.items():
            rows = sorted(rows, key=lambda row: row.sequence)
            done |= _bring_in_one(known.get(number), rows, places, system=system, zone=zone, by=by)
    return [done[change.line] for change in changes]


class _Places:
    """Queues and types by name, looked up once."""

    def __init__(self) -> None:
        self.queues = {each.name.casefold(): each for each in Queue.objects.live()}
        self.types = {each.name.casefold(): each for each in TicketType.objects.live()}
        self.default = next((each for each in self.queues.values() if each.is_default), None)

    def queue_of(self, group: str) -> Queue:
        """Return the queue called like a group, else the default one."""
        found: Queue | None = self.queues.get(group.casefold(), self.default)
        if found is None:
            raise WrongState(NO_QUEUE)
        return found


def _bring_in_one(
    incident: ImportedIncident | None, rows: list[Change], places: _Places, *, system: str, zone: str, by: "User"
) -> dict[int, Brought]:
    if incident is None and places.default is None:
        return {row.line: Brought("", refused=NO_QUEUE) for row in rows}
    if incident is not None and not access.can(by, "change", incident.ticket):
        words = f"{incident.number} is there already, and you may not change it."
        return {row.line: Brought("", refused=words) for row in rows}
    kind = "added" if incident is not None else "created"
    if incident is None:
        incident = _open(rows[0], places, system=system, zone=zone, by=by)
    there = {change.sequence: change for change in incident.changes.all()}
    fresh = [row for row in rows if row.sequence not in there]
    if fresh:
        _write(incident, list(there.values()), fresh, places)
    done = {row.line: Brought(kind, incident.ticket_id) for row in fresh}
    for row in rows:
        if row.line not in done:
            same = dict(there[row.sequence].facts) == dict(row.facts)
            words = f"Change {row.sequence} of {row.number} came in with other facts; its history does not change."
            done[row.line] = Brought("known", incident.ticket_id, refused="" if same else words)
    return done


def _open(first: Change, places: _Places, *, system: str, zone: str, by: "User") -> ImportedIncident:
    about = ", ".join(filter(None, (first.fact("category"), first.fact("subcategory"), first.fact("symptom"))))
    ticket: Ticket = Ticket.objects.create(
        title=f"{first.number}: {about or 'incident'}"[:_SHORT],
        type=places.types.get(first.fact("category").casefold()),
        queue=places.queue_of(first.fact("group")),
        requester_name=first.fact("caller")[:150],
        impact=first.impact,
        urgency=first.urgency,
        priority=priority_of(first.impact, first.urgency),
        intake=Intake.IMPORT,
        opened_at=first.opened_at,
        last_word_at=first.opened_at,
    )
    facts = (("Category", "category"), ("Subcategory", "subcategory"), ("Symptom", "symptom"), ("Place", "location"))
    lines = [f"- {label}: {first.fact(name)}" for label, name in facts if first.fact(name)]
    Message.objects.create(
        ticket=ticket,
        kind=MessageKind.REQUESTER,
        author=None,
        author_label=first.fact("caller") or "Unknown",
        body="\n".join([f"Incident {first.number} of {system}, without its words:", "", *lines]),
        channel=Intake.IMPORT,
        at=first.opened_at,
    )
    _event(ticket, EventKind.OPENED, first.opened_at, first.fact("opened_by") or system, "", ticket.queue.name).save()
    incident: ImportedIncident = ImportedIncident.objects.create(
        system=system, number=first.number, ticket=ticket, zone=zone
    )
    return incident


def _write(incident: ImportedIncident, there: list[ImportedChange], fresh: list[Change], places: _Places) -> None:
    """Add the new changes, what happened in them to the trail, and bring ticket and incident up to date."""
    made = [
        ImportedChange(incident=incident, sequence=row.sequence, at=row.at, state=row.state, facts=dict(row.facts))
        for row in fresh
    ]
    ImportedChange.objects.bulk_create(made)
    new = {each.sequence for each in made}
    chain = sorted([*there, *made], key=lambda each: each.sequence)
    events: list[TicketEvent] = []
    for number, after in enumerate(chain):
        if after.sequence in new:
            events += _happened(incident.ticket, chain[number - 1] if number else None, after)
    TicketEvent.objects.bulk_create(events)
    last = max(fresh, key=lambda row: row.sequence)
    if last.sequence == chain[-1].sequence:
        _bring_up_to_date(incident, last, places)


def _bring_up_to_date(incident: ImportedIncident, last: Change, places: _Places) -> None:
    ticket, done = incident.ticket, last.state in DONE
    changed: dict[str, Any] = {
        "state": last.state,
        "resolution": Resolution.SOLVED if done else "",
        "resolved_at": (last.resolved_at or last.closed_at) if done else None,
        "closed_at": last.closed_at if last.state == TicketState.CLOSED else None,
        "impact": last.impact,
        "urgency": last.urgency,
        "priority": priority_of(last.impact, last.urgency),
        "queue": places.queues.get(last.fact("group").casefold(), ticket.queue),
        "reopened": last.reopened,
        "reassigned": last.reassigned,
        "last_word_at": max(last.at, ticket.opened_at),
    }
    for name, value in changed.items():
        setattr(ticket, name, value)
    ticket.save(update_fields=list(changed))
    for name in ("category", "subcategory", "symptom", "group"):
        setattr(incident, name, last.fact(name)[:100])
    said = last.fact("made_sla").upper()
    incident.kept_promise = {"TRUE": True, "FALSE": False}.get(said)
    incident.reopened, incident.reassigned = last.reopened, last.reassigned
    incident.save()


def _happened(ticket: Ticket, before: ImportedChange | None, after: ImportedChange) -> list[TicketEvent]:
    """Return what one change did: its state, its people, its group, its priority."""
    who = after.facts.get("updated_by") or "Unknown"
    was: Mapping[str, str] = before.facts if before is not None else {}
    now, found = after.facts, []
    old_state = TicketState(before.state) if before is not None else TicketState.NEW
    new_state = TicketState(after.state)
    if old_state != new_state:
        again = old_state in DONE and new_state not in DONE
        kind = EventKind.REOPENED if again else EventKind.STATE
        found.append(_event(ticket, kind, after.at, who, old_state.label, new_state.label))
    elif _number(now, "reopened") > _number(was, "reopened"):
        found.append(_event(ticket, EventKind.REOPENED, after.at, who, old_state.label, new_state.label))
    for kind, name in ((EventKind.ASSIGNED, "assigned_to"), (EventKind.QUEUE, "group")):
        if now.get(name, "") != was.get(name, "") and (before is not None or now.get(name)):
            found.append(_event(ticket, kind, after.at, who, was.get(name, ""), now.get(name, "") or "Nobody"))
    levels = [(_number(each, "impact"), _number(each, "urgency")) for each in (was, now)]
    if before is not None and levels[0] != levels[1]:
        labels = [Priority(priority_of(*each)).label for each in levels]
        found.append(_event(ticket, EventKind.PRIORITY, after.at, who, *labels))
    return found


def _event(ticket: Ticket, kind: EventKind, at: dt.datetime, who: str, before: str, after: str) -> TicketEvent:
    return TicketEvent(
        ticket=ticket, kind=kind, before=before[:_SHORT], after=after[:_SHORT], actor=None, actor_label=who[:254], at=at
    )


def _number(facts: Mapping[str, str], name: str) -> int:
    return int(facts.get(name) or 0)
