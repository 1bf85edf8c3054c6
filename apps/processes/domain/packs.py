"""The quarterly governance pack: told from the rows at one moment, then frozen with its digest.

A pack is read by more people than a closed process is, so lines name only processes open to everybody; the others are
counted.
"""

import datetime as dt
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction

from apps.core import access, clock
from apps.core.actors import acting_as
from apps.core.errors import InvalidInput, NotAllowed
from apps.core.events import publish
from apps.core.pack_parts import Span, registered_parts
from apps.core.packs import quarter_of
from apps.core.rules.canonical import digest_of
from apps.processes.domain.pack_parts import OWN, tell_measures
from apps.processes.models import GovernancePack

if TYPE_CHECKING:
    from apps.accounts.models import User


def refuse_pack(user: "User") -> str | None:
    """Return why `user` cannot make a pack, None when they can."""
    may = access.has_model_permission(user, "add", GovernancePack)
    return None if may else "You may read governance packs, not make them."


def make_pack(*, by: "User", on: dt.date | None = None) -> GovernancePack:
    """Tell the quarter of a day from the rows, and freeze it; announces `governance.pack_made`.

    Events of the quarter are counted up to that day; levels, measures and findings are those of this moment.

    Args:
        by: who makes it; mops itself at the end of each quarter.
        on: the last day that counts; today when not given.

    Raises:
        NotAllowed: `refuse_pack`.
        InvalidInput: the day is to come.
    """
    if refused := refuse_pack(by):
        raise NotAllowed(refused)
    now = clock.now()
    day = on or now.date()
    if day > now.date():
        raise InvalidInput(f"{day:%-d %B %Y} is to come; a pack tells what was.")
    span = Span(quarter_of(day), day, now)
    with transaction.atomic(), acting_as(by):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('processes.governance_pack'))")
        before = GovernancePack.objects.filter(quarter__lt=span.first).first()
        told = [tell_measures(span, before), *(tell(span) for tell in (*OWN, *registered_parts()))]
        parts = [asdict(part) for part in told]
        parts = [{**part, "head": list(part["head"]), "lines": list(part["lines"])} for part in parts]
        pack = GovernancePack.objects.create(
            quarter=span.first,
            number=GovernancePack.objects.filter(quarter=span.first).count() + 1,
            ends_on=day,
            known_at=now,
            parts=parts,
            digest=digest_of(parts),
            made_by=by,
        )
        publish("governance.pack_made", pack_id=pack.pk)
    return pack


def is_untouched(pack: GovernancePack) -> bool:
    """Whether the parts of a pack are exactly what was frozen."""
    return digest_of(pack.parts) == pack.digest


def lines_of(pack: GovernancePack) -> list[tuple[Any, ...]]:
    """Return every line of a pack with its part, for a workbook."""
    return [
        (part["title"], line["what"].strip(), line["value"], line["note"])
        for part in pack.parts
        for line in part["lines"]
    ]
