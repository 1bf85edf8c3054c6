"""The jobs of campaigns."""

from apps.campaigns.domain import looking, performance, scheduling
from apps.core import clock
from apps.core.jobs.api import Overlap, Run, job


@job("campaigns.launch_due", title="Launch scheduled campaigns", timeout=300, overlap=Overlap.FORBID)
def launch_due(run: Run) -> dict[str, int]:
    """Launch each campaign whose moment has come and whose gate holds; the others are approved again, with an alert."""
    counts = {"launched": 0, "held": 0, "gone": 0}
    now = clock.now()
    for campaign_id in scheduling.due_launches(now):
        run.raise_if_cancelled()
        counts[scheduling.launch_due(campaign_id, at=now)] += 1
    return counts


@job("campaigns.watch_figures", title="Watch the figures of live campaigns", timeout=300, overlap=Overlap.FORBID)
def watch_figures(run: Run) -> dict[str, int]:
    """Compare what live campaigns did with their thresholds; alert their owners, and end alerts that are over."""
    return performance.watch(clock.today())


@job("campaigns.look_at_gate", title="Look at what a launch needs", timeout=120)
def look_at_gate(run: Run, campaign_id: int) -> dict[str, int]:
    """Count the audience again and ask the compliance rules, for the page of the campaign."""
    return {"looked": int(looking.look_by_key(campaign_id, at=clock.now()))}


@job("campaigns.look_at_gates", title="Look at what launches need", timeout=1800, overlap=Overlap.FORBID)
def look_at_gates(run: Run) -> dict[str, int]:
    """Look at the campaigns that are not live yet and were not looked at for a while."""
    counts, now = {"looked": 0}, clock.now()
    for campaign_id in looking.due_looks(now):
        run.raise_if_cancelled()
        counts["looked"] += looking.look_by_key(campaign_id, at=now)
    return counts
