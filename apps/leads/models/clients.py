"""Clients: what the newest snapshots say of a company together, how healthy it is, and what speaks for its leaving."""

from django.db import models
from django.db.models import Q

from apps.core.money import MoneyField
from apps.core.rules.models import RuleVersion
from apps.leads.enums import ClientStage, SubscriptionStatus
from apps.leads.models.company import Company


class Client(models.Model):
    """One company that subscribes. Derived from its snapshots by the rules of client health, every night anew."""

    company = models.OneToOneField(Company, models.CASCADE, primary_key=True, related_name="client")
    as_of = models.DateField("as of")
    status = models.CharField("subscription", max_length=12, choices=SubscriptionStatus.choices, blank=True)
    plan = models.CharField(max_length=80, blank=True)
    since = models.DateField("client since", null=True, help_text="The first day somebody told that it pays.")
    seats = models.PositiveIntegerField(null=True)
    active_users = models.PositiveIntegerField(null=True)
    seat_use = models.FloatField("seats used", null=True, help_text="In %.")
    users_change = models.FloatField("change of active users", null=True, help_text="In %, against 90 days before.")
    actions_change = models.FloatField("change of actions", null=True, help_text="In %, against 90 days before.")
    monthly_value = MoneyField("value a month", currency="", max_digits=12, decimal_places=2, null=True)
    value_change = models.FloatField("change of value", null=True, help_text="In %, against 90 days before.")
    renews_on = models.DateField("renews", null=True)
    used_on = models.DateField("use last told", null=True, help_text="The newest day a source told of its use.")
    evidence = models.JSONField(default=dict, help_text="By fact: day and source of the word that counts.")
    stage = models.CharField("stage", max_length=12, choices=ClientStage.choices)
    stage_since = models.DateField("in this stage since")
    health = models.FloatField(null=True, help_text="0 to 100 by the rules in force; empty: there are none.")
    version = models.ForeignKey(RuleVersion, models.PROTECT, null=True, related_name="+", db_index=False)

    class Meta:
        ordering = ("health", "company__name")
        constraints = [
            models.CheckConstraint(
                condition=Q(health__isnull=True) | Q(health__gte=0, health__lte=100), name="client_health_range"
            ),
        ]
        indexes = [models.Index(fields=("stage", "health"), name="client_by_stage")]

    def __str__(self) -> str:
        return str(self.company)


class ChurnSign(models.Model):
    """That a rule found a sign of leaving at a client: since when, on what evidence, and until when. Evidence."""

    company = models.ForeignKey(Company, models.PROTECT, related_name="churn_signs")
    rule_key = models.CharField("rule", max_length=120, help_text="It stays over versions.")
    name = models.CharField("sign", max_length=200)
    evidence = models.CharField(max_length=500)
    version = models.ForeignKey(RuleVersion, models.PROTECT, related_name="+")
    opened_on = models.DateField("since")
    closed_on = models.DateField("until", null=True)

    class Meta:
        ordering = ("-opened_on", "-id")
        verbose_name = "sign of leaving"
        verbose_name_plural = "signs of leaving"
        constraints = [
            models.UniqueConstraint(
                fields=("company", "rule_key"), condition=Q(closed_on__isnull=True), name="churn_sign_one_open"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} since {self.opened_on:%-d %b %Y}"
