"""The boxes of the home page that belong to no app."""

from typing import Any

from django.http import HttpRequest

from apps.core import clock
from apps.core.overdue import overdue_of

SHOWN = 10


def overdue_panel(request: HttpRequest) -> dict[str, Any] | None:
    """Return the box; None for people who own nothing that is late and work with nothing that could be."""
    person: Any = request.user
    late = overdue_of(person, clock.today())
    if not late and not person.has_perm("processes.change_process"):
        return None
    return {"late": late[:SHOWN], "more": max(0, len(late) - SHOWN), "today": clock.today()}
