"""How a person wants to be told: per kind, and at which hours mail may come."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.db import transaction

from apps.core.actors import acting_as
from apps.core.errors import InvalidInput, NotAllowed
from apps.core.notifications.domain.reading import refuse_mark_all
from apps.core.notifications.enums import Reach
from apps.core.notifications.kinds import all_kinds, kind_of
from apps.core.notifications.models import MailHours, Preference

DEFAULT_DIGEST_AT = dt.time(8)


def choices_of(person: Any) -> dict[str, Reach]:
    """Return for every kind how far it reaches `person`."""
    chosen = dict(Preference.objects.filter(person=person).values_list("kind", "reach"))
    return {kind.key: kind.reach(chosen.get(kind.key)) for kind in all_kinds()}


def hours_of(person: Any) -> MailHours:
    """Return the person's mail hours, unsaved ones with the defaults where nothing was chosen."""
    return MailHours.objects.filter(person=person).first() or MailHours(person=person)


def prefer(
    person: Any,
    *,
    reaches: Mapping[str, str],
    quiet_from: dt.time | None,
    quiet_until: dt.time | None,
    digest_at: dt.time,
    by: Any,
) -> str:
    """Keep how `person` wants to be told; only what differs from now is written.

    Args:
        person: whose choice it is; nobody chooses for somebody else.
        reaches: kind key → how far it reaches.
        quiet_from: from when on mail waits, in the person's zone; None for never.
        quiet_until: until when.
        digest_at: when the daily digest comes.
        by: the acting person.

    Raises:
        NotAllowed: `by` is somebody else, or a role that changes nothing.
        InvalidInput: a kind cannot be switched off, or quiet hours have one end only.
    """
    if by.pk != person.pk:
        raise NotAllowed("People choose for themselves how they are told.")
    if refuse_mark_all(by):
        raise NotAllowed("Your role reads everything and changes nothing, preferences included.")
    if (quiet_from is None) != (quiet_until is None) or (quiet_from is not None and quiet_from == quiet_until):
        raise InvalidInput(
            "Quiet hours need a beginning and an end that differ, or neither.",
            fields={"quiet_until": "Give both times, or none."},
        )
    for key, value in reaches.items():
        if value not in dict(kind_of(key).choices):
            raise InvalidInput(f"“{kind_of(key).label}” cannot be switched off: choose how it reaches you.")
    with transaction.atomic(), acting_as(by):
        changed = _write_reaches(person, reaches) + _write_hours(person, quiet_from, quiet_until, digest_at)
    return "Your choices are saved." if changed else "Nothing was different."


def _write_reaches(person: Any, reaches: Mapping[str, str]) -> int:
    stored = {row.kind: row for row in Preference.objects.select_for_update().filter(person=person)}
    changed = 0
    for key, value in reaches.items():
        row = stored.get(key) or Preference(person=person, kind=key, reach=kind_of(key).default)
        if row.reach == value and (row.pk or value == kind_of(key).default):
            continue
        row.reach = value
        row.save()
        changed += 1
    return changed


def _write_hours(person: Any, quiet_from: dt.time | None, quiet_until: dt.time | None, digest_at: dt.time) -> int:
    hours = hours_of(person)
    wanted = (quiet_from, quiet_until, digest_at)
    if (hours.quiet_from, hours.quiet_until, hours.digest_at) == wanted:
        return 0
    hours.quiet_from, hours.quiet_until, hours.digest_at = wanted
    hours.save()
    return 1
