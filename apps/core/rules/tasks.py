"""The jobs of rules: dates are kept, and long simulations run in the background."""

from apps.core import clock
from apps.core.actors import current_actor, system_principal
from apps.core.jobs.api import Run, job
from apps.core.rules.domain.reviews import watch_dates
from apps.core.rules.domain.versions import simulate
from apps.core.rules.models import RuleVersion


@job("rules.watch_dates", title="Activate rules that are due, and watch their reviews", timeout=120)
def watch(run: Run) -> dict[str, int]:
    """Keep the dates of rules."""
    return watch_dates(clock.today())


@job("rules.simulate", title="Simulate rules", timeout=1800)
def simulate_version(run: Run, version_id: int) -> dict[str, int]:
    """Simulate one version and keep what would come of it."""
    version = RuleVersion.objects.select_related("document").get(pk=version_id)
    simulate(version, by=current_actor().user or system_principal())
    run.log(f"{version} is simulated.")
    return {"simulated": 1}
