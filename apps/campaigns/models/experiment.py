"""A/B tests of campaigns: variants bound to versions of content, counted by day, decided once by somebody."""

import uuid

import pgtrigger
from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from apps.campaigns.models.campaign import Campaign
from apps.core.governed import GovernedModel
from apps.core.transitions import fixed_after_draft, guarded_columns, refusal

STATES = [("draft", "Draft"), ("running", "Running"), ("decided", "Decided"), ("stopped", "Stopped")]
_BEGUN = "The test has begun; what it compares stays. Stop it and make another one."


class Experiment(GovernedModel):
    """One question that a split of people answers."""

    campaign = models.ForeignKey(Campaign, models.PROTECT, related_name="experiments")
    name = models.CharField(max_length=100)
    question = models.TextField(help_text="What is expected to do better, and why.")
    success = models.CharField(max_length=100, help_text="What counts as success: opened, clicked, registered.")
    least = models.PositiveIntegerField(
        "people in each variant",
        default=200,
        validators=[MinValueValidator(10)],
        help_text="So many at least before anybody decides; who looks earlier finds differences that are none.",
    )
    confidence = models.PositiveSmallIntegerField(
        "confidence (%)", default=95, validators=[MinValueValidator(80), MaxValueValidator(99)]
    )
    salt = models.UUIDField(default=uuid.uuid4, editable=False)
    state = models.CharField(max_length=10, choices=STATES, default="draft", editable=False)
    started_at = models.DateTimeField("running since", null=True, blank=True, editable=False)
    ended_at = models.DateTimeField("ended", null=True, blank=True, editable=False)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, editable=False, related_name="+"
    )
    chosen = models.CharField("goes on with", max_length=1, blank=True, editable=False)
    reason = models.TextField(blank=True, editable=False)
    figures = models.JSONField(default=dict, editable=False, help_text="What stood when it was decided.")

    class Meta(GovernedModel.Meta):
        verbose_name = "A/B test"
        ordering = ("-pk",)
        constraints = [
            models.UniqueConstraint(
                fields=("campaign", "name"),
                condition=Q(archived_at__isnull=True),
                name="experiment_once",
                violation_error_message="The campaign has a test of this name.",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=("decided", "stopped"))
                | Q(ended_at__isnull=False, decided_by__isnull=False) & ~Q(reason=""),
                name="experiment_ended_whole",
                violation_error_message="A test ends by somebody, with a reason.",
            ),
        ]
        triggers = [
            *GovernedModel.Meta.triggers,
            *guarded_columns(
                *("state", "started_at", "ended_at", "decided_by_id", "chosen", "reason", "figures", "salt"),
                starts={"state": "draft"},
                sentence="A test is begun, decided and stopped by the buttons on its page.",
            ),
            *fixed_after_draft(("campaign_id", "question", "success", "least", "confidence"), _BEGUN),
        ]

    def __str__(self) -> str:
        return self.name


class Variant(GovernedModel):
    """One of the things compared; the first letter is what the others are compared with."""

    experiment = models.ForeignKey(Experiment, models.PROTECT, related_name="variants")
    letter = models.CharField(max_length=1, help_text="A, B, C…; A is what the others are compared with.")
    weight = models.PositiveSmallIntegerField(
        default=50,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
        help_text="Its share of the people, beside the weights of the others.",
    )
    version = models.ForeignKey(
        "content.ContentVersion",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="The version of content these people see.",
    )
    note = models.CharField("what is different", max_length=150, blank=True)

    class Meta(GovernedModel.Meta):
        ordering = ("experiment", "letter")
        constraints = [
            models.UniqueConstraint(
                fields=("experiment", "letter"),
                condition=Q(archived_at__isnull=True),
                name="experiment_variant_once",
                violation_error_message="The test has a variant of this letter.",
            ),
            models.CheckConstraint(
                condition=Q(letter__regex=r"^[A-H]$", weight__gte=1, weight__lte=100),
                name="experiment_variant_letter",
                violation_error_message="A variant is a letter from A to H, its weight between 1 and 100.",
            ),
        ]
        triggers = [
            *GovernedModel.Meta.triggers,
            pgtrigger.Trigger(
                name="compared_stays",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update,
                func=f"""
                    IF (SELECT state FROM campaigns_experiment WHERE id = NEW.experiment_id) <> 'draft' THEN
                        {refusal(_BEGUN)}
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.letter}: {self.note}" if self.note else self.letter


class VariantDay(models.Model):
    """What a variant came to on one day; samples, not governed rows: the latest count of a day holds."""

    variant = models.ForeignKey(Variant, models.PROTECT, related_name="days")
    day = models.DateField()
    people = models.PositiveIntegerField()
    successes = models.PositiveIntegerField()

    class Meta:
        ordering = ("-day",)
        constraints = [
            models.UniqueConstraint(fields=("variant", "day"), name="experiment_count_once_a_day"),
            models.CheckConstraint(
                condition=Q(successes__lte=F("people")),
                name="experiment_successes_of_people",
                violation_error_message="There cannot be more successes than people.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.variant} on {self.day:%-d %b %Y}"
