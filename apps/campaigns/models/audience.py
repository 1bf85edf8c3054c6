"""Audiences: whom a campaign addresses, as a selection that is frozen with its count, sample and digest."""

import pgtrigger
from django.conf import settings
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q

from apps.campaigns.models.campaign import Campaign
from apps.core.governed import GovernedModel
from apps.core.transitions import guarded_columns, refusal


class Audience(GovernedModel):
    """One selection of people for one campaign."""

    campaign = models.ForeignKey(Campaign, models.PROTECT, related_name="audiences")
    name = models.CharField(max_length=100, help_text="What these people have in common.")
    provider = models.CharField("source", max_length=40, help_text="Where the people come from.")
    selection = models.JSONField(default=dict, blank=True, help_text="Field → values of which one must hold.")
    tolerance = models.PositiveSmallIntegerField(
        "may differ by (%)",
        default=5,
        validators=[MaxValueValidator(100)],
        help_text="How far the count at the launch may be from the frozen one.",
    )
    frozen_at = models.DateTimeField(null=True, blank=True, editable=False)
    frozen_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, editable=False, related_name="+"
    )
    frozen_count = models.PositiveIntegerField("people", null=True, blank=True, editable=False)
    frozen_digest = models.CharField("digest", max_length=64, blank=True, editable=False)
    left_out = models.JSONField(default=dict, editable=False, help_text="Reason → how many.")
    sample = models.JSONField(default=list, editable=False, help_text="Keys of a few of them.")

    class Meta(GovernedModel.Meta):
        ordering = ("campaign", "name")
        constraints = [
            models.UniqueConstraint(
                fields=("campaign", "name"),
                condition=Q(archived_at__isnull=True),
                name="campaign_audience_once",
                violation_error_message="The campaign has an audience of this name.",
            ),
            models.CheckConstraint(
                condition=Q(frozen_at__isnull=True, frozen_count__isnull=True, frozen_digest="")
                | Q(frozen_at__isnull=False, frozen_by__isnull=False, frozen_count__gt=0) & ~Q(frozen_digest=""),
                name="campaign_audience_frozen_whole",
                violation_error_message="A frozen audience has its people, their digest and who froze it.",
            ),
        ]
        triggers = [
            *GovernedModel.Meta.triggers,
            *guarded_columns(
                *("frozen_at", "frozen_by_id", "frozen_count", "frozen_digest", "left_out", "sample"),
                sentence="An audience is frozen by the button on its page.",
            ),
            pgtrigger.Trigger(
                name="frozen_selection",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(
                    "OLD.frozen_at IS NOT NULL AND NEW.frozen_at IS NOT NULL AND "
                    "(OLD.provider, OLD.selection, OLD.campaign_id) IS DISTINCT FROM "
                    "(NEW.provider, NEW.selection, NEW.campaign_id)"
                ),
                func=refusal("This audience is frozen; thaw it before you select other people."),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_frozen(self) -> bool:
        """Whether its people stand."""
        return self.frozen_at is not None
