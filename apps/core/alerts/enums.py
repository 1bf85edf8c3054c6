"""The words for alerts: how bad, and where in its life."""

from django.db import models


class Severity(models.TextChoices):
    """How bad it is."""

    INFO = "info", "Info"
    WARNING = "warning", "Warning"
    CRITICAL = "critical", "Critical"

    @property
    def rank(self) -> int:
        """0 for the least severe."""
        return list(Severity).index(self)


class AlertState(models.TextChoices):
    """Where an alert stands; every one but `resolved` counts as open for its fingerprint."""

    OPEN = "open", "Open"
    ACKNOWLEDGED = "acknowledged", "Acknowledged"
    SNOOZED = "snoozed", "Snoozed"
    RESOLVED = "resolved", "Resolved"


class What(models.TextChoices):
    """What happened to an alert."""

    RAISED = "raised", "Raised"
    WORSENED = "worsened", "Became more severe"
    ACKNOWLEDGED = "acknowledged", "Acknowledged"
    SNOOZED = "snoozed", "Snoozed"
    WOKEN = "woken", "Snooze ended"
    RESOLVED = "resolved", "Resolved"
