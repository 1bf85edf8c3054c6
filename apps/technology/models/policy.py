"""The figures that steer the stack: one row, which people tune."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from apps.core.governed import GovernedModel
from apps.core.money import MoneyField


class StackPolicy(GovernedModel):
    """How the technology stack is counted, reminded of and reviewed."""

    only = models.BooleanField(default=True, editable=False, unique=True)
    currency = models.CharField(
        "reporting currency", max_length=3, default="EUR", help_text="Every total is told in it. Three letters."
    )
    rate_days = models.PositiveSmallIntegerField(
        "a rate serves for (days)",
        default=35,
        validators=[MinValueValidator(0), MaxValueValidator(400)],
        help_text="How old the newest exchange rate before a date may be to count for that date.",
    )
    inactive_days = models.PositiveSmallIntegerField(
        "a seat is inactive after (days)", default=60, validators=[MinValueValidator(7), MaxValueValidator(730)]
    )
    reclaim_days = models.PositiveSmallIntegerField(
        "reclaim within (days)", default=14, validators=[MinValueValidator(1), MaxValueValidator(180)]
    )
    low_use_percent = models.PositiveSmallIntegerField(
        "low use is below (%)",
        default=40,
        validators=[MaxValueValidator(100)],
        help_text="A tool used less than this is a candidate for consolidation.",
    )
    attest_days = models.PositiveSmallIntegerField(
        "an attestation holds for (days)", default=180, validators=[MinValueValidator(30), MaxValueValidator(730)]
    )
    inventory_days = models.PositiveSmallIntegerField(
        "an imported tool needs its case within (days)",
        default=180,
        validators=[MinValueValidator(1), MaxValueValidator(730)],
        help_text="Tools in use before mops come in with a waiver that ends after this time.",
    )
    evaluation_from = MoneyField(
        "an evaluation is needed from",
        max_digits=14,
        decimal_places=2,
        null=True,
        blank=True,
        default=100_000,
        validators=[MinValueValidator(0)],
        help_text="A request whose three years cost this much or more needs a decided evaluation. Empty: none does.",
    )
    calendar = models.ForeignKey(
        "calendars.BusinessCalendar",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="business calendar",
        help_text="Whose business days count for the last day to cancel; empty: the default calendar.",
    )

    class Meta(GovernedModel.Meta):
        verbose_name = verbose_name_plural = "stack policy"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(only=True),
                name="stack_policy_is_one",
                violation_error_message="There is one stack policy; change that one.",
            ),
            models.CheckConstraint(
                condition=models.Q(currency__regex=r"^[A-Z]{3}$"),
                name="stack_policy_currency_is_a_code",
                violation_error_message="A currency is three capital letters, for instance EUR.",
            ),
        ]

    def __str__(self) -> str:
        return f"Stack policy, told in {self.currency}"
