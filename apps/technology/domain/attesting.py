"""Owners' word on their tools: who may give it, what it covers, whether it holds; and how complete a record is."""

import datetime as dt
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import transaction

from apps.accounts.models import Membership
from apps.core import access, clock
from apps.core.actors import acting_as
from apps.core.errors import NotAllowed, WrongState
from apps.core.events import publish
from apps.technology.enums import Criticality, DataClass, Known
from apps.technology.models import Attestation, Tool

if TYPE_CHECKING:
    from apps.accounts.models import User

ATTESTED = (
    *("name", "function", "vendor_id", "lifecycle", "criticality", "data_classification", "personal_data"),
    *("customer_data", "sub_processor", "single_sign_on", "owner_person_id", "owner_team_id", "technical_owner_id"),
    *("backup_person_id", "backup_team_id", "collected_data", "compliance_scope", "audience"),
)


@dataclass(frozen=True)
class Wanted:
    """One thing a complete record of a tool says: in words, how much it counts, and whether it is there."""

    words: str
    weight: int
    given: Callable[[Tool], Any]


def _said(name: str) -> Callable[[Tool], bool]:
    return lambda tool: getattr(tool, name) not in ("", Known.UNKNOWN, Criticality.UNKNOWN, DataClass.UNKNOWN)


WANTED = (
    Wanted("what it is for", 10, lambda tool: tool.function),
    Wanted("a description", 5, lambda tool: tool.description.strip()),
    Wanted("its vendor", 8, lambda tool: tool.vendor_id or tool.vendor_name),
    Wanted("an owner", 15, lambda tool: tool.owner_person_id or tool.owner_team_id),
    Wanted("a technical owner", 8, lambda tool: tool.technical_owner_id or tool.technical_owner_names),
    Wanted("a backup", 8, lambda tool: tool.backup_person_id or tool.backup_team_id),
    Wanted("its systems tier", 8, _said("criticality")),
    Wanted("its data class", 8, _said("data_classification")),
    Wanted("whether it holds personal data", 8, _said("personal_data")),
    Wanted("whether the vendor is a sub-processor", 6, _said("sub_processor")),
    Wanted("whether people sign in by single sign-on", 4, _said("single_sign_on")),
    Wanted("how it is integrated", 4, lambda tool: tool.integration_method),
    Wanted("who works with it", 4, _said("audience")),
    Wanted("where its use is described", 4, lambda tool: tool.handbook_link or tool.external_link),
)
_WHOLE = sum(each.weight for each in WANTED)


@dataclass(frozen=True)
class Completeness:
    """How much of what a record should say it says, in per cent, and what is missing."""

    percent: int
    missing: tuple[str, ...]


def completeness(tool: Tool) -> Completeness:
    """Return how complete the record of `tool` is."""
    missing = [each for each in WANTED if not each.given(tool)]
    return Completeness(
        100 - -(-100 * sum(each.weight for each in missing) // _WHOLE), tuple(each.words for each in missing)
    )


def facts_of(tool: Tool) -> dict[str, Any]:
    """Return what an attestation covers, as JSON keeps it."""
    return {name: getattr(tool, name) for name in ATTESTED}


def digest_of(facts: dict[str, Any]) -> str:
    """Return the SHA-256 of attested facts, sorted and without spaces."""
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def refuse_attestation(user: "User", tool: Tool) -> str | None:
    """Return why `user` cannot attest the record of `tool`, None when it works."""
    if not access.can(user, "view", tool):
        return "You may not see this tool."
    if tool.is_archived:
        return f"{tool} is archived; restore it first."
    if tool.owner_person_id is None and tool.owner_team_id is None:
        return f"Nobody answers for {tool}; name an owner first, who then attests it."
    if user.pk in (tool.owner_person_id, tool.technical_owner_id):
        return None
    of_team = Membership.objects.filter(person=user, team=tool.owner_team_id, archived_at__isnull=True)
    if tool.owner_person_id is None and of_team.exists():
        return None
    return f"Only who answers for {tool} can attest it: {tool.owner}."


def attest(tool: Tool, *, by: "User", note: str = "", at: dt.datetime | None = None) -> str:
    """Keep the owner's word that the record of a tool is right as it stands.

    Raises:
        NotAllowed: `by` does not answer for it.
        WrongState: it is archived, or nobody answers for it.
    """
    with transaction.atomic(), acting_as(by):
        row = Tool.objects.select_for_update(of=("self",)).get(pk=tool.pk)
        if refused := refuse_attestation(by, row):
            raise (WrongState if row.is_archived or row.owner is None else NotAllowed)(refused)
        facts = facts_of(row)
        Attestation.objects.create(
            tool=row,
            by=by,
            by_label=by.get_username(),
            at=at or clock.now(),
            statement=note.strip() or "The record is right as it stands.",
            facts=facts,
            digest=digest_of(facts),
        )
        publish("tool.attested", tool_id=row.pk)
    return f"{row} is attested."


@dataclass(frozen=True)
class Standing:
    """How the newest attestation stands: when, by whom, and why it no longer holds ("" when it does)."""

    newest: Attestation | None
    stale: str


def standing(tool: Tool, newest: Attestation | None, *, now: dt.datetime, holds_days: int) -> Standing:
    """Return whether the newest attestation of a tool still holds: not too old, and nothing it covers changed."""
    if newest is None:
        return Standing(None, "Nobody has attested this record yet.")
    changed = [name for name, value in facts_of(tool).items() if newest.facts.get(name) != value]
    if changed:
        fields = {field.attname: field for field in tool._meta.fields}
        words = ", ".join(str(fields[name].verbose_name) for name in changed)
        return Standing(newest, f"Changed since: {words}.")
    if newest.at < now - dt.timedelta(days=holds_days):
        return Standing(newest, f"Older than {holds_days} days; it is time to attest again.")
    return Standing(newest, "")
