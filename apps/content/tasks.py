"""The jobs of content: reminders before it expires, its end, and what is still shown afterwards."""

from apps.content.domain import telling
from apps.core import clock
from apps.core.jobs.api import Run, job


@job("content.watch_expiry", title="Let content expire and remind of it", timeout=600)
def watch_expiry(run: Run) -> dict[str, int]:
    """Remind of content that ends soon, let end what is over, and look what is still shown."""
    told = telling.remind(clock.today())
    run.raise_if_cancelled()
    ended = telling.expire_due(clock.now())
    run.raise_if_cancelled()
    return {"told": told, "expired": ended, **telling.watch_what_is_up()}
