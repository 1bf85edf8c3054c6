"""Coming into force: what holds an approved version back, and the moment at which it supersedes the one before."""

import datetime as dt
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import F, Q

from apps.core import access, clock
from apps.core.actors import acting_as, system_principal
from apps.core.errors import NotAllowed, WrongState
from apps.core.events import publish
from apps.core.transitions import transition
from apps.processes.domain.calendar import next_review
from apps.processes.domain.reading import unread
from apps.processes.enums import VersionState
from apps.processes.models import Process, SOPVersion

if TYPE_CHECKING:
    from apps.accounts.models import User


def holding_back(version: SOPVersion, moment: dt.datetime) -> str | None:
    """Return in words what keeps an approved version from coming into force at `moment`, None when nothing does."""
    if version.effective_from is not None and version.effective_from > moment:
        return f"It takes effect on {version.effective_from:%-d %B %Y at %H:%M} UTC."
    return unread(version)


def take_effect(version: SOPVersion, *, at: dt.datetime) -> None:
    """Bring an approved version into force and supersede the one before, with the version's row locked by the caller.

    Sets the next review date; announces `sop.effective`.
    """
    process: Process = Process.objects.select_for_update(of=("self",)).get(pk=version.process_id)
    with transition(SOPVersion, Process):
        if process.effective_version_id is not None:
            in_force = process.versions.filter(state=VersionState.EFFECTIVE)
            in_force.update(
                state=VersionState.SUPERSEDED,
                superseded_at=at,
                updated_at=clock.now(),
                row_version=F("row_version") + 1,
            )
        version.state, version.effective_at = VersionState.EFFECTIVE, at
        version.save(update_fields=["state", "effective_at"])
        process.effective_version = version
        process.next_review_on = next_review(at.date(), process.review_every)
        process.save(update_fields=["effective_version", "next_review_on"])
    publish("sop.effective", version_id=version.pk)


def bring_into_force(version_id: int, *, at: dt.datetime | None = None) -> bool:
    """Let one approved version come into force when nothing holds it back any more; exactly once.

    Safe to call at any time and twice: the row is locked, and what is no longer approved is left alone.

    Returns:
        Whether it came into force now.
    """
    moment = at or clock.now()
    with transaction.atomic(), acting_as(system_principal(), reason="Approved, and its moment has come."):
        rows = SOPVersion.objects.select_for_update(of=("self",)).select_related("process")
        row: SOPVersion | None = rows.filter(pk=version_id, state=VersionState.APPROVED).first()
        if row is None or holding_back(row, moment) is not None:
            return False
        take_effect(row, at=moment)
        return True


def waiting_versions(moment: dt.datetime) -> list[int]:
    """Return the keys of approved versions whose date has come, oldest first."""
    due = Q(effective_from__isnull=True) | Q(effective_from__lte=moment)
    return list(SOPVersion.objects.filter(due, state=VersionState.APPROVED).order_by("pk").values_list("pk", flat=True))


def refuse_call_off(user: "User", version: SOPVersion) -> str | None:
    """Return why `user` cannot call `version` off now, None when it works."""
    if not access.may(user, "change", version):
        return f"You may not change {version}."
    if version.state != VersionState.APPROVED:
        standing = VersionState(version.state).label.lower()
        return f"{version} is {standing}; only what is approved and not yet in force is called off."
    return None


def call_off(version: SOPVersion, *, by: "User", reason: str) -> str:
    """Make an approved version that is not in force yet a draft again; its approval no longer counts.

    Raises:
        NotAllowed: `by` may not change it.
        WrongState: it is not waiting to come into force.
    """
    with transaction.atomic(), acting_as(by, reason=reason):
        row: SOPVersion = (
            SOPVersion.objects.select_for_update(of=("self",)).select_related("process").get(pk=version.pk)
        )
        if refused := refuse_call_off(by, row):
            raise (WrongState if access.may(by, "change", row) else NotAllowed)(refused)
        row.state, row.digest, row.approved_at = VersionState.DRAFT, "", None
        with transition(SOPVersion):
            row.save(update_fields=["state", "digest", "approved_at"])
        publish("sop.called_off", version_id=row.pk)
    return f"{row} is a draft again; send it for approval anew."
