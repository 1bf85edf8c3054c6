"""How a campaign does: figures per day, the range each was agreed to stay in, and what stands at its closure."""

import pgtrigger
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from apps.campaigns.models.campaign import Campaign
from apps.core.governed import GovernedModel, append_only_triggers, ledger_triggers
from apps.core.transitions import guarded_columns, refusal

AGREED = "Thresholds are agreed with the plan: take the campaign back to planning to change them."
CLOSED = "The campaign is closed; its figures stay as they were."


class MetricDay(models.Model):
    """One figure of one day, imported or synchronised; samples, not governed rows: the import is their evidence."""

    campaign = models.ForeignKey(Campaign, models.PROTECT, related_name="metric_days")
    metric = models.CharField(max_length=40, help_text="impressions, clicks, conversions, cost, or one of your own.")
    day = models.DateField()
    value = models.DecimalField(max_digits=18, decimal_places=4)
    source = models.CharField(max_length=100, blank=True, help_text="Where it was read.")

    class Meta:
        ordering = ("-day", "metric", "pk")
        verbose_name = "figure of a day"
        verbose_name_plural = "figures by day"
        constraints = [
            models.UniqueConstraint(fields=("campaign", "metric", "day"), name="campaign_metric_once_a_day"),
            models.CheckConstraint(
                condition=Q(value__gte=0),
                name="campaign_metric_not_negative",
                violation_error_message="A figure is not less than nothing.",
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="closed_stays",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update,
                func=f"""
                    IF (SELECT state FROM campaigns_campaign WHERE id = NEW.campaign_id) = 'closed' THEN
                        {refusal(CLOSED)}
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.metric} on {self.day:%-d %b %Y}"


class Threshold(GovernedModel):
    """The range a figure is expected to stay in while the campaign is live, agreed with its plan."""

    campaign = models.ForeignKey(Campaign, models.PROTECT, related_name="thresholds")
    metric = models.CharField(max_length=40, help_text="impressions, clicks, conversions, cost, or one of your own.")
    low = models.DecimalField("at least", max_digits=18, decimal_places=4, null=True, blank=True)
    high = models.DecimalField("at most", max_digits=18, decimal_places=4, null=True, blank=True)
    days = models.PositiveSmallIntegerField(
        "in days",
        default=7,
        validators=[MinValueValidator(1), MaxValueValidator(366)],
        help_text="The sum of so many whole days is compared.",
    )
    margin = models.PositiveSmallIntegerField(
        "back inside by (%)",
        default=5,
        validators=[MaxValueValidator(50)],
        help_text="An alert ends once the figure is inside by so much, so that it does not come and go.",
    )
    runbook = models.TextField(help_text="What to do when it is outside.")
    out_since = models.DateTimeField("outside since", null=True, blank=True, editable=False)
    last_value = models.DecimalField(max_digits=18, decimal_places=4, null=True, blank=True, editable=False)

    class Meta(GovernedModel.Meta):
        ordering = ("campaign", "metric")
        constraints = [
            models.UniqueConstraint(
                fields=("campaign", "metric"),
                condition=Q(archived_at__isnull=True),
                name="campaign_threshold_once",
                violation_error_message="There is a threshold for this figure already.",
            ),
            models.CheckConstraint(
                condition=Q(low__isnull=False) | Q(high__isnull=False),
                name="campaign_threshold_says_something",
                violation_error_message="Say at least how much, or at most how much, or both.",
            ),
            models.CheckConstraint(
                condition=Q(low__isnull=True) | Q(high__isnull=True) | Q(low__lt=F("high")),
                name="campaign_threshold_in_order",
                violation_error_message="The lower limit is below the upper one; look at the two.",
            ),
        ]
        triggers = [
            *GovernedModel.Meta.triggers,
            *guarded_columns("out_since", "last_value", sentence="Whether a figure is outside, the figures say."),
            pgtrigger.Trigger(
                name="agreed_with_the_plan",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update,
                func=f"""
                    IF TG_OP = 'UPDATE' AND (OLD.campaign_id, OLD.metric, OLD.low, OLD.high, OLD.days, OLD.margin,
                            OLD.archived_at) IS NOT DISTINCT FROM (NEW.campaign_id, NEW.metric, NEW.low, NEW.high,
                            NEW.days, NEW.margin, NEW.archived_at) THEN
                        RETURN NEW;
                    END IF;
                    IF (SELECT state FROM campaigns_campaign WHERE id = NEW.campaign_id)
                            NOT IN ('planning', 'in_creative') THEN
                        {refusal(AGREED)}
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.metric} {self.range_words} in {self.days} days"

    @property
    def range_words(self) -> str:
        """The range in words."""
        low, high = (f"{each.normalize():,f}" if each is not None else "" for each in (self.low, self.high))
        if low and high:
            return f"between {low} and {high}"
        return f"at least {low}" if low else f"at most {high}"


class Closing(models.Model):
    """What stood when a campaign was closed: its figures, frozen with a digest, and the lessons. Evidence."""

    campaign = models.OneToOneField(Campaign, models.PROTECT, related_name="closing")
    at = models.DateTimeField()
    by_label = models.CharField(max_length=254)
    figures = models.JSONField()
    digest = models.CharField(max_length=64)
    lessons = models.TextField()

    class Meta:
        triggers = [*ledger_triggers(), *append_only_triggers("What stood at the closure stays.")]

    def __str__(self) -> str:
        return f"Closing of {self.campaign}"
