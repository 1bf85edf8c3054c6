"""What technology contributes to the measures of the whole operation."""

from django.db.models import Exists, OuterRef, Q
from django.urls import reverse

from apps.core.measures import Measure, Reading, register_measure, share
from apps.technology.enums import IntegrationState
from apps.technology.models import Integration, Tool


def integrated() -> Reading:
    """Count the tools in use that exchange data with another one and have no integration still planned."""
    rows = Tool.objects.in_use()
    of_it = Integration.objects.live().filter(Q(source=OuterRef("pk")) | Q(target=OuterRef("pk")))
    flowing = of_it.filter(state__in=(IntegrationState.LIVE, IntegrationState.PAUSED))
    planned = of_it.filter(state=IntegrationState.PLANNED)
    complete = rows.filter(Exists(flowing)).exclude(Exists(planned)).count()
    return share(complete, rows.count(), reverse("admin:technology_integration_changelist"))


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
            "Tools in use with a running integration and none that is still planned ÷ tools in use.",
            integrated,
        )
    )
    register_measure(
        Measure("technology.owned", "Tools with an owner", "Tools in use with an owner in mops ÷ tools in use.", owned)
    )
