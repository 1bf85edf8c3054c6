"""The unread on the home page."""

from typing import Any

from django.http import HttpRequest

from apps.core.notifications.domain.links import readable
from apps.core.notifications.domain.reading import unread_of

SHOWN = 5


def unread_panel(request: HttpRequest) -> dict[str, Any] | None:
    """Return the newest unread notifications of this person, None where there are none."""
    person: Any = request.user
    rows = list(unread_of(person).order_by("-id")[: SHOWN + 1])
    if not rows:
        return None
    return {"told": readable(person, rows[:SHOWN]), "more": len(rows) > SHOWN}
