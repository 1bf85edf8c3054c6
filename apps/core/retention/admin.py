"""Retention periods of working data: staff change the days, within limits; nobody adds or removes a kind."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.decorators import display

from apps.core.admin_kit.base import MopsAdmin
from apps.core.retention.models import RetentionPeriod
from apps.core.words import NOTHING


@admin.register(RetentionPeriod)
class RetentionPeriodAdmin(MopsAdmin):
    """How long working data is kept."""

    list_display = ("kept_data", "days_shown", "usual", "limits", "basis")
    search_fields = ("key", "basis")
    fields = ("kept_data", "days", "basis", "counted_from", "usual", "limits")
    readonly_fields = ("kept_data", "counted_from", "usual", "limits")
    kits = ("notes",)
    empty_state = "No period has been tuned: everything is kept as long as mops ships."

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: what is kept for a while is declared by the code that deletes it."""
        return False

    @display(description="What", ordering="key")
    def kept_data(self, period: RetentionPeriod) -> str:
        """What is kept."""
        return str(period)

    @display(description="Kept", ordering="days")
    def days_shown(self, period: RetentionPeriod) -> str:
        """How long."""
        return _in_days(period.days)

    @display(description="Usually", ordering="key")
    def usual(self, period: RetentionPeriod) -> str:
        """What mops ships."""
        return _in_days(period.declared.days) if period.declared else NOTHING

    @display(description="Limits", ordering="key")
    def limits(self, period: RetentionPeriod) -> str:
        """How far staff may go."""
        return f"{period.declared.least} to {_in_days(period.declared.most)}" if period.declared else NOTHING

    @display(description="Counted from", ordering="key")
    def counted_from(self, period: RetentionPeriod) -> str:
        """From when the days count."""
        return period.declared.counted_from if period.declared else NOTHING


def _in_days(days: int) -> str:
    return "1 day" if days == 1 else f"{days:,} days"
