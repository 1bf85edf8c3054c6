"""Pools of people who take leads, whose turn it is, and why each lead went where it went."""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils.timezone import localtime

from apps.accounts.models import Team
from apps.core.calendars.models import BusinessCalendar
from apps.core.governed import GovernedModel, append_only_triggers
from apps.core.rules.models import RuleVersion
from apps.leads.enums import RoutedBy
from apps.leads.models.lead import Lead

MOST_WEIGHT = 100


class Pool(GovernedModel):
    """People who share the leads of a rule, each by their weight."""

    name = models.CharField(max_length=80)
    purpose = models.CharField(max_length=200, blank=True, help_text="Which leads it is for, in a sentence.")
    team = models.ForeignKey(
        Team,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Looks after its leads together with the person; empty: the person alone.",
    )
    calendar = models.ForeignKey(
        BusinessCalendar,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="When its people take leads; empty: at any hour. What comes outside waits in the fallback queue.",
    )

    class Meta(GovernedModel.Meta):
        ordering = ("name",)
        constraints = [
            models.UniqueConstraint(
                Lower("name"), name="pool_name_once", violation_error_message="There is already a pool of this name."
            ),
            models.CheckConstraint(
                condition=~Q(name=""), name="pool_named", violation_error_message="A pool needs a name."
            ),
        ]

    def __str__(self) -> str:
        return self.name


class PoolMember(GovernedModel):
    """Somebody who takes leads of a pool: how many of them, and when not."""

    pool = models.ForeignKey(Pool, models.PROTECT, related_name="members")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    weight = models.PositiveSmallIntegerField(
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_WEIGHT)],
        help_text="With 2 somebody gets twice as many leads as with 1.",
    )
    most_a_day = models.PositiveSmallIntegerField(
        "most a day",
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="Leads of this pool in a day; empty: no limit.",
    )
    most_open = models.PositiveSmallIntegerField(
        "most at once",
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="With so many known leads, MQLs and SQLs they get no more; empty: no limit.",
    )
    away_from = models.DateField(null=True, blank=True, help_text="Passed over from this day on.")
    away_until = models.DateField(null=True, blank=True, help_text="The last day away.")
    calendar = models.ForeignKey(
        BusinessCalendar,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Their own hours; empty: those of the pool.",
    )

    class Meta(GovernedModel.Meta):
        ordering = ("pool", "person__full_name")
        verbose_name = "member of a pool"
        verbose_name_plural = "members of pools"
        constraints = [
            models.UniqueConstraint(
                fields=("pool", "person"),
                condition=Q(archived_at__isnull=True),
                name="pool_member_once",
                violation_error_message="This person is in the pool already.",
            ),
            models.CheckConstraint(
                condition=Q(weight__gte=1, weight__lte=MOST_WEIGHT),
                name="pool_member_weight",
                violation_error_message=f"A weight goes from 1 to {MOST_WEIGHT}.",
            ),
            models.CheckConstraint(
                condition=Q(most_a_day__isnull=True) | Q(most_a_day__gte=1),
                name="pool_member_takes_some",
                violation_error_message="Who takes no lead a day is no member; say when they are away instead.",
            ),
            models.CheckConstraint(
                condition=Q(most_open__isnull=True) | Q(most_open__gte=1),
                name="pool_member_holds_some",
                violation_error_message="Who holds no lead is no member; say when they are away instead.",
            ),
            models.CheckConstraint(
                condition=Q(away_from__isnull=True, away_until__isnull=True)
                | Q(away_from__isnull=False, away_until__gte=F("away_from")),
                name="pool_member_away_in_order",
                violation_error_message="Say both days, the first not after the last, or neither.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person} in {self.pool}"


class PoolCursor(models.Model):
    """Whose turn it is in a pool. A plain row: its lock lets one batch deal at a time, so nobody is skipped."""

    pool = models.OneToOneField(Pool, models.CASCADE, primary_key=True, related_name="cursor")
    position = models.PositiveBigIntegerField(default=0)
    given = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"Turn of {self.pool}"


class RoutingBatch(models.Model):
    """One round of routing: which rules were asked, who could take leads then and who not, and why. Evidence."""

    version = models.ForeignKey(RuleVersion, models.PROTECT, related_name="+")
    at = models.DateTimeField("when")
    leads = models.PositiveIntegerField()
    facts = models.JSONField(default=dict, help_text="Rules left out with the reason; candidates and exclusions.")

    class Meta:
        ordering = ("-at", "-id")
        verbose_name = "round of routing"
        verbose_name_plural = "rounds of routing"
        triggers = append_only_triggers("What was known when leads were routed stays on record.")

    def __str__(self) -> str:
        return f"{self.leads} on {localtime(self.at):%-d %b %Y, %H:%M}"


class RoutingDecision(models.Model):
    """Why one lead went to somebody: the rule, the turn, the person before. Evidence; candidates stand in its round."""

    lead = models.ForeignKey(Lead, models.PROTECT, related_name="routings", db_index=False)
    batch = models.ForeignKey(RoutingBatch, models.PROTECT, null=True, related_name="decisions", db_index=False)
    routed_by = models.CharField("decided by", max_length=10, choices=RoutedBy.choices)
    rule_number = models.PositiveSmallIntegerField("rule", default=0, help_text="Its place in the list; 0: none.")
    pool = models.ForeignKey(Pool, models.PROTECT, null=True, related_name="+", db_index=False)
    turn = models.PositiveBigIntegerField(null=True, help_text="Which turn of the pool it was.")
    from_person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", db_index=False, verbose_name="before"
    )
    to_person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", db_index=False, verbose_name="to"
    )
    to_team = models.ForeignKey(
        Team, models.PROTECT, null=True, related_name="+", db_index=False, verbose_name="to (team)"
    )
    reason = models.CharField(max_length=500, blank=True)
    at = models.DateTimeField("when")

    class Meta:
        ordering = ("-at", "-id")
        constraints = [
            models.CheckConstraint(
                condition=Q(to_person__isnull=False) | Q(to_team__isnull=False), name="routing_to_somebody"
            ),
            models.CheckConstraint(
                condition=~Q(routed_by__in=("hand", "sla")) | ~Q(reason=""), name="routing_by_hand_says_why"
            ),
        ]
        indexes = [
            models.Index(fields=("lead", "-at"), name="lead_routing_of_lead"),
            models.Index(fields=("pool", "at"), name="lead_routing_of_pool"),
        ]
        triggers = append_only_triggers("Why a lead was routed stays on record.")

    def __str__(self) -> str:
        return f"{self.get_routed_by_display()}: {self.to_person or self.to_team}"


class WaitingLead(models.Model):
    """Leads in the fallback queue whose pool had nobody free. Derived: emptied as soon as somebody can take them."""

    lead = models.OneToOneField(Lead, models.CASCADE, primary_key=True, related_name="waiting")
    pool = models.ForeignKey(Pool, models.CASCADE, related_name="waiting")
    since = models.DateTimeField()

    class Meta:
        ordering = ("since",)
        verbose_name = "waiting lead"

    def __str__(self) -> str:
        return f"{self.lead} for {self.pool}"
