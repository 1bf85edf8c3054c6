"""The jobs of the audit desk: who wrote past mops?"""

from apps.audit.domain.unattributed import report_unattributed
from apps.core.jobs.api import Run, job


@job("audit.report_unattributed", title="Look for changes that nobody signed for", timeout=120)
def look_for_unattributed(run: Run) -> dict[str, int]:
    """Read the ledger since the last look."""
    return {"unattributed": report_unattributed()}
