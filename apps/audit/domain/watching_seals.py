"""Does sealing keep up, and do the seals hold? Who is told when not."""

from dataclasses import dataclass

from django.db import connection

from apps.audit.domain.verifying import verify_seals
from apps.audit.models import AuditEvent, AuditSeal
from apps.core import clock
from apps.core.alerts.domain.alerting import raise_alert, resolve_alert
from apps.core.alerts.enums import Severity

LATE, BROKEN = "audit.seals_late", "audit.seals_broken"
ALARM_AFTER = 120  # seconds; the goal is 60, but one slow look alarms nobody
_LONGEST = """
    SELECT pid, usename, extract(epoch FROM clock_timestamp() - xact_start)::int FROM pg_stat_activity
    WHERE backend_xid IS NOT NULL AND pid <> pg_backend_pid()  -- of any database: they share the count
    ORDER BY xact_start LIMIT 1
"""


@dataclass(frozen=True)
class Lag:
    """How far the seals are behind the ledger.

    Attributes:
        up_to: the last sealed entry.
        unsealed: entries after it.
        seconds: how long the oldest of them has waited.
    """

    up_to: int
    unsealed: int
    seconds: float


def seal_lag() -> Lag:
    """Return how far the seals are behind."""
    newest = AuditSeal.objects.first()
    up_to = newest.to_id if newest else 0
    waiting = AuditEvent.objects.filter(id__gt=up_to)
    oldest = waiting.order_by("id").values_list("at", flat=True).first()
    seconds = max(0.0, (clock.now() - oldest).total_seconds()) if oldest else 0.0
    return Lag(up_to, waiting.count(), seconds)


def watch_lag() -> Lag:
    """Raise an alert when the seals fall behind, naming the transaction they wait for; resolve it when they are not."""
    lag = seal_lag()
    if lag.seconds <= ALARM_AFTER:
        resolve_alert(LATE, why="The seals have caught up.")
        return lag
    with connection.cursor() as cursor:
        cursor.execute(_LONGEST)
        found = cursor.fetchone()
    cause = "" if found is None else f" The oldest open transaction is {found[0]} of {found[1]}, open for {found[2]} s."
    raise_alert(
        LATE,
        title=f"The seals are {max(1, round(lag.seconds / 60))} min behind the ledger",
        severity=Severity.WARNING,
        detail=f"Entries that wait: {lag.unsealed:,}.{cause}",
        runbook="See that the workers run and that no transaction is left open; docs/audit.md, “When sealing stops”.",
    )
    return lag


def verify_by_clock() -> dict[str, int]:
    """Verify everything; what does not verify is an alert to administrators and auditors alike."""
    verdict = verify_seals()
    if verdict.problem:
        raise_alert(
            BROKEN,
            title="The ledger is not what was sealed",
            severity=Severity.CRITICAL,
            detail=verdict.problem,
            runbook="Change nothing; copy database and seals file first. docs/audit.md, “When it does not verify”.",
        )
    else:
        resolve_alert(BROKEN, why="Everything verifies again.")
    return {"seals": verdict.seals, "entries": verdict.entries, "problems": int(bool(verdict.problem))}
