"""Visits of our own website: kept only of who agreed, first under a number, then as the lead it turns out to be.

A visitor is a lead at the stage “anonymous visitor”. Who sends a form is merged with it, which the journal of merges
can undo; what machines do is kept with the reason and counts nothing.
"""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction
from django.utils.dateparse import parse_datetime

from apps.core import clock
from apps.core.actors import acting_as
from apps.core.errors import InvalidInput, WrongState
from apps.core.storable import NULL_SHOWN, storable_object, storable_text
from apps.core.transitions import transition
from apps.leads.domain.consent import consents_of, record_consent
from apps.leads.domain.duplicates.merging import merge, refuse_merge
from apps.leads.domain.scoring.engine import score_leads
from apps.leads.domain.touches import UTM, Touch, refusal_of, write_touches
from apps.leads.enums import ConsentPurpose, Stage, TouchType
from apps.leads.models import Identity, IntakeSource, Lead, Merge

if TYPE_CHECKING:
    from apps.accounts.models import User

MOST_EVENTS, LONGEST = 50, 200
# what a browser may say of itself; the rest comes from systems that know who somebody is
FROM_BROWSERS = (TouchType.VISIT, TouchType.DOWNLOAD)


@dataclass(frozen=True)
class Kept:
    """What became of a delivery of events."""

    new: int
    known: int
    sentence: str


def read_visitor(text: Any) -> uuid.UUID:
    """Return the number of a visitor.

    Raises:
        InvalidInput: it is none.
    """
    try:
        return uuid.UUID(str(text))
    except ValueError as error:
        raise InvalidInput("“visitor” is a number our script makes (a UUID).") from error


def lead_of(visitor: uuid.UUID) -> Lead | None:
    """Return whose browser it is now, None where nobody agreed to be known."""
    row = Identity.objects.select_related("lead__merged_into").filter(visitor=visitor, valid_to=None).first()
    return (row.lead.merged_into or row.lead) if row is not None else None


def is_agreed(lead: Lead) -> bool:
    """Whether the newest word of `lead` on tracking is yes."""
    return any(row.is_given for row in consents_of(lead) if row.purpose == ConsentPurpose.TRACKING)


def keep_visits(
    source: IntakeSource, given: Mapping[str, Any], *, by: "User", machine: str = "", at: dt.datetime | None = None
) -> Kept:
    """Keep what a visitor did, if they agreed to it; without consent nothing is stored, not even that they came.

    Args:
        source: the source of leads it comes through; it takes visits.
        given: {"visitor": number, "consent": {"given": true, "wording": "…"}, "events": [{"id", "type", "at", "page",
            "address", "utm"}]}; the consent is needed once, and is taken back by "given": false.
        by: mops itself.
        machine: why a machine did it, "" where a person.
        at: now, where another moment is meant.

    Raises:
        WrongState: the source takes no visits.
        InvalidInput: it cannot be read.
    """
    if source.is_archived or not source.takes_visits:
        raise WrongState(f"{source} takes no visits.")
    now, given = at or clock.now(), storable_object(given)
    visitor = read_visitor(given.get("visitor"))
    word, events = _consent(given.get("consent")), given.get("events") or []
    if not isinstance(events, list) or len(events) > MOST_EVENTS:
        raise InvalidInput(f"“events” is a list of at most {MOST_EVENTS}.")
    with transaction.atomic(), acting_as(by):
        alone_with(visitor)
        lead = lead_of(visitor)
        if word is not None and not word[0]:
            return _taken_back(lead, source, word[1], by=by)
        if lead is not None and lead.is_archived:  # nothing is added to what was put away, and nobody is told whose
            return Kept(0, 0, "Nothing is kept of this visitor.")
        agreed = lead is not None and is_agreed(lead)
        if not agreed and word is None:
            return Kept(0, 0, "Nothing is kept: this visitor did not agree to it.")
        touches = _touches(events, source, visitor, machine, now)  # refused before anything is written
        if lead is None:
            lead = _anonymous(visitor, source, now)
        if word is not None and not agreed:
            evidence = f"“{word[1]}” on {source}"
            record_consent(
                lead, purpose=ConsentPurpose.TRACKING, is_given=True, evidence=evidence, by=by, source=source.key
            )
        taken = write_touches([replace(touch, lead_id=lead.pk) for touch in touches], now=now)
        score_leads([lead.pk], as_of=now)
    return Kept(taken.new, taken.known, f"{taken.new} kept, {taken.known} known already.")


