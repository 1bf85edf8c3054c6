"""Which announcement starts which job: event name → job keys. Read it top to bottom to know what follows what."""

from apps.core.events import Handler

JOBS_AFTER: dict[str, tuple[str, ...]] = {}


def handlers_of(event: str) -> list[Handler]:
    """Return what to call when `event` is announced."""
    return []
