"""The jobs of sharing: end what is over."""

from apps.core.actors import system_principal
from apps.core.jobs.api import Overlap, Run, job
from apps.rights.domain.duties import watch_duties
from apps.rights.domain.granting import sweep_grants
from apps.rights.domain.watching_reviews import watch_reviews as _watch_reviews


@job("rights.sweep_grants", title="End grants that are over", timeout=300, overlap=Overlap.FORBID)
def end_what_is_over(run: Run) -> dict[str, int]:
    """End expired and orphaned grants, and those of closed accounts."""
    return sweep_grants(by=system_principal())


@job("rights.watch_duties", title="Watch separation of duties", timeout=600, overlap=Overlap.FORBID)
def keep_duties_apart(run: Run) -> dict[str, int]:
    """Alert as long as somebody has two duties that a rule keeps apart; resolve what is over."""
    return watch_duties()


@job("rights.watch_reviews", title="Watch access reviews", timeout=900, overlap=Overlap.FORBID)
def watch_reviews(run: Run) -> dict[str, int]:
    """Remind reviewers, escalate what is overdue, and read back what reviews took away."""
    return _watch_reviews()
