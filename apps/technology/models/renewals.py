"""Decisions about contracts that end, the alerts before their last day to cancel, and calendars people subscribe to."""

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q

from apps.core import clock
from apps.core.governed import GovernedModel, append_only_triggers
from apps.core.money import MoneyField
from apps.core.transitions import guarded_columns
from apps.technology.enums import CaseState, Renewal

_BY_BUTTON = "This moves on by the buttons on its page and by a decision, not by an edit."


class RenewalDecision(GovernedModel):
    """What becomes of a contract when its term ends: renew, renegotiate or drop, why, and at what price."""

    contract = models.ForeignKey("technology.Contract", models.PROTECT, related_name="decisions")
    verdict = models.CharField("decision", max_length=15, choices=Renewal.choices, default=Renewal.RENEW)
    reason = models.TextField(help_text="What speaks for it: use, price, alternatives. Markdown.")
    expected_yearly = MoneyField(
        "expected yearly price",
        max_digits=14,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0, "A cost cannot be less than nothing.")],
    )
    currency = models.CharField(max_length=3, blank=True, help_text="Of the expected price. Three letters.")
    requester = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", editable=False, null=True, verbose_name="asked by"
    )
    state = models.CharField(max_length=15, choices=CaseState.choices, default=CaseState.DRAFT, editable=False)
    decided_at = models.DateTimeField(null=True, blank=True, editable=False)
    next_contract = models.ForeignKey(
        "technology.Contract", models.PROTECT, null=True, blank=True, editable=False, related_name="+"
    )

    class Meta(GovernedModel.Meta):
        ordering = ("-pk",)
        constraints = [
            models.UniqueConstraint(
                fields=("contract",),
                condition=Q(archived_at__isnull=True) & ~Q(state=CaseState.REFUSED),
                name="decision_one_per_contract",
                violation_error_message="There is a decision about this contract; work on that one.",
            ),
            models.CheckConstraint(
                condition=Q(currency="") | Q(currency__regex=r"^[A-Z]{3}$"),
                name="decision_currency_is_a_code",
                violation_error_message="A currency is three capital letters, for instance EUR.",
            ),
        ]
        triggers = [
            *GovernedModel.Meta.triggers,
            *guarded_columns(
                *("state", "decided_at", "next_contract_id"), starts={"state": "draft"}, sentence=_BY_BUTTON
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_verdict_display()}: {self.contract}"

    @property
    def is_editable(self) -> bool:
        """Whether it can still be worked on."""
        return self.state in (CaseState.DRAFT, CaseState.REFUSED)


class RenewalAlert(models.Model):
    """One rung of the ladder that was reached: proof that somebody was told in time. Append-only."""

    contract = models.ForeignKey("technology.Contract", models.PROTECT, related_name="alerts")
    days_before = models.PositiveSmallIntegerField()
    due_on = models.DateField()
    last_day = models.DateField("last day to cancel")
    told = models.CharField(max_length=200, blank=True)
    fired_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ("-fired_at", "-pk")
        constraints = [
            models.UniqueConstraint(fields=("contract", "last_day", "days_before"), name="renewal_alert_once"),
        ]
        triggers = append_only_triggers("What was told stays told.")

    def __str__(self) -> str:
        return f"{self.contract}: {self.days_before} days before {self.last_day:%-d %b %Y}"


class CalendarFeed(GovernedModel):
    """A person's own address of the renewal calendar, for a calendar program; ends when it is revoked."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", editable=False)
    label = models.CharField(max_length=100, blank=True, help_text="Where it is used, for instance: my phone.")
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta(GovernedModel.Meta):
        ordering = ("-pk",)
        triggers = [
            *GovernedModel.Meta.triggers,
            *guarded_columns("revoked_at", "person_id", sentence="A calendar address is ended by its button."),
        ]

    def __str__(self) -> str:
        return f"Calendar of {self.person}{f' ({self.label})' if self.label else ''}"
