"""Rows that say how long working data is kept; the ledger has policies of its own (audit.RetentionPolicy)."""

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models

from apps.core.governed import GovernedModel
from apps.core.retention.registry import Period, find_period


class RetentionPeriod(GovernedModel):
    """How long one kind of working data is kept. Without a row the declared days hold."""

    key = models.CharField(max_length=60, unique=True, editable=False)
    days = models.PositiveIntegerField(
        "days kept", validators=[MinValueValidator(1)], help_text="What is older is deleted by the next nightly run."
    )
    basis = models.TextField("why so long", blank=True, help_text="The law, contract or decision behind the figure.")

    class Meta(GovernedModel.Meta):
        verbose_name = "retention period"
        verbose_name_plural = "retention periods"
        ordering = ("key",)
        constraints = [
            models.CheckConstraint(
                condition=models.Q(days__gte=1, days__lte=3660),
                name="retention_period_within_ten_years",
                violation_error_message="Working data is kept between one day and ten years.",
            ),
        ]

    def __str__(self) -> str:
        return self.declared.title if self.declared else self.key

    @property
    def declared(self) -> Period | None:
        """What the code says about it: title, usual days, limits."""
        return find_period(self.key)

    def clean(self) -> None:
        """Refuse days outside the limits of this kind."""
        period = self.declared
        if period is not None and self.days is not None and not period.least <= self.days <= period.most:
            raise ValidationError(
                {"days": f"{period.title}: between {period.least} and {period.most} days, usually {period.days}."}
            )
