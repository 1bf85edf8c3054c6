"""Reviews: rules that nobody looks at go stale, so their owner is reminded, and late ones become an alert."""

import datetime as dt
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.db import transaction

from apps.core import access, clock
from apps.core.actors import acting_as, system_principal
from apps.core.alerts.domain.alerting import raise_alert, resolve_alert
from apps.core.errors import DomainError, InvalidInput, NotAllowed, WrongState
from apps.core.notifications.domain.notifying import notify
from apps.core.overdue import Overdue
from apps.core.rules.domain.versions import activate, review_alert
from apps.core.rules.enums import VersionState
from apps.core.rules.models import RuleVersion

if TYPE_CHECKING:
    from apps.accounts.models import User

KIND = "rules.review"
DAYS_AHEAD = 14


def refuse_review(user: "User", version: RuleVersion) -> str | None:
    """Return why `user` cannot note a review of `version` now, None when it works."""
    if not access.can(user, "change", version.document):
        return f"You may not change {version.document}."
    if version.state != VersionState.ACTIVE:
        return f"{version} is {version.get_state_display().lower()}; only active rules are reviewed."
    return None


def note_review(version: RuleVersion, *, by: "User", reason: str, next_review: dt.date) -> str:
    """Note that somebody looked and the rules still fit, and when to look again.

    Raises:
        NotAllowed, WrongState: as `refuse_review` says.
        InvalidInput: the next review is not in the future.
    """
    if next_review <= clock.today():
        raise InvalidInput("The next review is a day to come.", fields={"next_review": "Choose a day to come."})
    with transaction.atomic(), acting_as(by, reason=reason or None):
        rows = RuleVersion.objects.select_for_update(of=("self",)).select_related("document")
        row: RuleVersion = rows.get(pk=version.pk)
        if refused := refuse_review(by, row):
            raise (WrongState if access.can(by, "change", row.document) else NotAllowed)(refused)
        row.review_on = next_review
        row.save(update_fields=["review_on"])
        resolve_alert(review_alert(row.document), why=f"Reviewed: {reason}")
    return f"Reviewed. {row} is looked at again on {next_review:%-d %B %Y}."


def watch_dates(today: dt.date) -> dict[str, int]:
    """Activate what is due, remind owners of reviews to come, and raise an alert for late ones. Safe to run again."""
    return {"activated": _activate_due(today), "reminded": _remind(today), "overdue": _alert(today)}


def _activate_due(today: dt.date) -> int:
    due = RuleVersion.objects.select_related("document").filter(state=VersionState.APPROVED, effective_from__lte=today)
    done = 0
    for version in due.order_by("effective_from", "pk"):
        try:
            activate(version, by=system_principal(), reason=f"Due on {version.effective_from:%-d %B %Y}")
        except DomainError as refusal:
            raise_alert(
                f"rules.activation:{version.pk}",
                title=f"{version} could not be activated on its day.",
                severity="warning",
                detail=refusal.message,
                subject=version,
                owner=version.document.owner,
            )
        else:
            resolve_alert(f"rules.activation:{version.pk}", why="Activated.")
            done += 1
    return done


def _active() -> Any:
    rows = RuleVersion.objects.select_related("document__owner").filter(state=VersionState.ACTIVE)
    return rows.filter(document__archived_at__isnull=True)


def _remind(today: dt.date) -> int:
    told = 0
    for version in _active().filter(review_on__gt=today, review_on__lte=today + dt.timedelta(days=DAYS_AHEAD)):
        told += notify(
            [version.document.owner],
            KIND,
            title=f"{version} has to be reviewed by {version.review_on:%-d %B %Y}.",
            body="Look whether the rules still fit: simulate them, then press “Reviewed”, or start a new draft.",
            subject=version,
            dedupe=f"{version.pk}:{version.review_on}",
        )
    return told


def _alert(today: dt.date) -> int:
    late = list(_active().filter(review_on__lte=today))
    for version in late:
        raise_alert(
            review_alert(version.document),
            title=f"The review of {version.document} is overdue since {version.review_on:%-d %B %Y}.",
            severity="warning",
            subject=version,
            owner=version.document.owner,
            runbook="Open the version, simulate it and press “Reviewed”, or start a new draft.",
        )
    return len(late)


def overdue_reviews(person: "User", today: dt.date) -> Iterable[Overdue]:
    """Return the late reviews of a person's own rules."""
    for version in _active().filter(document__owner=person, review_on__lt=today).order_by("review_on")[:10]:
        yield Overdue(version, "Review the rules", version.review_on)
