"""Opportunities: what a lead may buy, for how much, and whether it was won."""

from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q

from apps.accounts.models import OwnedModel
from apps.core.governed import GovernedModel
from apps.core.money import MoneyField
from apps.core.transitions import guarded_columns, written_once
from apps.leads.enums import LossReason, OpportunityStage
from apps.leads.models.lead import Lead

CLOSED = (OpportunityStage.WON, OpportunityStage.LOST)


class Opportunity(OwnedModel, GovernedModel):
    """Something a lead may buy. A lead becomes a customer by one that is won."""

    lead = models.ForeignKey(Lead, models.PROTECT, related_name="opportunities", editable=False)
    name = models.CharField(max_length=150)
    stage = models.CharField(
        max_length=12, choices=OpportunityStage.choices, default=OpportunityStage.DISCOVERY, editable=False
    )
    amount = MoneyField(max_digits=12, decimal_places=2, validators=[MinValueValidator(0)])
    currency = models.CharField(
        max_length=3, default="EUR", validators=[RegexValidator(r"^[A-Z]{3}$", "Three capital letters, like EUR.")]
    )
    expected_on = models.DateField("expected", null=True, blank=True, help_text="When it may be decided.")
    opened_at = models.DateTimeField("opened", editable=False)
    closed_at = models.DateTimeField("closed", null=True, editable=False)
    loss = models.CharField("why lost", max_length=12, choices=LossReason.choices, blank=True, editable=False)
    outcome = models.CharField("what decided it", max_length=500, blank=True, editable=False)

    class Meta(GovernedModel.Meta):
        verbose_name_plural = "opportunities"
        ordering = ("-opened_at", "-pk")
        constraints = [
            models.CheckConstraint(
                condition=Q(amount__gte=0),
                name="opportunity_amount",
                violation_error_message="An opportunity is worth nothing or more.",
            ),
            models.CheckConstraint(
                condition=Q(stage__in=("won", "lost"), closed_at__isnull=False)
                | ~Q(stage__in=("won", "lost")) & Q(closed_at__isnull=True),
                name="opportunity_closed_says_when",
            ),
            models.CheckConstraint(
                condition=Q(stage="lost") & ~Q(loss="") | ~Q(stage="lost") & Q(loss=""),
                name="opportunity_lost_says_why",
                violation_error_message="Who loses an opportunity says why.",
            ),
        ]
        indexes = [
            models.Index(fields=("lead", "stage"), name="opportunity_by_lead"),
            models.Index(fields=("stage", "closed_at"), name="opportunity_by_stage"),
        ]
        triggers = [
            *GovernedModel.Meta.triggers,
            *guarded_columns(
                *("stage", "closed_at", "loss", "outcome"),
                starts={"stage": OpportunityStage.DISCOVERY.value},
                sentence="An opportunity moves, is won and is lost by the buttons on its page, not by an edit.",
            ),
            *written_once(("lead_id", "opened_at"), "Whose opportunity it is never changes; open another one."),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_open(self) -> bool:
        """Whether it is still being decided."""
        return self.stage not in CLOSED
