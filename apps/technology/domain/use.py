"""How much tools are used: samples that are never overwritten, the newest that counts, and cost against use."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from django.db import models
from django.db.models import Q

from apps.core.amounts import allocate, rounded
from apps.technology.domain.stack import AsOf, stack_cost
from apps.technology.models import Tool, ToolCapability, UtilisationSample

FITS = 3  # from this fit on a tool serves a capability


def percent(sample: UtilisationSample) -> Decimal:
    """Return how much was used, in per cent with one decimal."""
    return rounded(Decimal(sample.numerator) * 100 / Decimal(sample.denominator), 1)


def newest_first(rows: "models.QuerySet[UtilisationSample]") -> "models.QuerySet[UtilisationSample]":
    """Order samples so that the one that counts stands first: active users before others, then the newest."""
    return rows.order_by("-headline", "-period_to", "-id")


def counting_sample(tool: Tool, on: dt.date, known: dt.datetime) -> UtilisationSample | None:
    """Return the sample that says how much `tool` was used as of a day, as known at a moment."""
    rows = UtilisationSample.objects.filter(tool=tool, period_to__lte=on, recorded_at__lte=known)
    return newest_first(rows).first()


@dataclass(frozen=True)
class CapabilityCost:
    """What a capability costs in a year, and the tools in use that serve it."""

    name: str
    yearly: Decimal
    tools: tuple[str, ...]


def capability_costs(as_of: AsOf) -> list[CapabilityCost]:
    """Return what each capability costs: every tool's year shared by fit over what it serves, to the coin."""
    cost = stack_cost(as_of)
    fits = ToolCapability.objects.filter(
        Q(tool__lifecycle__in=("implementing", "active", "sunsetting")), archived_at__isnull=True, fit__gte=FITS
    )
    by_tool: dict[int, list[ToolCapability]] = {}
    for each in fits.select_related("tool", "capability").order_by("tool_id", "capability_id"):
        by_tool.setdefault(each.tool_id, []).append(each)
    figures: dict[str, Decimal] = {}
    names: dict[str, list[str]] = {}
    for tool_id, served in by_tool.items():
        shares = allocate(cost.tools.get(tool_id) or Decimal(0), [each.fit for each in served])
        for each, share in zip(served, shares, strict=True):
            figures[each.capability.name] = figures.get(each.capability.name, Decimal(0)) + share
            names.setdefault(each.capability.name, []).append(each.tool.name)
    return [
        CapabilityCost(name, figures[name], tuple(names[name])) for name in sorted(figures, key=lambda n: -figures[n])
    ]
