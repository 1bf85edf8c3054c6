"""What people do with an alert: take it on, put it off, declare it done."""

import datetime as dt
from typing import Any

from django.db import transaction

from apps.core import access, clock
from apps.core.actors import acting_as
from apps.core.alerts.domain.alerting import close, record
from apps.core.alerts.enums import AlertState, What
from apps.core.alerts.models import Alert
from apps.core.errors import InvalidInput, NotAllowed, WrongState

LONGEST_SNOOZE = dt.timedelta(days=30)


def refuse_acknowledge(user: Any, alert: Alert) -> str | None:
    """Return why `user` cannot take the alert on, None when it works."""
    if refused := _refuse_open(user, alert):
        return refused
    if alert.state == AlertState.ACKNOWLEDGED:
        return f"{alert.acknowledged_by} has taken it on already."
    return None


def refuse_snooze(user: Any, alert: Alert) -> str | None:
    """Return why `user` cannot put the alert off, None when it works."""
    return _refuse_open(user, alert)


def refuse_resolve(user: Any, alert: Alert) -> str | None:
    """Return why `user` cannot declare the alert done, None when it works."""
    return _refuse_open(user, alert)


def acknowledge(alert: Alert, *, by: Any, note: str = "") -> str:
    """Say that `by` looks into it.

    Raises:
        NotAllowed: `by` may not change alerts.
        WrongState: it is resolved, or somebody has taken it on.
    """
    with transaction.atomic(), acting_as(by):
        row = _locked(alert, by, refuse_acknowledge)
        row.state, row.snoozed_until = AlertState.ACKNOWLEDGED, None
        row.acknowledged_by, row.acknowledged_at = by, clock.now()
        row.save(update_fields=["state", "snoozed_until", "acknowledged_by", "acknowledged_at"])
        record(row, What.ACKNOWLEDGED, note=note)
    return "You have taken it on; everybody sees that you look into it."


def snooze(alert: Alert, *, by: Any, until: dt.datetime, note: str = "") -> str:
    """Put the alert off; it comes back by itself at `until`, and at once if it becomes more severe.

    Raises:
        NotAllowed: `by` may not change alerts.
        WrongState: it is resolved.
        InvalidInput: `until` is past or more than thirty days away.
    """
    with transaction.atomic(), acting_as(by):
        row = _locked(alert, by, refuse_snooze)
        if not dt.timedelta(0) < until - clock.now() <= LONGEST_SNOOZE:
            raise InvalidInput("An alert can be put off to a moment within the next thirty days.")
        row.state, row.snoozed_until = AlertState.SNOOZED, until
        row.save(update_fields=["state", "snoozed_until"])
        record(row, What.SNOOZED, note=" ".join(part for part in (f"Until {until:%d %b %Y, %H:%M} UTC.", note) if part))
    return "It is put off and comes back by itself."


def resolve(alert: Alert, *, by: Any, note: str) -> str:
    """Declare the cause gone; if it comes back, a new alert names this one.

    Raises:
        NotAllowed: `by` may not change alerts.
        WrongState: it is resolved already.
        InvalidInput: there is no note of what was done.
    """
    with transaction.atomic(), acting_as(by):
        row = _locked(alert, by, refuse_resolve)
        if not note.strip():
            raise InvalidInput("Say what was done: the next person with the same alert will read it.")
        close(row, why=note.strip(), now=clock.now())
    return f"“{row.title}” is resolved."


def wake_snoozed() -> int:
    """Reopen the alerts whose time has come; returns how many."""
    now, number = clock.now(), 0
    with transaction.atomic():
        rows = Alert.objects.filter(state=AlertState.SNOOZED, snoozed_until__lte=now)
        for row in rows.select_for_update(of=("self",), skip_locked=True):
            row.state, row.snoozed_until = AlertState.OPEN, None
            row.save(update_fields=["state", "snoozed_until"])
            record(row, What.WOKEN)
            number += 1
    return number


def _refuse_open(user: Any, alert: Alert) -> str | None:
    if not access.can(user, "change", alert):
        return "You may read alerts, not handle them."
    if alert.state == AlertState.RESOLVED:
        return "It is resolved; should the cause come back, there will be a new alert."
    return None


def _locked(alert: Alert, by: Any, refusal: Any) -> Alert:
    row: Alert = Alert.objects.select_for_update(of=("self",)).select_related("acknowledged_by").get(pk=alert.pk)
    if refused := refusal(by, row):
        raise (WrongState if access.may(by, "change", row) else NotAllowed)(refused)
    return row
