"""The box of the home page: how much is standardised and documented, what waits to be read, what stands alone."""

from typing import Any

from django.http import HttpRequest

from apps.core import access
from apps.processes.domain.queries import to_read
from apps.processes.domain.skills import documented_share
from apps.processes.models import Process


def processes_panel(request: HttpRequest) -> dict[str, Any] | None:
    """Return what the box shows; None for people who see no processes."""
    person: Any = request.user
    if not access.has_model_permission(person, "view", Process):
        return None
    share = documented_share(person)
    return {**share, "percent": round(share["share"] * 100) if share["total"] else 0, "to_read": to_read(person)}
