"""Blackouts: days on which no campaign goes live, in a channel and region or everywhere."""

import re

from django.db import models
from django.db.models import F, Q

from apps.campaigns.enums import Channel
from apps.core.governed import GovernedModel


class Blackout(GovernedModel):
    """A stretch of days, both included, that is kept free; strictly, or with a warning."""

    name = models.CharField(max_length=100, help_text="For instance: Christmas, end of the quarter, moving the shop.")
    first_day = models.DateField()
    last_day = models.DateField()
    only_channel = models.CharField(
        "channel", max_length=20, choices=Channel.choices, blank=True, help_text="Empty: every channel."
    )
    only_region = models.CharField(
        "region", max_length=100, blank=True, help_text="As campaigns name it, for instance DACH. Empty: every region."
    )
    is_strict = models.BooleanField(
        "nothing goes live", default=True, help_text="Otherwise whoever plans a start on these days is warned."
    )
    reason = models.TextField(help_text="Why, and whom to ask about an exception.")

    class Meta(GovernedModel.Meta):
        ordering = ("-first_day", "pk")
        verbose_name = "blackout"
        constraints = [
            models.CheckConstraint(
                condition=Q(last_day__gte=F("first_day")),
                name="blackout_in_order",
                violation_error_message="A blackout cannot end before it begins; look at the two days.",
            ),
        ]
        indexes = [models.Index(fields=("first_day", "last_day"), name="blackout_by_day")]

    def __str__(self) -> str:
        return self.name

    def concerns(self, channel: str, region: str) -> bool:
        """Whether a campaign of this channel and region is meant."""
        if self.only_channel and channel not in (self.only_channel, Channel.MULTI):
            return False
        if not self.only_region or not region:
            return True
        # whole words: days kept free in the UK are none of Ukraine's
        return bool(re.search(rf"(?<!\w){re.escape(self.only_region)}(?!\w)", region, re.IGNORECASE))
