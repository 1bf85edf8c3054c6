"""The jobs of the ledger: room for what comes, who wrote past mops, sealing, and whether the seals hold."""

from apps.audit.domain import retention
from apps.audit.domain.seal_repair import FAILING
from apps.audit.domain.sealing import seal_ledger
from apps.audit.domain.unattributed import report_unattributed
from apps.audit.domain.watching_seals import verify_by_clock, watch_lag
from apps.core.actors import system_principal
from apps.core.alerts.domain.alerting import raise_alert, resolve_alert
from apps.core.alerts.enums import Severity
from apps.core.errors import DomainError
from apps.core.jobs.api import Overlap, Run, job


@job("audit.report_unattributed", title="Look for changes that nobody signed for", timeout=120)
def look_for_unattributed(run: Run) -> dict[str, int]:
    """Read the ledger since the last look."""
    return {"unattributed": report_unattributed()}


@job("audit.prepare_partitions", title="Prepare the ledger's coming months", timeout=60, overlap=Overlap.FORBID)
def prepare_partitions(run: Run) -> dict[str, int]:
    """Make the partitions of the coming months."""
    return retention.prepare_partitions(by=system_principal())


@job("audit.seal", title="Seal the ledger", timeout=240, overlap=Overlap.FORBID)
def seal(run: Run) -> dict[str, int]:
    """Seal what is settled; why it cannot be done is an alert."""
    try:
        done = seal_ledger()
    except DomainError as refusal:
        raise_alert(
            FAILING,
            title="The ledger is not being sealed",
            severity=Severity.CRITICAL,
            detail=refusal.message,
            runbook="docs/audit.md, “When sealing stops”. Recording goes on; nothing is lost, but nothing is sealed.",
        )
        raise
    resolve_alert(FAILING, why="Sealing works again.")
    return {"seals": done.seals, "entries": done.entries}


@job("audit.watch_seals", title="See that sealing keeps up", timeout=60, overlap=Overlap.FORBID)
def watch_seals(run: Run) -> dict[str, int]:
    """Look how far the seals are behind, also where the sealer itself has stopped."""
    lag = watch_lag()
    return {"waiting": lag.unsealed, "seconds": int(lag.seconds)}


@job("audit.verify", title="Verify the ledger against its seals", timeout=6 * 3600, overlap=Overlap.FORBID)
def verify(run: Run) -> dict[str, int]:
    """Compare every entry with the seals and the seals file."""
    return verify_by_clock()
