"""The launch checklist: what must have been looked at by somebody before a campaign goes live."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from apps.campaigns.enums import CheckKind, CheckState
from apps.campaigns.models.campaign import Campaign
from apps.core.governed import GovernedModel
from apps.core.transitions import guarded_columns


class ChecklistItem(GovernedModel):
    """One line of a campaign's checklist, and the evidence that it was done."""

    campaign = models.ForeignKey(Campaign, models.PROTECT, related_name="checklist")
    kind = models.CharField(max_length=12, choices=CheckKind.choices, default=CheckKind.OTHER)
    title = models.CharField("what to check", max_length=200)
    position = models.PositiveSmallIntegerField(default=100, help_text="Where it stands, small numbers first.")
    state = models.CharField(max_length=12, choices=CheckState.choices, default=CheckState.OPEN, editable=False)
    evidence = models.TextField(blank=True, editable=False, help_text="What was looked at, where it is kept.")
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, editable=False, related_name="+"
    )
    settled_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta(GovernedModel.Meta):
        ordering = ("campaign", "position", "pk")
        verbose_name = "checklist line"
        constraints = [
            models.UniqueConstraint(
                fields=("campaign", "title"),
                condition=Q(archived_at__isnull=True),
                name="campaign_check_once",
                violation_error_message="This line is on the checklist already.",
            ),
            models.CheckConstraint(
                condition=Q(state=CheckState.OPEN, settled_at__isnull=True, settled_by__isnull=True)
                | (~Q(state=CheckState.OPEN) & ~Q(evidence="") & Q(settled_at__isnull=False, settled_by__isnull=False)),
                name="campaign_check_with_evidence",
                violation_error_message="A line is settled by somebody, with evidence; an open one is not.",
            ),
        ]
        triggers = [
            *GovernedModel.Meta.triggers,
            *guarded_columns(
                *("state", "evidence", "settled_by_id", "settled_at"),
                starts={"state": CheckState.OPEN.value},
                sentence="A line of the checklist is settled by the buttons on its page, with evidence.",
            ),
        ]

    def __str__(self) -> str:
        return self.title
