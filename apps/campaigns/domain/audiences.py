"""Audiences: selected from a source, frozen with count, sample and digest, and counted again at the launch."""

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from django.db import transaction

from apps.campaigns.enums import Channel
from apps.campaigns.models import Audience, Campaign
from apps.campaigns.registry import Members, provider_choices, provider_of
from apps.core import access, clock
from apps.core.actors import acting_as
from apps.core.errors import DomainError, InvalidInput, NotAllowed, WrongState
from apps.core.events import publish
from apps.core.gates import Finding
from apps.core.transitions import transition
from apps.core.words import reason_given

if TYPE_CHECKING:
    from apps.accounts.models import User

SAMPLE = 10
CHANGEABLE = ("planning", "in_creative")
NEEDED_IN = (Channel.EMAIL,)  # channels that cannot do without one


def read_selection(text: str) -> dict[str, list[str]]:
    """Read a selection as people write it: one field a line, "territory = DACH, UK".

    Raises:
        InvalidInput: names the line that cannot be read.
    """
    found: dict[str, list[str]] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        name, sign, rest = (part.strip() for part in line.partition("="))
        values = [part.strip() for part in rest.split(",") if part.strip()]
        if not sign or not name or not values:
            raise InvalidInput(f"Line {number} selects nothing; write for instance “territory = DACH, UK”.")
        if name in found:
            raise InvalidInput(f"Line {number} names {name} a second time; put all its values on one line.")
        found[name] = values
    return found


def written(selection: Mapping[str, Sequence[str]]) -> str:
    """Write a selection the way `read_selection` reads it."""
    return "\n".join(f"{name} = {', '.join(values)}" for name, values in selection.items())


def refuse_selection(provider: str, selection: Mapping[str, Sequence[str]]) -> str | None:
    """Return what is wrong with a selection, None when it can be carried out."""
    source = provider_of(provider)
    if source is None:
        known = ", ".join(key for key, _ in provider_choices()) or "none"
        return f"There is no source “{provider}”; there is {known}."
    if unknown := sorted(set(selection) - set(source.fields)):
        return f"{source.title} are not selected by {', '.join(unknown)}; only by {', '.join(source.fields)}."
    return source.refuse(selection)


def members_now(audience: Audience) -> Members:
    """Return who is in the selection now.

    Raises:
        InvalidInput: its source is not installed, or the selection cannot be carried out.
    """
    refused, source = refuse_selection(audience.provider, audience.selection), provider_of(audience.provider)
    if refused or source is None:
        raise InvalidInput(refused or "")
    return source.members(audience.selection, audience.campaign.main_channel)


def refuse_freezing(user: "User", audience: Audience) -> str | None:
    """Return why `user` cannot freeze this audience now, None when they can."""
    if refused := _refuse(user, audience):
        return refused
    return f"“{audience}” is frozen already; thaw it to freeze it anew." if audience.is_frozen else None


def freeze_audience(audience: Audience, *, by: "User", at: dt.datetime | None = None) -> str:
    """Freeze who is in an audience: how many, their digest, a sample; the approval and the launch rely on it.

    Raises:
        InvalidInput: nobody is in it, or it cannot be selected.
        NotAllowed, WrongState: as `refuse_freezing` says.
    """
    with transaction.atomic(), acting_as(by):
        row = _locked(audience)
        _raise(by, row, refuse_freezing(by, row))
        found = members_now(row)
        if not found.keys:
            raise InvalidInput(f"Nobody is in “{row}”; select otherwise. A campaign for nobody does not go live.")
        row.frozen_at, row.frozen_by = at or clock.now(), by
        row.frozen_count, row.frozen_digest = len(found.keys), digest_of(found.keys)
        row.left_out, row.sample = dict(found.left_out), sample_of(found.keys)
        with transition(Audience):
            row.save()
        publish("campaign.audience_frozen", campaign_id=row.campaign_id)
    without = "".join(f"; {number:,} left out: {why}" for why, number in found.left_out.items() if number)
    return f"“{row}” is frozen with {row.frozen_count:,} people{without}."


