"""What nobody answers for since somebody left."""

from django.db import models

from apps.accounts.models.people import User
from apps.core.governed import GovernedModel


class Vacancy(GovernedModel):
    """One thing whose owner, backup or manager was deactivated without a successor."""

    left_by = models.ForeignKey(User, models.PROTECT, related_name="vacancies", verbose_name="left by")
    kind = models.CharField(max_length=100, help_text="The kind of thing, for instance technology.tool.")
    object_id = models.CharField(max_length=40)
    label = models.CharField("what", max_length=250)
    field = models.CharField(max_length=63)
    capacity = models.CharField("vacant post", max_length=60)
    filled_at = models.DateTimeField("filled", null=True, blank=True)
    filled_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="filled with"
    )

    class Meta(GovernedModel.Meta):
        verbose_name_plural = "vacancies"
        ordering = ("filled_at", "-created_at")
        constraints = [
            models.UniqueConstraint(
                fields=("kind", "object_id", "field"),
                name="vacancy_open_once",
                condition=models.Q(filled_at=None),
                violation_error_message="This vacancy is on record already.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.capacity.capitalize()} of {self.label}"
