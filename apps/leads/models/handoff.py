"""Handoffs: a lead is offered to sales, who take it or give it back with a reason, in time or not."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from apps.accounts.models import Team
from apps.core.governed import GovernedModel
from apps.core.transitions import guarded_columns, written_once
from apps.leads.enums import HandoffKind, HandoffState, RejectReason
from apps.leads.models.lead import Lead


class Handoff(GovernedModel):
    """One offer of a lead to sales, with what was known then; offered again it is a new one."""

    lead = models.ForeignKey(Lead, models.PROTECT, related_name="handoffs", editable=False)
    kind = models.CharField(
        max_length=10,
        choices=HandoffKind.choices,
        default=HandoffKind.SALES,
        db_default=HandoffKind.SALES.value,
        editable=False,
    )
    number = models.PositiveSmallIntegerField("offer", editable=False, help_text="1, or 2 where it is offered again.")
    state = models.CharField(max_length=10, choices=HandoffState.choices, default=HandoffState.OFFERED, editable=False)
    to_person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", editable=False, verbose_name="to"
    )
    to_team = models.ForeignKey(
        Team, models.PROTECT, null=True, related_name="+", editable=False, verbose_name="to (team)"
    )
    offered_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", editable=False)
    offered_at = models.DateTimeField("offered", editable=False)
    due_at = models.DateTimeField("answer due", editable=False)
    note = models.TextField("for sales", blank=True, editable=False)
    snapshot = models.JSONField("what was known", default=dict, editable=False)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", editable=False
    )
    decided_at = models.DateTimeField("decided", null=True, editable=False)
    rejection = models.CharField("reason", max_length=20, choices=RejectReason.choices, blank=True, editable=False)
    answer = models.CharField(max_length=500, blank=True, editable=False)

    class Meta(GovernedModel.Meta):
        ordering = ("-offered_at", "-pk")
        constraints = [
            models.UniqueConstraint(
                fields=("lead", "kind"),
                condition=Q(state="offered"),
                name="handoff_one_open",
                violation_error_message="This lead is offered already.",
            ),
            models.UniqueConstraint(fields=("lead", "number"), name="handoff_number_once"),
            models.CheckConstraint(
                condition=Q(to_person__isnull=False) | Q(to_team__isnull=False),
                name="handoff_to_somebody",
                violation_error_message="A lead is offered to somebody.",
            ),
            models.CheckConstraint(
                condition=Q(state="offered", decided_at__isnull=True)
                | ~Q(state="offered") & Q(decided_at__isnull=False),
                name="handoff_decided",
                violation_error_message="What was decided says when.",
            ),
            models.CheckConstraint(
                condition=Q(state="rejected") & ~Q(rejection="") | ~Q(state="rejected") & Q(rejection=""),
                name="handoff_rejection_told",
                violation_error_message="Who gives a lead back says why.",
            ),
        ]
        indexes = [models.Index(fields=("state", "due_at"), name="handoff_by_due")]
        triggers = [
            *GovernedModel.Meta.triggers,
            *guarded_columns(
                *("state", "decided_by_id", "decided_at", "rejection", "answer"),
                starts={"state": HandoffState.OFFERED.value},
                sentence="A handoff is answered by the buttons on its page, not by an edit.",
            ),
            *written_once(
                ("lead_id", "kind", "number", "offered_at", "due_at", "snapshot", "to_person_id", "to_team_id"),
                "What was offered stays as it was; offer the lead again.",
            ),
        ]

    def __str__(self) -> str:
        return f"Offer {self.number} of {self.lead}"

    @property
    def to(self) -> str:
        """To whom it was offered."""
        return str(self.to_person or self.to_team)
