"""Quarterly review packs: figures frozen on a day, and the actions that follow from them."""

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q

from apps.core.governed import GovernedModel, append_only_triggers
from apps.core.money import MoneyField
from apps.core.packs import quarter_words
from apps.core.transitions import guarded_columns
from apps.technology.enums import ActionState, Verdict

FROZEN = "The figures of a review are frozen; make another pack to tell newer ones."


class ReviewPack(models.Model):
    """One review of the stack: totals, gaps and the digest of its items. Append-only."""

    quarter = models.DateField(help_text="Its first day.")
    number = models.PositiveSmallIntegerField(help_text="The how-manieth pack of the quarter.")
    on = models.DateField("at the prices of")
    known_at = models.DateTimeField("as known at")
    currency = models.CharField(max_length=3)
    low_use_percent = models.PositiveSmallIntegerField()
    tools = models.PositiveIntegerField("tools")
    yearly = MoneyField("a year costs", max_digits=20, decimal_places=3)
    saving = MoneyField("could be saved", max_digits=20, decimal_places=3)
    totals = models.JSONField()
    digest = models.CharField(max_length=64)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        ordering = ("-quarter", "-number")
        verbose_name = "technology review"
        constraints = [models.UniqueConstraint(fields=("quarter", "number"), name="pack_number_once")]
        triggers = append_only_triggers(FROZEN)

    def __str__(self) -> str:
        return f"Technology review {quarter_words(self.quarter)}{f', pack {self.number}' if self.number > 1 else ''}"


class ReviewItem(models.Model):
    """What a review says about one tool. Append-only.

    Twenty thousand are written by one statement that selects them from the tools, so no foreign key looks up each of
    them once more: a pack is never deleted, and `stands_in_a_review` keeps the tools.
    """

    pack = models.ForeignKey(
        ReviewPack,
        models.PROTECT,
        related_name="items",
        db_constraint=False,
        db_index=False,
        verbose_name="technology review",
    )
    tool = models.ForeignKey("technology.Tool", models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    name = models.CharField(max_length=150)
    lifecycle = models.CharField(max_length=15)
    owner = models.CharField(max_length=200, blank=True)
    yearly = MoneyField("a year costs", currency="pack__currency", max_digits=20, decimal_places=3, null=True)
    used = models.DecimalField("used (%)", max_digits=7, decimal_places=1, null=True)
    used_on = models.DateField("measured until", null=True)
    seats = models.PositiveIntegerField(default=0)
    inactive_seats = models.PositiveIntegerField(default=0)
    attested_on = models.DateField("attested on", null=True)
    shares_with = models.PositiveIntegerField("others that can do the same", default=0)
    integrations = models.PositiveIntegerField("live integrations", default=0, db_default=0)
    unhealthy = models.PositiveIntegerField("of them failing, late or unknown", default=0, db_default=0)
    verdict = models.CharField("proposal", max_length=15, choices=Verdict.choices)
    saving = MoneyField("could be saved", currency="pack__currency", max_digits=20, decimal_places=3, default=0)
    why = models.CharField(max_length=250)

    class Meta:
        ordering = ("-saving", "name")
        indexes = [models.Index(fields=("pack", "-saving"), name="item_by_saving")]
        constraints = [models.UniqueConstraint(fields=("tool", "pack"), name="item_once_per_pack")]
        triggers = append_only_triggers(FROZEN)

    def __str__(self) -> str:
        return f"{self.name} in {self.pack}"


class ReviewAction(GovernedModel):
    """What was agreed about a tool in a review, who does it, until when, and what it saves."""

    pack = models.ForeignKey(ReviewPack, models.PROTECT, related_name="actions", verbose_name="technology review")
    tool = models.ForeignKey("technology.Tool", models.PROTECT, related_name="review_actions")
    verdict = models.CharField(max_length=15, choices=Verdict.choices)
    action = models.CharField(max_length=250, help_text="What is to be done, beginning with a verb.")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name="who")
    due_on = models.DateField("until")
    saving = MoneyField(
        "expected saving a year",
        currency="pack__currency",
        max_digits=14,
        decimal_places=2,
        default=0,
        validators=[MinValueValidator(0, "A saving is nothing or more.")],
    )
    state = models.CharField(max_length=10, choices=ActionState.choices, default=ActionState.OPEN, editable=False)
    closed_on = models.DateField(null=True, blank=True, editable=False)
    outcome = models.TextField(blank=True, editable=False)

    class Meta(GovernedModel.Meta):
        ordering = ("due_on", "pk")
        indexes = [models.Index(fields=("state", "due_on"), name="action_by_due")]
        constraints = [
            models.CheckConstraint(
                condition=Q(state=ActionState.OPEN) | Q(closed_on__isnull=False),
                name="action_closed_on_a_day",
                violation_error_message="An action that is over says on which day.",
            ),
        ]
        triggers = [
            *GovernedModel.Meta.triggers,
            *guarded_columns(
                *("state", "closed_on", "outcome"),
                starts={"state": "open"},
                sentence="An action is closed by its button, not by an edit.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.action} ({self.tool})"
