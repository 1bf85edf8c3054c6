"""What files bring into the tickets: the change log of another service desk."""

import datetime as dt
from collections.abc import Sequence
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from apps.core.calendars.domain.queries import default_calendar, version_in_force
from apps.core.errors import InvalidInput
from apps.core.exchange import values
from apps.core.exchange.registry import Column, Importer, Outcome, Row, register_importer
from apps.tickets.domain.incidents import CLOCK_SKEW, STATES, Change, bring_in
from apps.tickets.enums import DONE, Level
from apps.tickets.models import Ticket

SYSTEM = "file"
UNKNOWN = "?"
LARGEST = 32_767
LONGEST = 100
_LEVELS = {"1": Level.HIGH, "2": Level.MEDIUM, "3": Level.LOW}
_MOMENT = "%d-%m-%Y %H:%M"


def _text(cell: str) -> str:
    text = values.one_line(cell)
    if text == UNKNOWN:
        return ""
    if len(text) > LONGEST:
        raise InvalidInput(f"{values.quoted(text)} is too long: at most {LONGEST} characters fit.")
    return text


def _moment(cell: str) -> dt.datetime | None:
    """Read "29-02-2016 01:16", day first; which zone it is meant in the file does not say."""
    if cell == UNKNOWN:
        return None
    try:
        return dt.datetime.strptime(cell, _MOMENT)  # noqa: DTZ007  # the zone is given to it later
    except ValueError:
        raise InvalidInput(f"{values.quoted(cell)} is no moment; write it like 29-02-2016 01:16.") from None


def _level(cell: str) -> int:
    """Read "1 - High": the other desk counts from the highest down."""
    if (found := _LEVELS.get(cell[:1])) is None:
        raise InvalidInput(f"{values.quoted(cell)} is no level; they are 1 - High, 2 - Medium and 3 - Low.")
    return found


def _state(cell: str) -> Any:
    if (found := STATES.get(cell)) is None:
        raise InvalidInput(f"{values.quoted(cell)} is no state that is known; known are {', '.join(STATES)}.")
    return found


def _count(cell: str) -> int:
    number = values.integer(cell)
    if not 0 <= number <= LARGEST:
        raise InvalidInput(f"{values.quoted(cell)} is no count; give a whole number from 0 up.")
    return number


def _plain(name: str, label: str, *aliases: str) -> Column:
    return Column(name, label, aliases=aliases, parse=_text, empty="")


