"""One story of a lead: what it did, how its score and stage moved, who had it and why, what it agreed to, who called.

Everything stands in a table of its own; one statement puts the newest of all of them in order, so that a page of the
story costs the same whatever a lead has been through.
"""

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib.contenttypes.models import ContentType
from django.db import connection

from apps.campaigns.models import Campaign
from apps.core import access
from apps.leads.domain.timeline.parts import PARTS
from apps.leads.domain.timeline.telling import TOLD, Names, Said, campaign_named, leads_named
from apps.leads.models import (
    Consent,
    DuplicatePair,
    Handoff,
    Lead,
    LeadScore,
    RoutingDecision,
    StageInterval,
    Touchpoint,
)

if TYPE_CHECKING:
    from apps.accounts.models import User

PAGE, DEEPEST = 15, 200
KINDS: Mapping[str, str] = {
    "did": "What it did",
    "score": "Score",
    "stage": "Stages",
    "owner": "Who had it",
    "sales": "Sales",
    "clock": "Answering in time",
    "consent": "Consent",
    "same": "Duplicates",
}
_SEEN_WITH: Mapping[str, Any] = {
    "did": Touchpoint,
    "score": LeadScore,
    "stage": StageInterval,
    "owner": RoutingDecision,
    "sales": Handoff,
    "consent": Consent,
    "same": DuplicatePair,
}


@dataclass(frozen=True)
class Event:
    """One thing that happened to a lead: when, of which kind, and what is said of it."""

    at: dt.datetime
    kind: str
    told: Said

    @property
    def label(self) -> str:
        """Its kind in words."""
        return KINDS[self.kind]


@dataclass(frozen=True)
class Story:
    """One page of a story, the newest first, and whether older things follow."""

    events: list[Event]
    more: bool


def kinds_for(user: "User") -> list[str]:
    """Return what of a story `user` may read: each part by the right to view its records."""
    return [kind for kind in KINDS if (model := _SEEN_WITH.get(kind)) is None or access.may_open(user, "view", model)]


def story_of(lead: Lead, *, by: "User", kind: str = "", page: int = 1, known: Mapping[int, str] | None = None) -> Story:
    """Return a page of the story of `lead` as `by` may read it: one query, one more where other leads are named.

    Args:
        lead: one that `by` sees.
        by: who reads.
        kind: one of `KINDS`; all of them where it is empty.
        page: 1 is the newest.
        known: names of other leads that `by` is known to see, by their keys: they are not asked for again.
    """
    wanted = [each for each in kinds_for(by) if kind in ("", each)]
    if not wanted:
        return Story([], False)
    start = (min(max(page, 1), DEEPEST) - 1) * PAGE
    rows = _read(lead, wanted, start)
    names = _names(by, {lead.pk: str(lead), **(known or {})}, rows)
    events = [Event(at, kind, TOLD[what](facts, names)) for kind, what, at, facts in rows[:PAGE]]
    return Story(events, len(rows) > PAGE)


_Row = tuple[str, str, dt.datetime, list[Any]]


def _read(lead: Lead, kinds: list[str], start: int) -> list[_Row]:
    most = start + PAGE + 1
    parts = [
        f"(SELECT '{kind}' AS kind, '{what}' AS what, {at} AS at, {number} AS number, {facts} AS facts "
        f"FROM {table} ORDER BY {at} DESC, {number} DESC LIMIT {most})"
        for kind in kinds
        for what, at, number, facts, table in PARTS[kind]
    ]
    statement = (
        f"SELECT kind, what, at, facts FROM ({' UNION ALL '.join(parts)}) told "  # our own names alone
        f"ORDER BY at DESC, kind, number DESC OFFSET {start} LIMIT {PAGE + 1}"
    )
    with connection.cursor() as cursor:
        given = {"lead": lead.pk, "kind_of_lead": ContentType.objects.get_for_model(Lead).pk}
        cursor.execute(statement, given)
        return [(kind, what, at, _facts(facts)) for kind, what, at, facts in cursor.fetchall()]


def _facts(facts: Any) -> list[Any]:
    return json.loads(facts) if isinstance(facts, str) else list(facts)


def _names(user: "User", known: Mapping[int, str], rows: list[_Row]) -> Names:
    named = {key for _, what, _, facts in rows for key in leads_named(what, facts)} - set(known)
    asked = {key for _, what, _, facts in rows for key in campaign_named(what, facts)}
    leads = access.visible(user, Lead).filter(pk__in=named) if named else ()
    campaigns = access.visible(user, Campaign).filter(pk__in=asked) if asked else ()
    return Names({**known, **{each.pk: str(each) for each in leads}}, {each.pk: str(each) for each in campaigns})
