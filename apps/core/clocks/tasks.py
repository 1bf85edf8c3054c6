"""The jobs of clocks: look at those whose moment has come, and count anew when a calendar says something else."""

from apps.core.calendars.models import BusinessCalendar
from apps.core.clocks.domain.firing import fire_due
from apps.core.clocks.domain.recounting import recount
from apps.core.jobs.api import Overlap, Run, job


@job("clocks.fire_due", title="Remind and escalate what runs out of time", timeout=120, overlap=Overlap.ALLOW)
def fire(run: Run) -> dict[str, int]:
    """Fire the rungs that clocks have reached."""
    return fire_due()


@job("clocks.recount", title="Work out due times after a calendar has changed", timeout=1800)
def recount_calendar(run: Run, *, calendar_id: int) -> dict[str, int]:
    """Work out the due moments of open clocks anew."""
    return {"clocks": recount(BusinessCalendar.objects.get(pk=calendar_id))}
