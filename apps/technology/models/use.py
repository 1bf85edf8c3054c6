"""Licences, who sits on their seats, which seats to take back, and how much a tool is used."""

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower

from apps.core import clock
from apps.core.governed import GovernedModel, GovernedQuerySet, append_only_triggers
from apps.core.money import MoneyField
from apps.core.transitions import guarded_columns
from apps.technology.enums import Metric, ReclaimState, UseMetric

_BY_BUTTON = "Seats and their tasks move on by the buttons on their pages, not by an edit."


class Licence(GovernedModel):
    """The right of a number of people, a place or everybody to use a tool."""

    tool = models.ForeignKey("technology.Tool", models.PROTECT, related_name="licences")
    contract = models.ForeignKey("technology.Contract", models.PROTECT, null=True, blank=True, related_name="licences")
    name = models.CharField(max_length=100, help_text="For instance Professional, or Viewer.")
    metric = models.CharField("counts", max_length=10, choices=Metric.choices, default=Metric.SEAT)
    quantity = models.PositiveIntegerField(
        "seats", null=True, blank=True, validators=[MinValueValidator(1)], help_text="How many; only where seats count."
    )
    place = models.CharField("site", max_length=100, blank=True, help_text="Which site, where a site counts.")
    notes = models.TextField(blank=True)

    class Meta(GovernedModel.Meta):
        ordering = ("tool", "name")
        constraints = [
            models.UniqueConstraint(
                "tool",
                Lower("name"),
                name="licence_name_once",
                violation_error_message="This tool already has a licence of that name.",
            ),
            models.CheckConstraint(
                condition=Q(metric=Metric.SEAT, quantity__gt=0) | (~Q(metric=Metric.SEAT) & Q(quantity__isnull=True)),
                name="licence_seats_only_where_they_count",
                violation_error_message="A licence per seat says how many seats; a site or an unlimited one has none.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.tool} {self.name}"


class SeatQuerySet(GovernedQuerySet):
    """Seats by whether somebody sits on them."""

    def taken(self) -> "SeatQuerySet":
        """Seats that are assigned now."""
        return self.filter(released_on__isnull=True)


class Seat(GovernedModel):
    """One person's place on a licence, from the day it was assigned until it is released."""

    personal_fields = ("holder",)

    licence = models.ForeignKey(Licence, models.PROTECT, related_name="seats")
    holder = models.CharField(max_length=200, help_text="The e-mail address or name the tool knows them by.")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", help_text="If known here."
    )
    assigned_on = models.DateField(default=clock.today)
    last_active_on = models.DateField(null=True, blank=True)
    activity_source = models.CharField("source of activity", max_length=100, blank=True)
    released_on = models.DateField(null=True, blank=True, editable=False)

    objects = SeatQuerySet.as_manager()  # type: ignore[misc]  # knows more filters than the one it replaces

    class Meta(GovernedModel.Meta):
        ordering = ("licence", "holder")
        indexes = [
            models.Index(fields=("licence", "last_active_on"), condition=Q(released_on__isnull=True), name="seat_taken")
        ]
        constraints = [
            models.UniqueConstraint(
                "licence",
                Lower("holder"),
                condition=Q(released_on__isnull=True),
                name="seat_once_per_holder",
                violation_error_message="This person already has a seat on the licence.",
            ),
            models.CheckConstraint(
                condition=Q(released_on__isnull=True) | Q(released_on__gte=F("assigned_on")),
                name="seat_released_after_assigned",
                violation_error_message="A seat cannot be released before it was assigned.",
            ),
        ]
        triggers = [*GovernedModel.Meta.triggers, *guarded_columns("released_on", sentence=_BY_BUTTON)]

    def __str__(self) -> str:
        return f"{self.holder} on {self.licence}"


class ReclaimTask(GovernedModel):
    """Take back a seat nobody has used for long, or say why it stays."""

    seat = models.ForeignKey(Seat, models.PROTECT, related_name="reclaims")
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="for"
    )
    inactive_since = models.DateField()
    due_on = models.DateField()
    saving = MoneyField("saves a year", max_digits=14, decimal_places=2, null=True, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    state = models.CharField(max_length=10, choices=ReclaimState.choices, default=ReclaimState.OPEN, editable=False)
    decided_at = models.DateTimeField(null=True, blank=True, editable=False)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", editable=False
    )
    note = models.TextField(blank=True)

    class Meta(GovernedModel.Meta):
        ordering = ("due_on", "pk")
        constraints = [
            models.UniqueConstraint(
                fields=("seat",),
                condition=Q(state=ReclaimState.OPEN),
                name="reclaim_one_open_per_seat",
                violation_error_message="This seat is to be reclaimed already.",
            ),
        ]
        triggers = [
            *GovernedModel.Meta.triggers,
            *guarded_columns(*("state", "decided_at", "decided_by_id"), starts={"state": "open"}, sentence=_BY_BUTTON),
        ]

    def __str__(self) -> str:
        return f"Reclaim the seat of {self.seat}"


class UtilisationSample(models.Model):
    """How much of a tool was used in a period, who says so and how it was measured; measurements are never changed."""

    tool = models.ForeignKey("technology.Tool", models.PROTECT, related_name="samples")
    metric = models.CharField(max_length=15, choices=UseMetric.choices, default=UseMetric.ACTIVE_USERS)
    numerator = models.DecimalField("used", max_digits=16, decimal_places=2)
    denominator = models.DecimalField("of", max_digits=16, decimal_places=2, help_text="What there is, or is paid for.")
    period_from = models.DateField("from")
    period_to = models.DateField("to", help_text="The last day that was measured.")
    source = models.CharField(max_length=100, help_text="Where the figures come from: a report, an API, a survey.")
    method = models.CharField(max_length=200, blank=True, help_text="How it was counted, for instance: signed in once.")
    recorded_at = models.DateTimeField(default=clock.now, editable=False)
    recorded_by = models.CharField(max_length=150, blank=True, editable=False)
    headline = models.GeneratedField(
        expression=Q(metric=UseMetric.ACTIVE_USERS),  # type: ignore[arg-type]  # the stubs know no conditions here
        output_field=models.BooleanField(),
        db_persist=True,
    )

    class Meta:
        ordering = ("-period_to", "-pk")
        indexes = [
            models.Index("tool", F("headline").desc(), F("period_to").desc(), F("id").desc(), name="sample_newest"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(numerator__gte=0, denominator__gt=0),
                name="sample_is_a_share",
                violation_error_message="Used is nothing or more, of something that is more than nothing.",
            ),
            models.CheckConstraint(
                condition=Q(numerator__lte=F("denominator") * 10),
                name="sample_not_absurd",
                violation_error_message="More than ten times of what there is: are the two figures swapped?",
            ),
            models.CheckConstraint(
                condition=Q(period_to__gte=F("period_from")),
                name="sample_ends_after_start",
                violation_error_message="A period cannot end before it starts; look at the two dates.",
            ),
        ]
        triggers = append_only_triggers("A measurement stays as it was taken; record the next one instead.")

    def __str__(self) -> str:
        return f"{self.tool}: {self.numerator.normalize():f} of {self.denominator.normalize():f}"
