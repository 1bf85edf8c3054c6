"""The jobs of the ledger: room for what comes, and who wrote past mops?"""

from apps.audit.domain import retention
from apps.audit.domain.unattributed import report_unattributed
from apps.core.actors import system_principal
from apps.core.jobs.api import Overlap, Run, job


@job("audit.report_unattributed", title="Look for changes that nobody signed for", timeout=120)
def look_for_unattributed(run: Run) -> dict[str, int]:
    """Read the ledger since the last look."""
    return {"unattributed": report_unattributed()}


@job("audit.prepare_partitions", title="Prepare the ledger's coming months", timeout=60, overlap=Overlap.FORBID)
def prepare_partitions(run: Run) -> dict[str, int]:
    """Make the partitions of the coming months."""
    return retention.prepare_partitions(by=system_principal())
