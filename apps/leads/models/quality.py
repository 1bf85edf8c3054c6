"""Quality of the data over time: what a check found on a day. Derived from the checks in force and the leads."""

from django.db import models
from django.db.models import F, Q

from apps.core.rules.models import RuleVersion


class QualityCount(models.Model):
    """How many leads a check found wrong on a day. Derived: one row a check and day, the newest run of it counts."""

    version = models.ForeignKey(RuleVersion, models.PROTECT, related_name="+")
    check_key = models.CharField("check", max_length=120, help_text="Of the rule; it stays over versions.")
    day = models.DateField()
    asked = models.PositiveIntegerField("leads asked")
    wrong = models.PositiveIntegerField("leads found")

    class Meta:
        ordering = ("-day", "check_key")
        verbose_name = "count of a check"
        verbose_name_plural = "counts of checks"
        constraints = [
            models.UniqueConstraint(fields=("check_key", "day"), name="quality_count_once"),
            models.CheckConstraint(condition=Q(wrong__lte=F("asked")), name="quality_count_within"),
        ]

    def __str__(self) -> str:
        return f"{self.check_key} on {self.day:%-d %b %Y}: {self.wrong}"
