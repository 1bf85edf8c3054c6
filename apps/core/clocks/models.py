"""Clocks, the segments they are made of, and the rungs they have fired."""

import datetime as dt
from dataclasses import replace

import pgtrigger
from django.conf import settings
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import F, Func, Q, Value

from apps.core.calendars.models import BusinessCalendar, CalendarVersion
from apps.core.clocks.enums import OPEN_STATES, ClockState, RungKind
from apps.core.clocks.registry import Metric, PauseReason, Rung, known_metric, ladder_of
from apps.core.clocks.stretches import OpenStretch
from apps.core.governed import append_only_triggers
from apps.core.transitions import guarded_columns, refusal, written_once

__all__ = ["Clock", "ClockQuerySet", "ClockSegment", "EscalationFire", "OpenStretch"]

CLOSED_STAYS = "A closed clock never changes: it is evidence of how long something took."
NEVER_DELETED = "Clocks are evidence: they are closed, never deleted."
SEGMENT_STAYS = "Segments of a clock are evidence: an open one ends once, and nothing else of it ever changes."


def _refuse_removal(sentence: str) -> list[pgtrigger.Trigger]:
    return [
        pgtrigger.Trigger(name="stays", when=pgtrigger.Before, operation=pgtrigger.Delete, func=refusal(sentence)),
        pgtrigger.Trigger(
            name="no_truncate",
            level=pgtrigger.Statement,
            when=pgtrigger.Before,
            operation=pgtrigger.Truncate,
            func=refusal(sentence),
        ),
    ]


class ClockQuerySet(models.QuerySet["Clock"]):
    """Clocks."""

    def of(self, subject: models.Model) -> "ClockQuerySet":
        """The clocks of one record."""
        return self.filter(content_type=ContentType.objects.get_for_model(subject), object_id=subject.pk)

    def open(self) -> "ClockQuerySet":
        """Those that are not closed."""
        return self.filter(state__in=OPEN_STATES)


class Clock(models.Model):
    """How much working time one record has used of a target, for one metric.

    Not a governed row: machines write it, and its story is its segments. What can be worked out from them (`counted`,
    `due_at`, `next_fire_at`) stands here so that lists sort and the due scan finds by index.
    """

    content_type = models.ForeignKey(
        ContentType, models.PROTECT, related_name="+", editable=False, verbose_name="kind of record"
    )
    object_id = models.BigIntegerField("record", editable=False)
    subject = GenericForeignKey()
    metric = models.CharField(max_length=100, editable=False)
    target = models.PositiveIntegerField("target (minutes)", editable=False, help_text="Minutes of working time.")
    calendar = models.ForeignKey(BusinessCalendar, models.PROTECT, related_name="+", editable=False)
    calendar_version = models.ForeignKey(
        CalendarVersion,
        models.PROTECT,
        related_name="+",
        editable=False,
        help_text="The newest version it has counted with; a closed clock knows no later one.",
    )
    state = models.CharField(max_length=10, choices=ClockState.choices, default=ClockState.RUNNING, editable=False)
    ladder = models.JSONField(default=list, editable=False)
    caps = models.JSONField(
        default=dict,
        db_default=Value({}, models.JSONField()),
        editable=False,
        help_text="Limits of pauses in minutes, by reason, where they differ from the metric's.",
    )
    carried = models.DurationField(default=dt.timedelta, editable=False, help_text="Counted by the clock before it.")
    counted = models.DurationField(
        default=dt.timedelta, editable=False, help_text="Working time up to the start of the segment that runs now."
    )
    running_since = models.DateTimeField(null=True, editable=False)
    started_at = models.DateTimeField(editable=False)
    due_at = models.DateTimeField(null=True, editable=False, help_text="Empty while paused.")
    next_fire_at = models.DateTimeField(null=True, editable=False, help_text="When the scan must look at it again.")
    breached_at = models.DateTimeField(null=True, editable=False)
    closed_at = models.DateTimeField(null=True, editable=False)
    closed_by = models.CharField(max_length=254, blank=True, editable=False)
    follows = models.OneToOneField(
        "self",
        models.PROTECT,
        null=True,
        related_name="replaced_by",
        editable=False,
        help_text="The clock it took the place of, or goes on from.",
    )

    objects = ClockQuerySet.as_manager()

    class Meta:
        ordering = ("started_at", "id")
        constraints = [
            models.UniqueConstraint(
                fields=("content_type", "object_id", "metric"),
                condition=Q(state__in=OPEN_STATES),
                name="clock_one_open",
                violation_error_message="A clock for this runs already.",
            ),
            models.CheckConstraint(
                condition=Q(state__in=OPEN_STATES, closed_at__isnull=True)
                | (~Q(state__in=OPEN_STATES) & Q(closed_at__isnull=False, next_fire_at__isnull=True)),
                name="clock_closed_has_moment",
            ),
            models.CheckConstraint(
                condition=Q(state__in=(ClockState.RUNNING, ClockState.BREACHED), running_since__isnull=False)
                | (~Q(state__in=(ClockState.RUNNING, ClockState.BREACHED)) & Q(running_since__isnull=True)),
                name="clock_running_knows_since",
            ),
        ]
        indexes = [
            models.Index(fields=("content_type", "object_id", "metric", "-id"), name="clock_by_subject"),
            models.Index(fields=("next_fire_at",), condition=Q(next_fire_at__isnull=False), name="clock_next_fire"),
            models.Index(
                fields=("metric", "due_at"), condition=Q(closed_at__isnull=True, due_at__isnull=False), name="clock_due"
            ),
            models.Index(fields=("calendar",), condition=Q(closed_at__isnull=True), name="clock_open_by_calendar"),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="closed_stays",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition("OLD.closed_at IS NOT NULL"),
                func=refusal(CLOSED_STAYS),
            ),
            *guarded_columns(
                *("state", "counted", "running_since", "due_at", "breached_at", "closed_at", "calendar_version_id"),
                sentence="A clock is moved by what happens to its record, not by an edit.",
            ),
            *written_once(
                (
                    *("content_type_id", "object_id", "metric", "target", "calendar_id"),
                    *("ladder", "caps", "carried", "started_at", "follows_id"),
                ),
                "What a clock measures stays as it was; replace it by another one.",
            ),
            *_refuse_removal(NEVER_DELETED),
        ]

    def __str__(self) -> str:
        return self.kind.title

    @property
    def kind(self) -> Metric:
        """What it measures."""
        return known_metric(self.metric)

    def pause_reason(self, key: str) -> PauseReason | None:
        """Why it may pause under that name, with the limit that holds for this clock; None for no such reason."""
        known = self.kind.reason(key)
        if known is None or key not in self.caps:
            return known
        return replace(known, cap=dt.timedelta(minutes=self.caps[key]))

    @property
    def goal(self) -> dt.timedelta:
        """The target as working time."""
        return dt.timedelta(minutes=self.target)

    @property
    def rungs(self) -> tuple[Rung, ...]:
        """Its ladder, lowest rung first."""
        return ladder_of(self.ladder)

    @property
    def is_open(self) -> bool:
        """Whether it still counts, or will again."""
        return self.state in OPEN_STATES


