"""The words of processes: families, states of a version, and how often something is reviewed."""

from django.db import models


class Family(models.TextChoices):
    """The families of standard processes."""

    CAMPAIGN = "campaign", "Campaign"
    LEAD = "lead", "Lead"
    CONTENT = "content", "Content"
    OPERATIONS = "operations", "Operations"


class VersionState(models.TextChoices):
    """Where a version stands. An approved version is in force at once and supersedes the one before."""

    DRAFT = "draft", "Draft"
    IN_REVIEW = "in_review", "In review"
    EFFECTIVE = "effective", "In force"
    SUPERSEDED = "superseded", "Superseded"


OPEN_STATES = (VersionState.DRAFT, VersionState.IN_REVIEW)


class ReviewEvery(models.IntegerChoices):
    """How many months may pass between two reviews."""

    MONTH = 1, "Every month"
    QUARTER = 3, "Every quarter"
    HALF_YEAR = 6, "Every half year"
    YEAR = 12, "Every year"
