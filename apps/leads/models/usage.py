"""What companies subscribe to and how they use it, as a source told it on a day."""

from django.db import models
from django.db.models import Q

from apps.core.governed import GovernedModel
from apps.core.money import MoneyField
from apps.leads.enums import SubscriptionStatus
from apps.leads.models.company import Company


class CompanySnapshot(GovernedModel):
    """One company on one day, as one source knows it. Later days are rows of their own; nothing is overwritten."""

    company = models.ForeignKey(Company, models.PROTECT, related_name="snapshots")
    taken_on = models.DateField("as of")
    source = models.CharField(max_length=40, help_text="The system that told it: billing, the product itself.")
    plan = models.CharField(max_length=80, blank=True)
    status = models.CharField("subscription", max_length=12, choices=SubscriptionStatus.choices, blank=True)
    seats = models.PositiveIntegerField(null=True, blank=True, help_text="How many people may use it.")
    active_users = models.PositiveIntegerField(
        null=True, blank=True, help_text="How many did, in the 30 days before that day."
    )
    actions = models.PositiveIntegerField(
        null=True, blank=True, help_text="What they did in those days: the events the product counts."
    )
    monthly_value = MoneyField(
        "value a month",
        currency="",
        max_digits=12,
        decimal_places=2,
        null=True,
        blank=True,
        help_text="In the currency of accounts.",
    )
    renews_on = models.DateField("renews", null=True, blank=True)

    class Meta(GovernedModel.Meta):
        ordering = ("-taken_on", "-pk")
        verbose_name = "subscription and usage"
        verbose_name_plural = "subscriptions and usage"
        constraints = [
            models.UniqueConstraint(
                fields=("company", "source", "taken_on"),
                name="company_snapshot_once",
                violation_error_message="This source has told about this company and day already; change that row.",
            ),
            models.CheckConstraint(
                condition=~Q(source=""),
                name="company_snapshot_source",
                violation_error_message="Say which system told it.",
            ),
            models.CheckConstraint(
                condition=~Q(status="", seats=None, active_users=None, actions=None, monthly_value=None),
                name="company_snapshot_says_something",
                violation_error_message="Say something about the subscription or its use.",
            ),
            models.CheckConstraint(
                condition=Q(monthly_value__isnull=True) | Q(monthly_value__gte=0),
                name="company_snapshot_value",
                violation_error_message="A value is 0 or more.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.company} on {self.taken_on:%-d %b %Y}"
