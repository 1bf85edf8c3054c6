"""What the rules of scoring make of a lead: sums carried forward, the score with its factors, who overrode it."""

import datetime as dt

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.timezone import localtime

from apps.core.governed import GovernedModel
from apps.core.rules.models import RuleVersion
from apps.leads.enums import RunKind
from apps.leads.models.lead import Lead


class Measure(models.Model):
    """One sum that is kept for every lead. Derived from the rules in force; its number is its place in `sums`."""

    number = models.PositiveSmallIntegerField(unique=True)
    key = models.CharField(max_length=60, unique=True)

    class Meta:
        ordering = ("number",)

    def __str__(self) -> str:
        return self.key


class Accumulator(models.Model):
    """The sums of one lead as of a moment, carried forward exactly. Derived from the touches."""

    lead = models.OneToOneField(Lead, models.CASCADE, primary_key=True, related_name="accumulator")
    at = models.FloatField(help_text="Seconds since 1970 to which the sums are decayed.")
    sums = ArrayField(models.FloatField(), default=list)

    class Meta:
        verbose_name = "sums of a lead"
        verbose_name_plural = "sums of leads"

    def __str__(self) -> str:
        return f"Sums of lead {self.lead_id}"


class LeadScore(models.Model):
    """The score of one lead with what it is made of. Derived: written by the engine alone."""

    lead = models.OneToOneField(Lead, models.CASCADE, primary_key=True, related_name="score")
    version = models.ForeignKey(RuleVersion, models.PROTECT, related_name="+", db_index=False)
    as_of = models.DateTimeField("as of")
    raw = models.FloatField(help_text="What counts, added up, before the range.")
    score = models.FloatField(help_text="Within the range.")
    final = models.FloatField(help_text="The score, or what somebody set in its place.")
    fit = models.FloatField()
    known = models.PositiveSmallIntegerField()
    is_ready = models.BooleanField("ready for sales", default=False)
    is_hand_raised = models.BooleanField("raised a hand", default=False)
    factors = ArrayField(models.FloatField(), default=list)

    class Meta:
        verbose_name = "score"

    def __str__(self) -> str:
        return f"{self.final:g}"


class ScoreQueue(models.Model):
    """Leads whose facts changed since they were scored. Derived: filled by triggers, emptied by the engine.

    Without a foreign key in the database: leads are never deleted there, whose number stands here for nobody is passed
    over, and checking it for every lead of a file costs a thirtieth of the import.
    """

    lead = models.OneToOneField(Lead, models.CASCADE, primary_key=True, related_name="+", db_constraint=False)

    class Meta:
        verbose_name = "lead to score"

    def __str__(self) -> str:
        return f"Lead {self.lead_id}"


class ScoreRun(models.Model):
    """One time that many leads were scored: by which version, as of when, and what came of it. Evidence."""

    version = models.ForeignKey(RuleVersion, models.PROTECT, related_name="score_runs")
    kind = models.CharField(max_length=12, choices=RunKind.choices)
    as_of = models.DateTimeField("as of")
    leads = models.PositiveIntegerField()
    changed = models.PositiveIntegerField()
    became_ready = models.PositiveIntegerField()
    stopped_being_ready = models.PositiveIntegerField()
    digest = models.CharField(max_length=40, blank=True, help_text="Of every difference, lead by lead.")
    finished_at = models.DateTimeField("finished")

    class Meta:
        ordering = ("-as_of", "-id")
        verbose_name = "scoring run"

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {localtime(self.as_of):%-d %b %Y %H:%M}"


class ScoreChange(models.Model):
    """What an activation changed about one lead. Evidence."""

    run = models.ForeignKey(ScoreRun, models.PROTECT, related_name="changes", db_index=False)
    lead = models.ForeignKey(Lead, models.PROTECT, related_name="score_changes")
    before = models.FloatField(null=True)
    after = models.FloatField()
    was_ready = models.BooleanField()
    is_ready = models.BooleanField()

    class Meta:
        ordering = ("-run", "pk")
        constraints = [models.UniqueConstraint(fields=("run", "lead"), name="score_change_once")]

    def __str__(self) -> str:
        return f"Lead {self.lead_id}: {self.before} → {self.after}"


class ScoreOverride(GovernedModel):
    """A score that a person set in the place of the rules', with a reason and an end."""

    lead = models.ForeignKey(Lead, models.PROTECT, related_name="overrides", editable=False)
    value = models.FloatField("score")
    reason = models.CharField(max_length=500)
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", editable=False)
    set_at = models.DateTimeField(editable=False)
    expires_at = models.DateTimeField("until")
    ended_at = models.DateTimeField("ended", null=True, blank=True, editable=False)

    class Meta(GovernedModel.Meta):
        ordering = ("-set_at", "-id")
        constraints = [
            models.UniqueConstraint(
                fields=("lead",),
                condition=Q(ended_at__isnull=True),
                name="score_override_once",
                violation_error_message="The score of this lead is set by hand already; end that first.",
            ),
            models.CheckConstraint(
                condition=Q(expires_at__gt=models.F("set_at")) & ~Q(reason=""),
                name="score_override_ends",
                violation_error_message="A score set by hand has a reason and ends some day.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.value:g} until {self.last_day:%-d %b %Y}"

    @property
    def last_day(self) -> dt.date:
        """The last day on which it holds: it ends with that day (UTC), which is the first instant of the next."""
        return (self.expires_at.astimezone(dt.UTC) - dt.timedelta(microseconds=1)).date()
