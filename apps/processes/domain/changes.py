"""What changed around a process since its last review: its tools, its record (channels, owners), its feedback."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from apps.audit.models import AuditEvent
from apps.core.words import NOTHING
from apps.processes.enums import Disposition
from apps.processes.models import Process, Review

SHOWN = 30
# what of a process and of a tool matters to somebody who looks whether the procedure still holds
_PROCESS = {"channels", "summary", "criticality", "classification", "owner_person_id", "owner_team_id"}
_TOOL = {"name", "lifecycle", "function", "criticality", "data_classification", "vendor_name", "archived_at"}


@dataclass(frozen=True)
class Change:
    """One thing that is different: when, what, and in which way."""

    at: dt.datetime
    what: str
    how: str


@dataclass(frozen=True)
class Changes:
    """Everything since the last review, or since the version came into force where there was none."""

    since: dt.datetime
    until: dt.datetime | None
    changes: tuple[Change, ...]
    feedback: tuple[Any, ...]

    @property
    def open_feedback(self) -> int:
        """How many pieces still wait for an answer."""
        return sum(each.disposition == Disposition.OPEN for each in self.feedback)


def changes_since_last_review(review: Review) -> Changes:
    """Return what a reviewer has to know: changed tools and channels, tools that came and went, and feedback."""
    process, until = review.process, review.closed_at
    before = process.reviews.filter(closed_at__isnull=False, closed_at__lt=review.opened_at).first()
    since = (before.closed_at if before else review.version.effective_at) or review.opened_at
    events = AuditEvent.objects.filter(at__gt=since, **({"at__lte": until} if until else {}))
    found = [*_of_process(process, events), *_of_tools(process, events)]
    feedback = process.feedback.filter(created_at__gt=since) | process.feedback.filter(disposition=Disposition.OPEN)
    return Changes(
        since,
        until,
        tuple(sorted(found, key=lambda each: each.at, reverse=True)[:SHOWN]),
        tuple(feedback.select_related("author").distinct().order_by("-created_at")[:SHOWN]),
    )


def _of_process(process: Process, events: Any) -> list[Change]:
    mine = events.filter(table_name=process._meta.db_table, object_id=str(process.pk), action="update")
    found = []
    for event in mine.filter(changes__has_any_keys=sorted(_PROCESS))[:SHOWN]:
        names = sorted(_PROCESS & set(event.changes))
        found.append(Change(event.at, str(process), ", ".join(_told(name, event.changes[name]) for name in names)))
    links = events.filter(table_name="processes_process_tools", action__in=("insert", "delete"))
    tools = {str(tool.pk): str(tool) for tool in process.tools.model._default_manager.all()}
    for event in links[: SHOWN * 10]:
        side = 0 if event.action == "delete" else 1
        link = {name: pair[side] for name, pair in event.changes.items()}
        if link.get("process_id") == process.pk:
            how = "no longer used here" if event.action == "delete" else "used here since"
            found.append(Change(event.at, f"Tool {tools.get(str(link.get('tool_id')), '(gone)')}", how))
    return found


def _of_tools(process: Process, events: Any) -> list[Change]:
    tools = {str(tool.pk): tool for tool in process.tools.all()}
    if not tools:
        return []
    table = next(iter(tools.values()))._meta.db_table
    rows = events.filter(table_name=table, object_id__in=list(tools), action="update")
    return [
        Change(
            event.at,
            f"Tool {tools[event.object_id]}",
            ", ".join(_told(name, event.changes[name]) for name in sorted(_TOOL & set(event.changes))),
        )
        for event in rows.filter(changes__has_any_keys=sorted(_TOOL))[:SHOWN]
    ]


def _told(name: str, pair: Any) -> str:
    label = name.removesuffix("_id").replace("_", " ")
    if name.endswith("_id") or not isinstance(pair, list):
        return f"{label} changed"
    before, after = (_value(each) for each in pair)
    return f"{label}: {before} → {after}"


def _value(value: Any) -> str:
    if value in (None, "", []):
        return NOTHING
    text = ", ".join(str(each) for each in value) if isinstance(value, list) else str(value)
    return text if len(text) <= 60 else f"{text[:59]}…"
