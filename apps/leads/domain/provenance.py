"""Where the values of a lead come from, and since when: what a source said, else the version that first held it."""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from apps.core.actors import Channel
from apps.core.admin_kit.names import label_of
from apps.leads.domain.intake import FIELDS
from apps.leads.models import FieldValue, IntakeSource, Lead

DEEPEST, SHOWN = 500, 12  # versions looked through, and refused values told
WAYS: dict[str, str] = {Channel.ADMIN: "by hand", Channel.IMPORT: "file", Channel.SYNC: "sync", Channel.API: "API"}


@dataclass(frozen=True)
class Known:
    """One value with where it is from.

    Attributes:
        label: the field in words.
        value: as it stands, or as it was said.
        source: the source, or how and by whom it was written.
        since: when it was last said, or first written.
        why: the reason it was written for, as far as one was given.
    """

    label: str
    value: str
    source: str
    since: dt.datetime
    why: str = ""


def values_of(lead: Lead, *, hidden: Collection[str] = ()) -> tuple[list[Known], list[Known]]:
    """Return the values that stand with where each is from, and those that were said and not taken, the latest first.

    Three queries, whatever a lead has been through.

    Args:
        lead: whose they are.
        hidden: columns the reader may not see.
    """
    said = [row for row in FieldValue.objects.filter(lead=lead)[:DEEPEST] if row.field not in hidden]
    titles = dict(IntakeSource.objects.filter(key__in={row.source for row in said}).values_list("key", "title"))
    told: dict[tuple[str, str], FieldValue] = {}
    for row in said:
        if row.is_taken:
            told.setdefault((row.field, row.value), row)
    standing = {name: str(getattr(lead, name) or "") for name in FIELDS if name not in hidden}
    written = _written(lead, [name for name, value in standing.items() if value and (name, value) not in told])
    known = []
    for name, value in standing.items():
        if (name, value) in told:
            row = told[(name, value)]
            known.append(Known(label_of(lead, name), value, titles.get(row.source, row.source), row.observed_at))
        elif name in written:
            known.append(Known(label_of(lead, name), value, *written[name]))
    refused = [
        Known(label_of(lead, row.field), row.value, titles.get(row.source, row.source), row.observed_at)
        for row in said
        if not row.is_taken
    ]
    return known, refused[:SHOWN]


def _written(lead: Lead, names: list[str]) -> dict[str, tuple[str, dt.datetime, str]]:
    """Return by field who wrote the value that stands, when and why: the version since which it has been there."""
    versions = list(lead.history.select_related("history_user").order_by("-history_id")[:DEEPEST]) if names else []
    found = {}
    for name in names:
        value, since = getattr(lead, name), None
        for version in versions:
            if getattr(version, name) != value:
                break
            since = version
        if since is not None:
            way, who = WAYS.get(since.channel, ""), str(since.history_user or since.actor_label)
            found[name] = (f"{way}, {who}" if way else who, since.history_date, since.history_change_reason or "")
    return found
