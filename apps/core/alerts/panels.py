"""What needs attention, on the home page of those who look after it."""

from typing import Any

from django.http import HttpRequest

from apps.core import access
from apps.core.alerts.enums import AlertState
from apps.core.alerts.models import Alert

SHOWN = 6


def attention_panel(request: HttpRequest) -> dict[str, Any] | None:
    """Return the open alerts, those that concern this person first; None for people who see none."""
    person: Any = request.user
    rows = access.visible(person, Alert).exclude(state__in=(AlertState.RESOLVED, AlertState.SNOOZED))
    alerts = list(rows.select_related("owner_person", "owner_team").most_urgent_first()[: SHOWN + 1])  # type: ignore[attr-defined]
    if not alerts:
        return None
    return {"alerts": alerts[:SHOWN], "more": len(alerts) > SHOWN}
