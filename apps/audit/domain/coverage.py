"""How complete the evidence is now, in figures an auditor asks for."""

from dataclasses import dataclass

from django.db import connection, models

from apps.audit.domain.watching_seals import Lag, seal_lag
from apps.audit.models import AuditEvent, AuditSeal, LedgerMonth
from apps.core.alerts.enums import AlertState
from apps.core.alerts.models import Alert
from apps.core.recorders import recorders

SEALING = "audit.seal"


@dataclass(frozen=True)
class Coverage:
    """The figures.

    Attributes:
        newest: the last seal.
        lag: how far seals are behind.
        seals, sealed: how many seals over how many entries.
        entries: how many entries there are (those of purged months left out).
        unattributed: how many nobody signed for.
        numbers: how many sequence numbers have been drawn.
        purged: how many entries were purged with their months.
        unused: numbers that belong to no entry: writes that were given up.
        recorded: how many tables are recorded.
        alerts: what is open about the ledger.
        keys: every key that has sealed, with its first and last seal.
        months: the months of the ledger.
    """

    newest: AuditSeal | None
    lag: Lag
    seals: int
    sealed: int
    entries: int
    unattributed: int
    numbers: int
    purged: int
    recorded: int
    alerts: list[Alert]
    keys: list[dict[str, object]]
    months: list[LedgerMonth]

    @property
    def unused(self) -> int:
        """Numbers without an entry that no purge explains."""
        return max(0, self.numbers - self.entries - self.purged)


def coverage() -> Coverage:
    """Count what is recorded, sealed, unsigned and missing."""
    seals = AuditSeal.objects.aggregate(number=models.Count("id"), sealed=models.Sum("count"))
    purged = LedgerMonth.objects.filter(purged_at__isnull=False).aggregate(rows=models.Sum("rows"))["rows"] or 0
    lag = seal_lag()
    keys = AuditSeal.objects.order_by().values("key").annotate(first=models.Min("n"), last=models.Max("n"))
    with connection.cursor() as cursor:
        cursor.execute("SELECT last_value FROM audit_auditevent_id_seq")
        (numbers,) = cursor.fetchone() or (0,)
    about = models.Q(fingerprint__startswith="audit.") | models.Q(fingerprint__contains=SEALING)
    return Coverage(
        newest=AuditSeal.objects.first(),
        lag=lag,
        seals=seals["number"],
        sealed=seals["sealed"] or 0,
        entries=(seals["sealed"] or 0) - purged + lag.unsealed,
        unattributed=AuditEvent.objects.unattributed().count(),
        numbers=numbers,
        purged=purged,
        recorded=len({each.table for each in recorders(connection)}),
        alerts=list(Alert.objects.filter(about).exclude(state=AlertState.RESOLVED).order_by("-last_seen")),
        keys=[dict(each) for each in keys.order_by("first")],
        months=list(LedgerMonth.objects.all()[:18]),
    )
