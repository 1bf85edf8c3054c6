"""Saved views: a list with its filters, search and order, under a name."""

from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models.functions import Lower

from apps.core import clock

if TYPE_CHECKING:
    from apps.accounts.models import User

NAME_LENGTH = 60


class SavedViewQuerySet(models.QuerySet["SavedView"]):
    """Saved views by who may use them."""

    def usable_by(self, user: "User") -> "SavedViewQuerySet":
        """A person's own views and those shared with a team the person is in now."""
        teams = user.team_keys()
        return self.filter(models.Q(owner=user) | models.Q(team__in=teams, team__archived_at__isnull=True))


class SavedView(models.Model):
    """One person's view of one list, private or shared with a team.

    Not governed on purpose: a private view says what somebody is looking for, and the ledger is read by others.
    """

    content_type = models.ForeignKey(ContentType, models.CASCADE, related_name="+", verbose_name="list")
    name = models.CharField(max_length=NAME_LENGTH)
    query = models.TextField(blank=True, help_text="The filters, search and order, as the list's address has them.")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    team = models.ForeignKey(
        "accounts.Team", models.PROTECT, null=True, blank=True, related_name="+", verbose_name="shared with"
    )
    created_at = models.DateTimeField(default=clock.now, editable=False)

    objects = SavedViewQuerySet.as_manager()

    class Meta:
        ordering = (Lower("name"), "pk")
        constraints = [
            models.UniqueConstraint(
                "content_type",
                "owner",
                Lower("name"),
                name="saved_view_once",
                violation_error_message="You have a view of this name on this list already.",
            ),
        ]
        indexes = [models.Index(fields=("content_type", "team"), name="saved_view_of_team")]

    def __str__(self) -> str:
        return self.name


class DefaultView(models.Model):
    """The view with which one person opens one list. A preference, not governed."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    content_type = models.ForeignKey(ContentType, models.CASCADE, related_name="+")
    view = models.ForeignKey(SavedView, models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=("owner", "content_type"), name="default_view_once")]

    def __str__(self) -> str:
        return f"{self.view} for {self.owner}"
