"""The jobs of the technology stack: renewals, unused seats, duties of owners, health of integrations."""

from apps.core import clock
from apps.core.actors import system_principal
from apps.core.jobs.api import Run, job
from apps.technology.domain.duties import give_duties, remind_duties
from apps.technology.domain.feeding import feed_transfers
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


@job("technology.watch_duties", title="Give owners their duties and remind of them", timeout=300)
def watch_duties(run: Run) -> dict[str, int]:
    """Give tools in use the duties they never had, and tell who answers for them what is due."""
    given = give_duties(clock.today(), by=system_principal())
    return {"given": given, **remind_duties(clock.today())}


@job("technology.feed_health", title="Record how integrations do", timeout=120)
def feed_health(run: Run) -> dict[str, int]:
    """Take over from syncs, jobs and measurements how transfers went, and tell owners what fails or is late."""
    return feed_transfers(clock.now())
