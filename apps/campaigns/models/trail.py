"""What happened to campaigns on their way: how long each state held, every attempt to launch, and the last look."""

from django.db import models

from apps.campaigns.enums import CampaignState
from apps.campaigns.models.campaign import Campaign
from apps.core.governed import append_only_triggers

STAYS = "What happened to a campaign stays as it was written down."


class StateChange(models.Model):
    """The moment a campaign came into a state, written by its table's trigger; not a governed row, but evidence.

    A state lasts until the next row of the same campaign.
    """

    campaign = models.ForeignKey(Campaign, models.PROTECT, related_name="state_changes")
    was = models.CharField(max_length=15, blank=True)
    state = models.CharField(max_length=15, choices=CampaignState.choices)
    at = models.DateTimeField()
    actor_label = models.CharField(max_length=254, null=True)
    reason = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ("at", "pk")
        indexes = [models.Index(fields=("campaign", "at"), name="campaign_change_by_time")]
        triggers = [*append_only_triggers(STAYS)]

    def __str__(self) -> str:
        return f"{self.get_state_display()} since {self.at:%Y-%m-%d %H:%M}"


class LaunchAttempt(models.Model):
    """One try to take a campaign live, with what every condition said at that moment; evidence, not a governed row."""

    campaign = models.ForeignKey(Campaign, models.PROTECT, related_name="launch_attempts")
    at = models.DateTimeField()
    by_label = models.CharField(max_length=254)
    by_clock = models.BooleanField(help_text="Whether the scheduler tried, at the chosen moment.")
    succeeded = models.BooleanField()
    conditions = models.JSONField(help_text="Every condition: title, whether it was met, what it said.")

    class Meta:
        ordering = ("-at", "-pk")
        indexes = [models.Index(fields=("campaign", "-at"), name="campaign_attempt_by_time")]
        triggers = [*append_only_triggers(STAYS)]

    def __str__(self) -> str:
        return f"{'Launched' if self.succeeded else 'Held'} {self.at:%Y-%m-%d %H:%M}"


class LaunchLook(models.Model):
    """What the heavy conditions of the gate said when they were looked at last; derived, so not a governed row.

    Pages show it, because counting the people of an audience takes longer than a page may. A launch never reads it.
    """

    campaign = models.OneToOneField(Campaign, models.CASCADE, primary_key=True, related_name="look")
    at = models.DateTimeField(db_index=True)
    found = models.JSONField(help_text="Key of the condition → whether it was met, and what it said.")

    def __str__(self) -> str:
        return f"Looked at {self.at:%Y-%m-%d %H:%M}"
