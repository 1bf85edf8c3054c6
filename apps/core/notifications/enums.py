"""The words for notifications: how far they reach, how much they matter, what became of a mail."""

from django.db import models


class Reach(models.TextChoices):
    """How far a notification reaches a person."""

    OFF = "off", "Off"
    IN_APP = "in_app", "In mops only"
    DIGEST = "digest", "In mops, and in the daily digest"
    MAIL = "mail", "In mops, and by mail at once"


class Importance(models.TextChoices):
    """How much a kind of notification matters; urgent mail does not wait for the end of quiet hours."""

    LOW = "low", "Low"
    NORMAL = "normal", "Normal"
    HIGH = "high", "High"
    URGENT = "urgent", "Urgent"


class MailChannel(models.TextChoices):
    """In which mail a notification travels."""

    MAIL = "mail", "Mail at once"
    DIGEST = "digest", "Daily digest"


class DeliveryState(models.TextChoices):
    """What became of one mail."""

    QUEUED = "queued", "Queued"
    SENDING = "sending", "Sending"
    SENT = "sent", "Sent"
    DEAD = "dead", "Given up"
    CANCELLED = "cancelled", "Not sent"
