"""What owners do again and again, the standards tools follow, and how available tools were."""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils.timezone import localtime

from apps.accounts.models import OwnedModel
from apps.core import clock
from apps.core.governed import GovernedModel, append_only_triggers
from apps.core.transitions import guarded_columns
from apps.technology.enums import Duty, Known, Standard
from apps.technology.models.duty_triggers import every_minute_once


class OwnerDuty(GovernedModel):
    """One duty towards a tool, and when it is due next."""

    tool = models.ForeignKey("technology.Tool", models.PROTECT, related_name="duties")
    kind = models.CharField("duty", max_length=15, choices=Duty.choices)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="who",
        help_text="Empty: whoever answers for the tool.",
    )
    every_months = models.PositiveSmallIntegerField(
        "every (months)", default=3, validators=[MinValueValidator(1), MaxValueValidator(36)]
    )
    due_on = models.DateField("due")
    last_done_on = models.DateField("last done", null=True, blank=True, editable=False)

    class Meta(GovernedModel.Meta):
        ordering = ("due_on", "pk")
        verbose_name_plural = "owner duties"
        indexes = [models.Index(fields=("due_on",), condition=Q(archived_at__isnull=True), name="duty_by_due")]
        constraints = [
            models.UniqueConstraint(
                fields=("tool", "kind"),
                condition=Q(archived_at__isnull=True),
                name="duty_once_per_tool",
                violation_error_message="This tool has that duty already; change that one.",
            ),
            models.CheckConstraint(
                condition=Q(every_months__gte=1),
                name="duty_comes_again",
                violation_error_message="A duty comes again after a month at the soonest.",
            ),
        ]
        triggers = [
            *GovernedModel.Meta.triggers,
            *guarded_columns("last_done_on", sentence="A duty is done by its button, with evidence, not by an edit."),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.tool}"


class DutyDone(models.Model):
    """One time that a duty was done, and what shows it; evidence, append-only."""

    duty = models.ForeignKey(OwnerDuty, models.PROTECT, related_name="times")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(default=clock.now)
    was_due_on = models.DateField()
    evidence = models.TextField()

    class Meta:
        ordering = ("-at", "-pk")
        verbose_name = "duty done"
        verbose_name_plural = "duties done"
        constraints = [models.CheckConstraint(condition=~Q(evidence=""), name="duty_done_with_evidence")]
        triggers = append_only_triggers("What was done stays as it was recorded; do the duty again instead.")

    def __str__(self) -> str:
        return f"{self.duty} done on {localtime(self.at):%-d %b %Y}"


class AdminStandard(OwnedModel, GovernedModel):
    """How tools are administered: names, folders, permissions, backups."""

    kind = models.CharField("about", max_length=15, choices=Standard.choices)
    title = models.CharField(max_length=150)
    text = models.TextField("what it says", help_text="So exact that two people come to the same answer. Markdown.")
    naming_rule = models.ForeignKey(
        "technology.NamingRule",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="standards",
        help_text="For naming: the rule that checks names by itself.",
    )

    class Meta(GovernedModel.Meta):
        ordering = ("kind", "title")
        verbose_name = "administration standard"
        constraints = [
            models.UniqueConstraint(
                Lower("title"), name="standard_once", violation_error_message="There is already such a standard."
            ),
            models.CheckConstraint(
                condition=Q(naming_rule__isnull=True) | Q(kind=Standard.NAMING),
                name="standard_rule_for_names",
                violation_error_message="A naming rule belongs to a standard about naming.",
            ),
        ]

    def __str__(self) -> str:
        return self.title


class StandardCheck(GovernedModel):
    """Whether a tool follows a standard, who looked, and what shows it."""

    standard = models.ForeignKey(AdminStandard, models.PROTECT, related_name="checks")
    tool = models.ForeignKey("technology.Tool", models.PROTECT, related_name="standard_checks")
    follows = models.CharField(max_length=10, choices=Known.choices, default=Known.UNKNOWN)
    checked_on = models.DateField(default=clock.today)
    evidence = models.TextField(blank=True, help_text="What shows it, or what differs.")

    class Meta(GovernedModel.Meta):
        ordering = ("standard", "tool")
        constraints = [
            models.UniqueConstraint(
                fields=("standard", "tool"),
                condition=Q(archived_at__isnull=True),
                name="check_once_per_tool",
                violation_error_message="This tool has been checked against that standard; change that check.",
            ),
            models.CheckConstraint(
                condition=Q(follows=Known.UNKNOWN) | ~Q(evidence=""),
                name="check_has_evidence",
                violation_error_message="Say what shows it: yes or no alone is no check.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.standard}: {self.tool}"


class ServiceTarget(GovernedModel):
    """How available a tool is to be, and how fast it is to answer."""

    tool = models.OneToOneField("technology.Tool", models.PROTECT, related_name="target")
    availability = models.DecimalField(
        "available (%)",
        max_digits=6,
        decimal_places=3,
        default="99.5",
        validators=[MinValueValidator(0), MaxValueValidator(100)],
        help_text="99.5 for most tools; 99.9 where work stands still without it.",
    )
    response_ms = models.PositiveIntegerField("answers within (ms)", default=2000, validators=[MinValueValidator(1)])
    source = models.CharField(max_length=150, blank=True, help_text="Contract, vendor's page, our own wish.")

    class Meta(GovernedModel.Meta):
        ordering = ("tool",)
        verbose_name = "availability target"
        constraints = [
            models.CheckConstraint(
                condition=Q(availability__gt=0, availability__lte=100),
                name="target_in_percent",
                violation_error_message="Availability is more than 0 and at most 100 %.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.tool}: {self.availability.normalize():f} %"


class AvailabilitySample(models.Model):
    """How long a tool was up and down in a period, and how fast it answered; what nobody measured is neither.

    Append-only.
    """

    tool = models.ForeignKey("technology.Tool", models.PROTECT, related_name="availability")
    starts_at = models.DateTimeField("from")
    ends_at = models.DateTimeField("to")
    up_minutes = models.PositiveIntegerField("up (minutes)")
    down_minutes = models.PositiveIntegerField("down (minutes)", default=0)
    response_ms = models.PositiveIntegerField("answered within (ms, 95 %)", null=True, blank=True)
    source = models.CharField(max_length=100, help_text="Status page, monitor, log.")
    recorded_at = models.DateTimeField(default=clock.now, editable=False)
    recorded_by = models.CharField(max_length=150, blank=True, editable=False)

    class Meta:
        ordering = ("-ends_at", "-pk")
        indexes = [models.Index("tool", F("ends_at").desc(), name="availability_newest")]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")),
                name="availability_ends_after_start",
                violation_error_message="A period ends after it starts; look at the two moments.",
            ),
        ]
        triggers = [
            *append_only_triggers("A measurement stays as it was taken; record the next one instead."),
            every_minute_once(),
        ]

    def __str__(self) -> str:
        return f"{self.tool} until {localtime(self.ends_at):%-d %b %Y}"
