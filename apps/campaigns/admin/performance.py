"""The pages of figures and thresholds, and how a campaign does on its own page."""

from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from unfold.decorators import display

from apps.campaigns.domain import performance
from apps.campaigns.domain.audiences import CHANGEABLE
from apps.campaigns.enums import NOT_YET_LIVE, CampaignState
from apps.campaigns.models import Campaign, MetricDay, Threshold
from apps.core.access import has_model_permission
from apps.core.admin_kit.base import ARCHIVE_BUTTONS, MopsAdmin, ReadOnlyAdmin
from apps.core.money import figure, money
from apps.technology.charts import bar_chart


@admin.register(Threshold)
class ThresholdAdmin(MopsAdmin):
    """Ranges that figures are expected to stay in."""

    list_display = ("campaign", "metric", "expected", "days", "stands", "newest")
    list_filter = ("metric", "out_since", "campaign__state")
    search_fields = ("campaign__name", "metric", "runbook")
    autocomplete_fields = ("campaign",)
    allowed_lookups = ("campaign",)
    fieldsets = (
        (None, {"fields": ("campaign", "metric", ("low", "high"), ("days", "margin"), "runbook")}),
        ("Where it stands", {"fields": (("last_value", "out_since"),)}),
    )
    readonly_fields = ("last_value", "out_since")
    kits = ("notes",)
    buttons = ARCHIVE_BUTTONS
    empty_state = "No threshold yet. Each campaign agrees on at least one with its plan; the launch asks for it."

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load the campaigns with the rows."""
        return super().get_queryset(request).select_related("campaign")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """A threshold stays with its campaign."""
        fields = super().get_readonly_fields(request, obj)
        return (*fields, "campaign") if obj is not None else fields

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What was agreed with the plan stays with it."""
        return super().has_change_permission(request, obj) and (obj is None or obj.campaign.state in CHANGEABLE)

    @display(description="Expected", ordering="low")
    def expected(self, threshold: Threshold) -> str:
        """The range in words."""
        return threshold.range_words

    @display(description="State", ordering="out_since", label={"outside": "danger", "inside": "success"})
    def stands(self, threshold: Threshold) -> str:
        """Inside, outside, or not looked at yet."""
        if threshold.out_since is not None:
            return "outside"
        return "inside" if threshold.last_value is not None else "not watched yet"

    @display(description="Last value", ordering="last_value")
    def newest(self, threshold: Threshold) -> str:
        """What was measured last."""
        return figure(threshold.last_value)


@admin.register(MetricDay)
class MetricDayAdmin(ReadOnlyAdmin):
    """Figures by day, as they were imported."""

    list_display = ("campaign", "metric", "day", "came_to", "source")
    list_filter = ("metric", "day")
    search_fields = ("campaign__name",)
    allowed_lookups = ("campaign",)
    date_hierarchy = None
    list_select_related = ("campaign",)
    empty_state = "No figures yet. Import them from a spreadsheet (Work → Imports, “Figures of campaigns”)."

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Load the campaigns with the rows."""
        return super().get_queryset(request).select_related("campaign")

    @display(description="Value", ordering="value")
    def came_to(self, row: MetricDay) -> str:
        """What it came to."""
        return figure(row.value)


def performance_panel(request: HttpRequest, campaign: Campaign) -> list[dict[str, Any]]:
    """Return the box with the figures of a campaign: totals, expected ranges, and a picture of the last days."""
    person: Any = request.user
    if not has_model_permission(person, "view", Threshold):
        return []
    totals = performance.totals_of(campaign)
    watched = next((each.metric for each in totals if each.threshold), totals[0].metric if totals else "")
    days = performance.days_of(campaign, watched) if watched else []
    model_admin = admin.site._registry[Threshold]
    return [
        {
            "template": "admin/campaigns/performance_panel.html",
            "totals": totals,
            "watched": watched,
            "chart": bar_chart([(f"{day:%-d %b}", value) for day, value in days]),
            "campaign": campaign,
            "may_add": campaign.state in CHANGEABLE and model_admin.has_add_permission(request),
            "waits": campaign.state in NOT_YET_LIVE,
        }
    ]


def closing_panel(campaign: Campaign) -> list[dict[str, Any]]:
    """Return the box with what stood at the closure; none before it."""
    closing = getattr(campaign, "closing", None) if campaign.state == CampaignState.CLOSED else None
    if closing is None:
        return []
    shown = ("budget", "planned", "committed", "actual")
    figures = [(name.title(), _amount(closing.figures, name)) for name in shown]
    figures += [(name, value) for name, value in closing.figures["figures"].items()]
    return [{"template": "admin/campaigns/closing_panel.html", "closing": closing, "figures": figures}]


def _amount(frozen: dict[str, Any], name: str) -> str:
    """Return a frozen amount as people write it; what had no amount was frozen as the word "None"."""
    return "none" if frozen[name] == "None" else money(Decimal(frozen[name]), frozen["currency"])
