"""What changed lately, for one person: only records that the person may see, mass changes in one line."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from django.db import models

from apps.audit.domain.reading import Things, changed_fields
from apps.audit.kinds import kind_of
from apps.audit.models import AuditEvent
from apps.core import access

if TYPE_CHECKING:
    from apps.accounts.models import User

LINES = 10
PORTION = 200
PORTIONS = 5
FEW = 3
ONE_DEED = ("txid", "table_name", "action", "actor_id", "reason")  # many entries that agree in these are one line
_DONE = {AuditEvent.Action.INSERT: "created", AuditEvent.Action.UPDATE: "changed", AuditEvent.Action.DELETE: "deleted"}


@dataclass(frozen=True)
class News:
    """One line: who did what to which record (or to how many of a kind), when and why."""

    at: dt.datetime
    who: str
    did: str
    thing: models.Model | None
    kind: str
    number: int
    fields: str
    reason: str
    is_more: bool = False


def news_for(person: "User", kinds: Iterable[type[models.Model]]) -> list[News]:
    """Return the latest changes of records of `kinds` that `person` may see, newest first.

    Reads a few portions of the ledger's end, and steps over the rest of a mass change: what lies further back is in
    the ledger itself.
    """
    tables = [model._meta.db_table for model in kinds if access.has_model_permission(person, "view", model)]
    if not tables:
        return []
    rows = AuditEvent.objects.filter(table_name__in=tables, actor__isnull=False).select_related("actor")
    lines: list[News] = []
    for _ in range(PORTIONS):
        portion = list(rows.order_by("-id")[:PORTION])
        mass: list[AuditEvent] = []
        lines += _lines(portion, person, mass)
        if len(lines) >= LINES or len(portion) < PORTION:
            break
        rows = rows.filter(id__lt=portion[-1].pk)
        for event in mass:
            rows = rows.exclude(**{name: getattr(event, name) for name in ONE_DEED})
    return sorted(lines, key=lambda line: line.at, reverse=True)[:LINES]


def _lines(portion: list[AuditEvent], person: "User", mass: list[AuditEvent]) -> list[News]:
    """Turn entries into lines; the newest entry of each mass change goes into `mass`."""
    things = Things(portion, person)
    deeds: dict[tuple[Any, ...], list[AuditEvent]] = {}
    for event in portion:
        if things.of(event) is not None:
            deeds.setdefault(tuple(getattr(event, name) for name in ONE_DEED), []).append(event)
    lines: list[News] = []
    for events in deeds.values():
        if len(events) > FEW:
            mass.append(events[0])
            number = len({event.object_id for event in events})
            reaches_back = len(portion) == PORTION and events[-1] is portion[-1]
            lines.append(replace(_line(events[0], None, number), is_more=reaches_back))
        else:
            lines += [_line(event, things.of(event), 1) for event in events]
    return lines


def _line(event: AuditEvent, thing: models.Model | None, number: int) -> News:
    who = str(event.actor) if event.actor is not None else event.actor_label
    fields = changed_fields(event) if event.action == AuditEvent.Action.UPDATE else ""
    done = _DONE[AuditEvent.Action(event.action)]
    return News(event.at, who, done, thing, kind_of(event.table_name), number, fields, event.reason)
