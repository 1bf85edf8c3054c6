"""The boxes that set cost against use: on the page of a tool, and of a capability."""

from decimal import Decimal
from typing import Any

from django.http import HttpRequest

from apps.core import access
from apps.technology.charts import bar_chart
from apps.technology.domain.rates import policy
from apps.technology.domain.stack import AsOf
from apps.technology.domain.use import capability_costs, newest_first, percent
from apps.technology.models import Capability, CostLine, Licence, Tool, UtilisationSample

SHOWN = 12


def use_panel(request: HttpRequest, tool: Tool, yearly: Decimal | None) -> dict[str, Any]:
    """Return how much `tool` was used lately, and what one used unit costs in a year."""
    person: Any = request.user
    samples = list(newest_first(access.visible(person, UtilisationSample).filter(tool=tool))[:SHOWN])
    counted = [sample for sample in samples if samples and sample.metric == samples[0].metric]
    newest = counted[0] if counted else None
    each = yearly / newest.numerator if yearly and newest and newest.numerator else None
    bars = [(f"{sample.period_to:%b %y}", percent(sample)) for sample in reversed(counted)]
    return {
        "template": "admin/technology/use_panel.html",
        "tool": tool,
        "newest": newest,
        "percent": percent(newest) if newest else None,
        "each": each,
        "currency": policy().currency,
        "chart": bar_chart(bars, unit=" %"),
        "licences": list(access.visible(person, Licence).filter(tool=tool, archived_at__isnull=True)),
    }


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
