"""The words of rule documents: the states of a version."""

from django.db import models


class VersionState(models.TextChoices):
    """Where a version stands between the first words and the archive."""

    DRAFT = "draft", "Draft"
    IN_REVIEW = "in_review", "In review"
    APPROVED = "approved", "Approved"
    ACTIVE = "active", "Active"
    RETIRED = "retired", "Retired"


# From which state a version may go where.
MOVES: dict[VersionState, tuple[VersionState, ...]] = {
    VersionState.DRAFT: (VersionState.IN_REVIEW, VersionState.RETIRED),
    VersionState.IN_REVIEW: (VersionState.APPROVED, VersionState.DRAFT),
    VersionState.APPROVED: (VersionState.ACTIVE, VersionState.RETIRED),
    VersionState.ACTIVE: (VersionState.RETIRED,),
    VersionState.RETIRED: (),
}
COMING = (VersionState.DRAFT, VersionState.IN_REVIEW, VersionState.APPROVED)