class ClockSegment(models.Model):
    """One stretch of a clock, running or paused: evidence. Not a governed row: it ends once, nothing else changes."""

    clock = models.ForeignKey(Clock, models.PROTECT, related_name="segments")
    started = models.DateTimeField()
    ended = models.DateTimeField(null=True)
    running = models.BooleanField()
    reason = models.CharField(max_length=100, blank=True, help_text="Why it pauses: a reason of its metric.")
    note = models.CharField(max_length=300, blank=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    actor_label = models.CharField(max_length=254)

    class Meta:
        ordering = ("started", "id")
        constraints = [
            models.CheckConstraint(
                condition=Q(ended__isnull=True) | Q(ended__gte=F("started")), name="segment_ends_after_start"
            ),
            models.CheckConstraint(condition=Q(running=False) | Q(reason=""), name="segment_reason_for_pauses"),
            models.UniqueConstraint(fields=("clock",), condition=Q(ended__isnull=True), name="segment_one_open"),
            # a range of one clock's number instead of the btree_gist extension, which not every server allows
            ExclusionConstraint(
                name="segment_no_overlap",
                expressions=[
                    (Func(F("clock"), F("clock"), Value("[]"), function="int8range"), RangeOperators.OVERLAPS),
                    (
                        Func(F("started"), F("ended"), function="tstzrange", output_field=DateTimeRangeField()),
                        RangeOperators.OVERLAPS,
                    ),
                ],
                violation_error_message="Two segments of one clock overlap.",
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="ends_once",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(
                    "OLD.ended IS NOT NULL OR NEW.ended IS NULL OR NEW.id <> OLD.id OR NEW.clock_id <> OLD.clock_id "
                    "OR NEW.started <> OLD.started OR NEW.running <> OLD.running OR NEW.reason <> OLD.reason "
                    "OR NEW.note <> OLD.note OR NEW.actor_id IS DISTINCT FROM OLD.actor_id "
                    "OR NEW.actor_label <> OLD.actor_label"
                ),
                func=refusal(SEGMENT_STAYS),
            ),
            *_refuse_removal(SEGMENT_STAYS),
        ]

    def __str__(self) -> str:
        return f"{'Running' if self.running else 'Paused'} from {self.started:%Y-%m-%d %H:%M}"


class EscalationFire(models.Model):
    """That a clock has reached a rung: evidence, once for each rung. Not a governed row."""

    clock = models.ForeignKey(Clock, models.PROTECT, related_name="fires")
    rung = models.PositiveSmallIntegerField(help_text="Percent of the target.")
    kind = models.CharField(max_length=10, choices=RungKind.choices)
    reached_at = models.DateTimeField(help_text="The working moment at which it was reached.")
    fired_at = models.DateTimeField(help_text="When those concerned were told.")
    silent = models.BooleanField(default=False, help_text="Already passed when the clock began; nobody was told.")

    class Meta:
        ordering = ("clock", "rung")
        constraints = [models.UniqueConstraint(fields=("clock", "rung"), name="rung_fires_once")]
        triggers = append_only_triggers("That a rung was reached is evidence: it is never changed or deleted.")

    def __str__(self) -> str:
        return f"{self.rung} %"
