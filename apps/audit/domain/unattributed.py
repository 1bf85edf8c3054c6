"""Changes that nobody signed for: somebody wrote past mops, and the administrators and auditors hear of it."""

from collections import Counter
from typing import Any

from django.db import connection, models, transaction

from apps.audit.models import AuditEvent, LedgerReader
from apps.core.actors import MIGRATION, Channel
from apps.core.alerts.domain.alerting import raise_alert
from apps.core.alerts.enums import Severity
from apps.core.notifications.domain.audiences import people_of
from apps.core.notifications.domain.notifying import notify

READER = "unattributed"
FINGERPRINT = "audit.unattributed"
PAST_MOPS = (Channel.DATABASE, Channel.SHELL)
MOST_TABLES = 10
RUNBOOK = (
    "Open the ledger (/admin/audit/auditevent/?q=unattributed), look at what was changed from which database account, "
    "ask who has its password, and resolve this with what you found. Work on the database by hand belongs in a shell "
    "that names its author: with acting_as(person, reason=…)."
)


class _OverBy(models.Func):
    """Whether a transaction was over by the time of a snapshot."""

    template = "txid_visible_in_snapshot(%(expressions)s::txid_snapshot)"
    output_field = models.BooleanField()


def report_unattributed() -> int:
    """Raise one alert for the unattributed changes since the last look; returns how many there are.

    Reads by transaction: what was committed between two snapshots, however long it took, so none is skipped, none is
    read twice and none waits for another. What migrations change is left out.
    """
    with transaction.atomic():
        reader, _ = LedgerReader.objects.select_for_update().get_or_create(name=READER)
        before, now = reader.snapshot, _snapshot()
        found = (
            AuditEvent.objects.unattributed()
            .filter(_OverBy(models.F("txid"), models.Value(now)), channel__in=PAST_MOPS)
            .exclude(channel=Channel.SHELL, reason=MIGRATION)
        )
        if before:
            oldest = int(before.split(":")[0])  # everything before was over then, and the index starts here
            found = found.filter(~models.Q(_OverBy(models.F("txid"), models.Value(before))), txid__gte=oldest)
        number = _tell(found, now)
        reader.snapshot = now
        reader.save(update_fields=["snapshot"])
    return number


def _snapshot() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT txid_current_snapshot()::text")
        (text,) = cursor.fetchone()
    return str(text)


def _tell(found: models.QuerySet[AuditEvent], now: str) -> int:
    rows = found.order_by().values_list("table_name", "channel", "db_role").annotate(models.Count("pk"))
    counted: list[Any] = sorted(rows, key=lambda row: -row[3])
    number = sum(int(row[3]) for row in counted)
    if not number:
        return 0
    direct = any(row[1] == Channel.DATABASE for row in counted)
    alert = raise_alert(
        FINGERPRINT,
        title="Records were changed past mops, and nobody signed for it",
        severity=Severity.CRITICAL if direct else Severity.WARNING,
        detail=_detail(counted, number),
        runbook=RUNBOOK,
    )
    notify(
        people_of("auditor"),
        "audit.unattributed",
        title=f"{number} changes of records were signed by nobody",
        body=alert.detail,
        subject=alert,
        dedupe=f"unattributed:{now}"[:200],
    )
    return number


def _detail(counted: list[Any], number: int) -> str:
    tables, accounts = Counter[str](), Counter[str]()
    for table, channel, role, rows in counted:
        tables[table] += rows
        accounts[f"{role} ({Channel(channel).label.lower()})"] += rows
    named = ", ".join(f"{name} {rows}" for name, rows in tables.most_common(MOST_TABLES))
    more = f" and {len(tables) - MOST_TABLES} more kinds" if len(tables) > MOST_TABLES else ""
    return f"{number} changes: {named}{more}. By the database accounts {', '.join(sorted(accounts))}."
