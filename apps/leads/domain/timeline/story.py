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
from apps.content.models import ContentVersion
from apps.core import access
from apps.leads.domain.timeline.parts import PARTS, Part
from apps.leads.domain.timeline.telling import TOLD, Names, Said, campaign_named, content_named, leads_named
from apps.leads.models import (
    Consent,
    DuplicatePair,
    Handoff,
    Intake,
    Lead,
    Merge,
    Opportunity,
    RoutingDecision,
    SalesContact,
    ScoreChange,
    ScoreOverride,
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
# what is told → the records it stands in; a part without one belongs to the lead itself
_SEEN_WITH: Mapping[str, Any] = {
    "touch": Touchpoint,
    "intake": Intake,
    "rescored": ScoreChange,
    "override": ScoreOverride,
    "stage": StageInterval,
    "routed": RoutingDecision,
    "offered": Handoff,
    "answered": Handoff,
    "contact": SalesContact,
    "deal": Opportunity,
    "closed": Opportunity,
    "consent": Consent,
    "merged": Merge,
    "undone": Merge,
    "pair": DuplicatePair,
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


def _told_to(user: "User") -> dict[str, list[Part]]:
    """Return the parts of a story that `user` may read, by kind: each by the right to view the records it stands in."""
    seen = {model: access.may_open(user, "view", model) for model in {*_SEEN_WITH.values()}}
    told = {kind: [part for part in PARTS[kind] if seen.get(_SEEN_WITH.get(part[0]), True)] for kind in KINDS}
    return {kind: parts for kind, parts in told.items() if parts}


def kinds_for(user: "User") -> list[str]:
    """Return the kinds of which a story tells `user` something."""
    return list(_told_to(user))


def story_of(lead: Lead, *, by: "User", kind: str = "", page: int = 1, known: Mapping[int, str] | None = None) -> Story:
    """Return a page of the story of `lead` as `by` may read it: one query, and one for each kind of record it names.

    Args:
        lead: one that `by` sees.
        by: who reads.
        kind: one of `KINDS`; all of them where it is empty.
        page: 1 is the newest.
        known: names of other leads that `by` is known to see, by their keys: they are not asked for again.
    """
    wanted = {each: parts for each, parts in _told_to(by).items() if kind in ("", each)}
    if not wanted:
        return Story([], False)
    start = (min(max(page, 1), DEEPEST) - 1) * PAGE
    rows = _read(lead, wanted, start)
    names = _names(by, {lead.pk: str(lead), **(known or {})}, rows)
    events = [
        Event(at, kind, TOLD[what](facts, names))
        for kind, what, at, facts in rows[:PAGE]
        if all(key in names.leads for key in leads_named(what, facts))  # two leads: for who sees both, as their pages
    ]
    return Story(events, len(rows) > PAGE)


_Row = tuple[str, str, dt.datetime, list[Any]]


def _read(lead: Lead, told: Mapping[str, list[Part]], start: int) -> list[_Row]:
    most = start + PAGE + 1
    parts = [
        f"(SELECT '{kind}' AS kind, '{what}' AS what, {at} AS at, {number} AS number, {facts} AS facts "
        f"FROM {table} ORDER BY {at} DESC, {number} DESC LIMIT {most})"
        for kind, wanted in told.items()
        for what, at, number, facts, table in wanted
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
    read = {key for _, what, _, facts in rows for key in content_named(what, facts)}
    campaigns = access.visible(user, Campaign).filter(pk__in=asked) if asked else ()
    content = access.visible(user, ContentVersion).filter(pk__in=read).select_related("asset") if read else ()
    return Names(
        {**known, **{each.pk: str(each) for each in leads}},
        {each.pk: str(each) for each in campaigns},
        {each.pk: str(each) for each in content},
    )
