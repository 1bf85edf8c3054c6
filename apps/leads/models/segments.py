"""Who is in which segment, since when, and as of when that was compared. Derived from rules and leads."""

from django.db import models

from apps.core.rules.models import RuleDocument, RuleVersion
from apps.leads.models.lead import Lead


class SegmentState(models.Model):
    """How a segment in use stands: as of when its members were compared, and what that took. Derived."""

    document = models.OneToOneField(
        RuleDocument, models.CASCADE, primary_key=True, related_name="+", verbose_name="segment"
    )
    version = models.ForeignKey(RuleVersion, models.CASCADE, related_name="+")
    as_of = models.DateTimeField(help_text="Leads that changed until then are in it, or out of it.")
    whole_at = models.DateTimeField("all leads compared", help_text="When every lead was compared, changed or not.")
    members = models.PositiveIntegerField()
    came = models.PositiveIntegerField("came in", help_text="At the last comparison.")
    went = models.PositiveIntegerField("dropped out", help_text="At the last comparison.")
    looked_at = models.PositiveIntegerField("leads looked at", help_text="At the last comparison.")
    milliseconds = models.PositiveIntegerField("took (ms)")

    class Meta:
        ordering = ("document__title",)
        verbose_name = "segment"

    def __str__(self) -> str:
        return str(self.document)


class SegmentMember(models.Model):
    """One lead in one segment, since when. Derived: whoever comes in gets a row, whoever drops out loses it."""

    document = models.ForeignKey(RuleDocument, models.CASCADE, related_name="+", db_index=False)
    lead = models.ForeignKey(Lead, models.CASCADE, related_name="segments")
    since = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=("document", "lead"), name="segment_member_once")]

    def __str__(self) -> str:
        return f"{self.lead} in {self.document}"