def alone_with(visitor: uuid.UUID) -> None:
    """Let deliveries of one visitor follow each other, so that it becomes one lead; taken before any other lock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [f"leads.visitor.{visitor}"])


def _consent(given: Any) -> tuple[bool, str] | None:
    if given is None:
        return None
    if not isinstance(given, Mapping) or not isinstance(given.get("given"), bool):
        raise InvalidInput("“consent” says “given” (true or false) and the “wording” that was shown.")
    wording = " ".join(str(given.get("wording") or "").split())[:LONGEST]
    if given["given"] and not wording:
        raise InvalidInput("A consent counts with the wording that was shown alone; send it as “wording”.")
    return given["given"], wording


def _taken_back(lead: Lead | None, source: IntakeSource, wording: str, *, by: "User") -> Kept:
    if lead is not None and is_agreed(lead):
        _agrees(lead, source, wording, is_given=False, by=by)
        return Kept(0, 0, "The consent is taken back; nothing is kept from now on.")
    return Kept(0, 0, "Nothing is kept: this visitor did not agree to it.")


def _agrees(lead: Lead, source: IntakeSource, wording: str, *, is_given: bool, by: "User") -> None:
    purpose, evidence = ConsentPurpose.TRACKING, f"“{wording}” on {source}" if wording else f"By the script on {source}"
    record_consent(lead, purpose=purpose, is_given=is_given, evidence=evidence, by=by, source=source.key)


def _anonymous(visitor: uuid.UUID, source: IntakeSource, now: dt.datetime) -> Lead:
    lead = Lead(record_source=source.key, stage=Stage.ANONYMOUS_VISITOR, origin="Website")
    with transition(Lead):
        lead.save()
    Identity.objects.create(
        visitor=visitor, lead=lead, source=source.key, valid_from=now, how="Agreed to be recognised on the website."
    )
    return lead


def _touches(events: Sequence[Any], source: IntakeSource, visitor: uuid.UUID, machine: str, now: dt.datetime) -> Any:
    made: list[Touch] = []
    for number, event in enumerate(events, 1):
        if not isinstance(event, Mapping):
            raise InvalidInput(f"Event {number} is no object.")
        kind, key = str(event.get("type") or TouchType.VISIT), str(event.get("id") or "")
        when = now if not event.get("at") else _moment(str(event["at"]), number)
        if kind not in FROM_BROWSERS:
            raise InvalidInput(f"A browser does not say “{kind[:40]}” of itself; it says {' or '.join(FROM_BROWSERS)}.")
        if not key or len(key) > 60:
            raise InvalidInput(f"Event {number} needs an “id” of at most 60 characters, so that it counts once.")
        given = event.get("utm")
        utm = given if isinstance(given, Mapping) else {}
        touch = Touch(
            lead_id=0,
            type=kind,
            occurred_at=when,
            source=source.key,
            source_event_id=f"{visitor.hex}-{key}",
            value=cleaned(event.get("page")),
            address=cleaned(event.get("address")),
            utm={name: cleaned(utm[name]) for name in UTM if utm.get(name)},
            machine_reason=machine,
        )
        if refused := refusal_of(touch, now=now):
            raise InvalidInput(f"Event {number}: {refused}")
        made.append(touch)
    return made


def cleaned(text: Any) -> str:
    """Return a text of the internet as it is kept: one line, of bounded length, nothing the database cannot hold."""
    return " ".join(storable_text(str(text or "")).replace(NULL_SHOWN, "").split())[:LONGEST]


def _moment(text: str, number: int) -> dt.datetime:
    try:
        found = parse_datetime(text)
    except ValueError:
        found = None
    if found is None:
        raise InvalidInput(f"Event {number}: “{text[:40]}” is no moment; write it as 2026-03-31T14:30:00Z.")
    return found


def stitch(visitor: uuid.UUID, lead: Lead, *, how: str, by: "User", at: dt.datetime | None = None) -> Merge | None:
    """Say that a visitor is `lead`: what it did before it was known becomes the lead's; None where nothing is to do.

    Undone like every merge (`merging.undo`), which gives the visits back to the visitor.
    """
    found = lead_of(visitor)
    if found is None or found.pk == lead.pk or found.stage != Stage.ANONYMOUS_VISITOR:
        return None
    if refuse_merge(by, lead, found):
        return None
    return merge(lead, found, by=by, reason=how, at=at)
