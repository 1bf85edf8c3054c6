"""The job of alerts: those put off come back."""

from apps.core.alerts.domain.handling import wake_snoozed
from apps.core.jobs.api import Run, job


@job("alerts.wake_snoozed", title="Bring back alerts that were put off", timeout=60)
def wake(run: Run) -> dict[str, int]:
    """Reopen the alerts whose time has come."""
    return {"woken": wake_snoozed()}
