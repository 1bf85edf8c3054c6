"""Identities: which browser belongs to which lead, from when until when. The visitor behind it has agreed to it."""

from django.db import models
from django.db.models import F, Q

from apps.leads.models.lead import Lead


class Identity(models.Model):
    """A visitor of our website as the lead it is. Evidence: rows are closed and opened, never overwritten."""

    visitor = models.UUIDField(help_text="The number that our own script keeps in the browser, after a consent.")
    lead = models.ForeignKey(Lead, models.PROTECT, related_name="identities")
    source = models.CharField(max_length=40, help_text="The source of leads it came through.")
    valid_from = models.DateTimeField("since")
    valid_to = models.DateTimeField("until", null=True, blank=True)
    how = models.CharField("how it is known", max_length=200)

    class Meta:
        ordering = ("-valid_from", "-id")
        verbose_name_plural = "identities"
        constraints = [
            models.UniqueConstraint(fields=("visitor",), condition=Q(valid_to__isnull=True), name="identity_one_open"),
            models.CheckConstraint(
                condition=Q(valid_to__isnull=True) | Q(valid_to__gte=F("valid_from")), name="identity_in_order"
            ),
        ]

    def __str__(self) -> str:
        return f"Visitor {str(self.visitor)[:8]}"
