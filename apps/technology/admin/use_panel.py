"""Boxes on the page of a tool: cost against use, duties, standards and availability; and what a capability costs."""

from decimal import Decimal
from typing import Any

from django.http import HttpRequest

from apps.core import access, clock
from apps.technology.charts import bar_chart
from apps.technology.domain import availability
from apps.technology.domain.rates import policy
from apps.technology.domain.stack import AsOf
from apps.technology.domain.use import capability_costs, newest_first, percent
from apps.technology.models import (
    Capability,
    CostLine,
    Licence,
    OwnerDuty,
    ServiceTarget,
    StandardCheck,
    Tool,
    UtilisationSample,
)

SHOWN = 12


def use_panel(request: HttpRequest, tool: Tool, yearly: Decimal | None, currency: str) -> list[dict[str, Any]]:
    """Return the box with how much `tool` was used lately, and what one used unit costs in a year.

    Who may see no measurements is not told that there are none: they get no box.
    """
    person: Any = request.user
    if not access.has_model_permission(person, "view", UtilisationSample):
        return []
    samples = list(newest_first(access.visible(person, UtilisationSample).filter(tool=tool))[:SHOWN])
    counted = [sample for sample in samples if samples and sample.metric == samples[0].metric]
    newest = counted[0] if counted else None
    each = yearly / newest.numerator if yearly and newest and newest.numerator else None
    bars = [(f"{sample.period_to:%b %y}", percent(sample)) for sample in reversed(counted)]
    return [
        {
            "template": "admin/technology/use_panel.html",
            "tool": tool,
            "newest": newest,
            "percent": percent(newest) if newest else None,
            "each": each,
            "currency": currency,
            "chart": bar_chart(bars, unit=" %"),
            "licences": list(access.visible(person, Licence).filter(tool=tool, archived_at__isnull=True)),
        }
    ]


def duties_panel(request: HttpRequest, tool: Tool) -> list[dict[str, Any]]:
    """Return the box with duties, standards and availability of a tool; none for who may see no duties."""
    person: Any = request.user
    if not access.has_model_permission(person, "view", OwnerDuty):
        return []
    owned = access.visible(person, OwnerDuty).filter(tool=tool, archived_at=None)
    checks = access.visible(person, StandardCheck).filter(tool=tool, archived_at=None)
    target = access.visible(person, ServiceTarget).filter(tool=tool, archived_at=None).first()
    known, verdict = availability.last_days(tool, clock.now(), target)
    return [
        {
            "template": "admin/technology/duties_panel.html",
            "duties": list(owned.order_by("due_on")),
            "checks": list(checks.select_related("standard")),
            "known": known,
            "verdict": verdict,
            "target": target,
            "days": availability.DAYS,
            "today": clock.today(),
        }
    ]


def capability_panel(request: HttpRequest, capability: Capability) -> dict[str, Any] | None:
    """Return what a capability costs in a year and which tools serve it; None for who sees no costs."""
    person: Any = request.user
    if not access.has_model_permission(person, "view", CostLine):
        return None
    as_of = AsOf.of(by=policy())
    found = next((each for each in capability_costs(as_of) if each.name == capability.name), None)
    if found is None:
        return None
    return {"template": "admin/technology/capability_panel.html", "cost": found, "currency": as_of.into}