def refuse_thawing(user: "User", audience: Audience) -> str | None:
    """Return why `user` cannot thaw this audience now, None when they can."""
    if refused := _refuse(user, audience):
        return refused
    return None if audience.is_frozen else f"“{audience}” is not frozen."


def thaw_audience(audience: Audience, *, by: "User", reason: str) -> str:
    """Open a frozen audience again.

    Raises:
        InvalidInput: without a reason.
        NotAllowed, WrongState: as `refuse_thawing` says.
    """
    reason = reason_given(reason, "Say why other people are to be selected.")
    with transaction.atomic(), acting_as(by, reason=reason):
        row = _locked(audience)
        _raise(by, row, refuse_thawing(by, row))
        row.frozen_at, row.frozen_by, row.frozen_count, row.frozen_digest = None, None, None, ""
        row.left_out, row.sample = {}, []
        with transition(Audience):
            row.save()
    return f"“{row}” can be selected otherwise; freeze it again before the launch."


def audience_finding(campaign: Campaign, today: dt.date) -> Finding | None:
    """Say whether every audience is frozen; None where the channel does without one."""
    rows = campaign.live_parts("audiences")
    if not rows:
        return Finding(False, "none is selected; add one") if campaign.main_channel in NEEDED_IN else None
    if waiting := [f"“{each}” is not frozen" for each in rows if not each.is_frozen]:
        return Finding(False, ", ".join(waiting))
    return Finding(True, f"frozen: {', '.join(f'“{each}” with {each.frozen_count:,} people' for each in rows)}")


def has_frozen(campaign: Campaign) -> bool:
    """Whether there is an audience whose size can be compared."""
    return any(each.is_frozen for each in campaign.live_parts("audiences"))


def size_finding(campaign: Campaign, today: dt.date) -> Finding:
    """Say whether every frozen audience is still as large, within what it may differ by."""
    for each in campaign.live_parts("audiences"):
        each.campaign = campaign
        if each.is_frozen and (wrong := _drifted(each)):
            return Finding(False, wrong)
    return Finding(True, "it is, within what it may differ by")


def within(frozen: int, now: int, percent: int) -> bool:
    """Whether a count is at most `percent` away from the frozen one, both ends included."""
    return abs(now - frozen) * 100 <= frozen * percent


def digest_of(keys: Sequence[int]) -> str:
    """Return the SHA-256 of the keys in ascending order, one a line."""
    digest = hashlib.sha256()
    for key in keys:
        digest.update(b"%d\n" % key)
    return digest.hexdigest()


def sample_of(keys: Sequence[int]) -> list[int]:
    """Return a few keys, evenly spread: the same for the same people."""
    step = max(len(keys) // SAMPLE, 1)
    return list(keys[::step][:SAMPLE])


def _drifted(audience: Audience) -> str:
    if wrong := refuse_selection(audience.provider, audience.selection):
        return wrong.rstrip(".")
    now, frozen = len(members_now(audience).keys), audience.frozen_count or 0
    if within(frozen, now, audience.tolerance):
        return ""
    return f"“{audience}” was frozen with {frozen:,} people and has {now:,} now, more than ±{audience.tolerance} %"


def _refuse(user: "User", audience: Audience) -> str | None:
    if not access.may(user, "change", audience):
        return "You may not change audiences."
    if audience.is_archived:
        return f"“{audience}” is archived; restore it first."
    if audience.campaign.state not in CHANGEABLE:
        return f"{audience.campaign} was sent for approval with this audience; take it back to planning to change it."
    return None


def _locked(audience: Audience) -> Audience:
    rows: Any = Audience.objects.select_for_update(of=("self",)).select_related("campaign")
    row: Audience = rows.get(pk=audience.pk)
    return row


def _raise(by: "User", row: Audience, sentence: str | None) -> None:
    if sentence is not None:
        kind: type[DomainError] = WrongState if access.may(by, "change", row) else NotAllowed
        raise kind(sentence)
