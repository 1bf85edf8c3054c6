"""The words for clocks: where one stands, and what a rung of its ladder does."""

from django.db import models


class ClockState(models.TextChoices):
    """Where a clock stands. Running, paused and breached clocks are open; the others never change again."""

    RUNNING = "running", "Running"
    PAUSED = "paused", "Paused"
    BREACHED = "breached", "Late and running"
    MET = "met", "Met"
    LATE = "late", "Ended late"
    CANCELLED = "cancelled", "Cancelled"
    REPLACED = "replaced", "Replaced"


OPEN_STATES = (ClockState.RUNNING, ClockState.PAUSED, ClockState.BREACHED)


class RungKind(models.TextChoices):
    """What a rung asks for."""

    NOTIFY = "notify", "Tell those concerned"
    ESCALATE = "escalate", "Escalate"
