"""Raising and resolving alerts: one open alert per cause, however many processes raise it at once."""

import datetime as dt
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django.db import connection, models, transaction

from apps.core import clock
from apps.core.actors import current_actor
from apps.core.alerts.enums import AlertState, Severity, What
from apps.core.alerts.models import Alert, AlertEvent
from apps.core.alerts.permissions import may_be_told
from apps.core.notifications.domain.audiences import people_of
from apps.core.notifications.domain.notifying import notify

DEFAULT_OWNER = "administrator"
LABEL_LENGTH = 200
# On a conflict the severity stays as it was and comes back; from then on the row is locked, so nobody overtakes.
_RAISE = """
    INSERT INTO alerts_alert AS alert
        (fingerprint, title, detail, severity, state, occurrences, first_seen, last_seen, subject_type_id, subject_id,
         subject_label, owner_person_id, owner_team_id, owner_role, runbook, previous_id)
    VALUES (%(fingerprint)s, %(title)s, %(detail)s, %(severity)s, 'open', 1, %(now)s, %(now)s, %(subject_type)s::int,
            %(subject_id)s, %(subject_label)s, %(person)s::bigint, %(team)s::bigint, %(role)s, %(runbook)s,
            (SELECT max(id) FROM alerts_alert WHERE fingerprint = %(fingerprint)s AND state = 'resolved'))
    ON CONFLICT (fingerprint) WHERE NOT (state = 'resolved') DO UPDATE SET
        occurrences = alert.occurrences + 1,
        last_seen = greatest(alert.last_seen, excluded.last_seen),
        title = excluded.title,
        detail = excluded.detail,
        runbook = excluded.runbook
    RETURNING id, (xmax = 0), severity
"""


def raise_alert(
    fingerprint: str,
    *,
    title: str,
    severity: Severity | str,
    detail: str = "",
    subject: models.Model | None = None,
    owner: Any = None,
    runbook: str = "",
) -> Alert:
    """Raise the alert of one cause, or count one more occurrence of the open one; within the caller's transaction.

    The owner is told when it is new and when it has become more severe, never for a mere repetition.

    Args:
        fingerprint: names the cause, for instance "job.dead:technology.import_tools".
        title: what is wrong, in one sentence.
        severity: "info", "warning" or "critical"; an open alert never becomes milder by being raised again.
        detail: plain text for whoever looks into it; no secrets.
        subject: the record it is about.
        owner: a person, a team or the name of a role; the administrators when nobody is named.
        runbook: what to do, or the address of the page that says so.
    """
    severity = Severity(severity)
    with transaction.atomic():
        pk, is_new, before = _upsert(fingerprint, title, severity, detail, subject, owner, runbook)
        alert = Alert.objects.select_related("owner_person", "owner_team").get(pk=pk)
        if is_new:
            record(alert, What.RAISED, note=detail)
            _tell_owner(alert)
        elif severity.rank > Severity(before).rank:
            _worsen(alert, severity)
            _tell_owner(alert)
    return alert


def resolve_alert(fingerprint: str, *, why: str) -> Alert | None:
    """Resolve the open alert of a cause that is gone; None where there is none, which is no error."""
    with transaction.atomic():
        alert = (
            Alert.objects.select_for_update(of=("self",))
            .filter(fingerprint=fingerprint)
            .exclude(state=AlertState.RESOLVED)
            .first()
        )
        if alert is None:
            return None
        close(alert, why=why, now=clock.now())
    return alert


def close(alert: Alert, *, why: str, now: dt.datetime) -> None:
    """Set a locked alert to resolved and record why."""
    alert.state, alert.resolved_at, alert.snoozed_until = AlertState.RESOLVED, now, None
    alert.save(update_fields=["state", "resolved_at", "snoozed_until"])
    record(alert, What.RESOLVED, note=why)


def record(alert: Alert, what: What, *, note: str = "") -> AlertEvent:
    """Write one event with the acting person."""
    actor = current_actor()
    user = actor.user if actor.user is not None and actor.user.pk else None
    return AlertEvent.objects.create(
        alert=alert, at=clock.now(), what=what, actor=user, actor_label=actor.label, note=note
    )


def _worsen(alert: Alert, severity: Severity) -> None:
    note = f"{alert.get_severity_display()} → {severity.label}"
    alert.severity, alert.state, alert.snoozed_until = severity, AlertState.OPEN, None
    alert.save(update_fields=["severity", "state", "snoozed_until"])
    record(alert, What.WORSENED, note=note)


def _upsert(
    fingerprint: str,
    title: str,
    severity: Severity,
    detail: str,
    subject: models.Model | None,
    owner: Any,
    runbook: str,
) -> tuple[int, bool, str]:
    owner = DEFAULT_OWNER if owner is None else owner
    is_role, is_person = isinstance(owner, str), isinstance(owner, get_user_model())
    values = {
        "fingerprint": fingerprint,
        "title": " ".join(title.split())[:LABEL_LENGTH],
        "detail": detail,
        "severity": severity.value,
        "now": clock.now(),
        "subject_type": ContentType.objects.get_for_model(subject).pk if subject is not None else None,
        "subject_id": str(subject.pk) if subject is not None else "",
        "subject_label": str(subject)[:LABEL_LENGTH] if subject is not None else "",
        "person": owner.pk if is_person else None,
        "team": None if is_person or is_role else owner.pk,
        "role": str(owner) if is_role else "",
        "runbook": runbook,
    }
    with connection.cursor() as cursor:
        cursor.execute(_RAISE, values)
        pk, is_new, stored = cursor.fetchone()
    return pk, is_new, stored


def _tell_owner(alert: Alert) -> None:
    """Tell those behind the owner who may see what it is about; where that is nobody, the administrators."""
    told = [person for person in people_of(alert.owner) if may_be_told(person, alert)]
    notify(
        told or people_of(DEFAULT_OWNER),
        f"alert.{alert.severity}",
        title=f"{alert.get_severity_display()}: {alert.title}",
        body="\n\n".join(part for part in (alert.detail, alert.runbook) if part),
        subject=alert,
        dedupe=f"alert:{alert.pk}:{alert.severity}",
    )
