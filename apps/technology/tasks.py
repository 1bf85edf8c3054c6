"""The jobs of the technology stack: reminders of renewals, and seats nobody uses."""

from apps.core import clock
from apps.core.actors import system_principal
from apps.core.jobs.api import Run, job
from apps.technology.domain.renewals import watch_renewals
from apps.technology.domain.seats import propose_reclaims


@job("technology.watch_renewals", title="Remind of last days to cancel", timeout=300)
def watch(run: Run) -> dict[str, int]:
    """Tell the owners of contracts whose last day to cancel draws near."""
    return watch_renewals(clock.today())


@job("technology.propose_reclaims", title="Find seats nobody uses", timeout=300)
def find_inactive(run: Run) -> dict[str, int]:
    """Make a task of every seat nobody has used for long."""
    return propose_reclaims(clock.today(), by=system_principal())