@register_importer
class IncidentImporter(Importer):
    """Incidents of another service desk: one row for each change, by incident number and number of the change."""

    key = "tickets.incidents"
    title = "Incidents of another service desk"
    model = Ticket
    natural_key: ClassVar[tuple[str, ...]] = ("number", "sequence")
    help = (
        "The change log of a service desk such as ServiceNow, one row for each change of an incident. Each incident "
        "becomes a ticket with its history. Times are day first and without a zone; they are read in the zone of the "
        "default business calendar."
    )
    columns = (
        Column("number", "Incident", required=True, aliases=("number",), parse=_text, example="INC0000045"),
        Column("sequence", "Change", required=True, aliases=("sys_mod_count",), parse=_count, example="2"),
        Column("state", "State", required=True, aliases=("incident_state",), parse=_state, example="Active"),
        Column(
            "at",
            "Changed at",
            required=True,
            aliases=("sys_updated_at",),
            parse=_moment,
            example="29-02-2016 08:53",
        ),
        Column("opened_at", "Opened", required=True, parse=_moment, example="29-02-2016 01:16"),
        Column("resolved_at", "Resolved", parse=_moment, example="29-02-2016 11:29"),
        Column("closed_at", "Closed", parse=_moment, example="05-03-2016 12:00"),
        Column("impact", "Impact", parse=_level, example="2 - Medium", empty=Level.MEDIUM),
        Column("urgency", "Urgency", parse=_level, example="2 - Medium", empty=Level.MEDIUM),
        Column("reopened", "Times reopened", aliases=("reopen_count",), parse=_count, empty=0, example="0"),
        Column("reassigned", "Times reassigned", aliases=("reassignment_count",), parse=_count, empty=0, example="1"),
        _plain("made_sla", "Promise kept", "made_sla"),
        _plain("caller", "Caller", "caller_id"),
        _plain("opened_by", "Opened by"),
        _plain("updated_by", "Changed by", "sys_updated_by"),
        _plain("location", "Location"),
        _plain("category", "Category"),
        _plain("subcategory", "Subcategory"),
        _plain("symptom", "Symptom", "u_symptom"),
        _plain("group", "Assignment group"),
        _plain("assigned_to", "Assigned to"),
        _plain("closed_code", "Closing code", "closed_code"),
    )

    def apply(self, rows: Sequence[Row], *, by: Any) -> Sequence[Outcome]:
        """Read the rows, refuse what cannot have happened, and bring in the rest."""
        zone = _zone()
        refused: dict[int, str] = {}
        changes: list[Change] = []
        for row in rows:
            if row.values["at"] is None or row.values["opened_at"] is None:
                refused[row.line] = "A change says when it happened and when its incident was opened."
                continue
            change = _change(row, zone)
            if sentence := _refuse(change):
                refused[row.line] = sentence
            else:
                changes.append(change)
        brought = bring_in(changes, system=SYSTEM, zone=zone.key, by=by)
        done = {change.line: each for change, each in zip(changes, brought, strict=True)}
        return [
            Outcome.refused(row, refused[row.line]) if row.line in refused else self._outcome(row, done[row.line])
            for row in rows
        ]

    def _outcome(self, row: Row, brought: Any) -> Outcome:
        if brought.refused:
            return Outcome.refused(row, brought.refused, object_id=brought.ticket_id or "")
        if brought.kind == "known":
            return Outcome.unchanged(row, object_id=brought.ticket_id)
        told = {"State": ("", row.values["state"].label)}
        make = Outcome.created if brought.kind == "created" else Outcome.updated
        return make(row, object_id=brought.ticket_id, changes=told)


def _zone() -> ZoneInfo:
    calendar = default_calendar()
    version = version_in_force(calendar, dt.date(2000, 1, 1))
    if version is None:
        raise InvalidInput(f"{calendar} has no hours yet; publish its first version, its zone is that of the file.")
    return ZoneInfo(version.zone)


def _change(row: Row, zone: ZoneInfo) -> Change:
    given = row.values
    moments = {
        name: given[name].replace(tzinfo=zone).astimezone(dt.UTC)
        for name in ("at", "opened_at", "resolved_at", "closed_at")
        if given.get(name) is not None
    }
    plain = {name: value for name, value in given.items() if isinstance(value, str) and name != "state"}
    levels = {name: int(given.get(name) or Level.MEDIUM) for name in ("impact", "urgency")}
    counts = {name: int(given.get(name) or 0) for name in ("reopened", "reassigned")}
    known = {name: moment.isoformat() for name, moment in moments.items()}
    facts = {**plain, **known, **{name: str(value) for name, value in (levels | counts).items()}}
    return Change(
        line=row.line,
        number=given["number"],
        sequence=given["sequence"],
        at=moments["at"],
        opened_at=moments["opened_at"],
        resolved_at=moments.get("resolved_at"),
        closed_at=moments.get("closed_at"),
        state=given["state"],
        facts={**facts, "state": given["state"].value},
        **levels,
        **counts,
    )


def _refuse(change: Change) -> str | None:
    if not change.number:
        return "The row names no incident."
    if change.at < change.opened_at - CLOCK_SKEW:
        return f"It changed on {change.at:%d-%m-%Y %H:%M} (UTC), before it was opened."
    ended = change.resolved_at or change.closed_at
    if change.state in DONE and ended is not None and ended < change.opened_at:
        return f"It ended on {ended:%d-%m-%Y %H:%M} (UTC), before it was opened."
    return None
