"""The box of the home page with the steps that wait for the person."""

from typing import Any

from django.http import HttpRequest

from apps.core import access
from apps.processes.domain.checklist import SHOWN, steps_waiting_for
from apps.processes.models import RunStep


def my_steps_panel(request: HttpRequest) -> dict[str, Any] | None:
    """Return what the box shows; None for people who do not work on runs."""
    person: Any = request.user
    if not access.has_model_permission(person, "change", RunStep):
        return None
    rows = list(steps_waiting_for(person)[: SHOWN + 1])
    return {"steps": rows[:SHOWN], "more": len(rows) > SHOWN, "person": person}
