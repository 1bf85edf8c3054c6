"""What technology contributes to the measures of the whole operation."""

from django.urls import reverse

from apps.core.measures import Measure, Reading, register_measure, share
from apps.technology.models import Tool


def integrated() -> Reading:
    """Count the tools in use that say how they are integrated."""
    rows = Tool.objects.in_use()
    known = rows.exclude(integration_method="").count()
    return share(known, rows.count(), reverse("admin:technology_tool_changelist"))


def owned() -> Reading:
    """Count the tools in use that somebody answers for."""
    rows = Tool.objects.in_use()
    return share(rows.count() - rows.without_owner().count(), rows.count(), reverse("admin:technology_tool_changelist"))


def register() -> None:
    """Make them known."""
    register_measure(
        Measure(
            "technology.integrated",
            "Tools integrated",
            "Tools in use whose way of integration is recorded ÷ tools in use.",
            integrated,
        )
    )
    register_measure(
        Measure("technology.owned", "Tools with an owner", "Tools in use with an owner in mops ÷ tools in use.", owned)
    )
