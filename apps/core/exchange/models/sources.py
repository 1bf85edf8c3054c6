"""Files that are read again and again, and what each reading brought."""

import datetime as dt

import pgtrigger
from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from apps.core.exchange.enums import RunState, ScheduleKind
from apps.core.governed import GovernedModel

FINISHED_STAYS = "A finished run is evidence: it is never changed or deleted."


def evidence_triggers(*, fixed: tuple[str, ...]) -> list[pgtrigger.Trigger]:
    """Return the triggers of a row that is written at the start, completed once at the end, and then stays.

    Args:
        fixed: columns that never change, not even before the end.
    """
    func = f"RAISE EXCEPTION USING ERRCODE = 'P0001', MESSAGE = '{FINISHED_STAYS}';"
    update, before = pgtrigger.Update, pgtrigger.Before
    return [
        pgtrigger.Trigger(
            name="finished_stays",
            when=before,
            operation=update,
            condition=pgtrigger.Q(old__finished_at__isnull=False),
            func=func,
        ),
        pgtrigger.Trigger(
            name="asked_for_stays", when=before, operation=update, condition=pgtrigger.AnyChange(*fixed), func=func
        ),
        pgtrigger.Trigger(name="stays", when=before, operation=pgtrigger.Delete, func=func),
        pgtrigger.Trigger(
            name="no_truncate", level=pgtrigger.Statement, when=before, operation=pgtrigger.Truncate, func=func
        ),
    ]


class FileSource(GovernedModel):
    """A file in an allowed folder, what it holds, and when it is read. Its syncs run in the name of its owner."""

    name = models.CharField(max_length=100, unique=True, help_text="For instance: Leads of the web shop.")
    importer = models.CharField("what it holds", max_length=100)
    folder = models.CharField(max_length=500, help_text="One of the folders the installation allows.")
    path = models.CharField(
        "file", max_length=500, help_text="The file's name inside the folder, for instance exports/leads.csv."
    )
    schedule = models.CharField("when", max_length=10, choices=ScheduleKind.choices, default=ScheduleKind.MANUAL)
    every = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(10_000)],
        help_text="How many minutes or hours.",
    )
    daily_at = models.TimeField(null=True, blank=True, help_text="In the time zone of the installation.")
    enabled = models.BooleanField(default=True, help_text="Off: the schedule rests; “Sync now” still works.")
    mapping = models.JSONField("matched columns", default=dict, blank=True, editable=False)
    options = models.JSONField("how to read it", default=dict, blank=True, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="+",
        editable=False,
        help_text="Who saved it last; scheduled syncs run in this name and with these rights.",
    )

    class Meta(GovernedModel.Meta):
        ordering = ("name",)
        constraints = [
            models.CheckConstraint(
                condition=(
                    models.Q(schedule="manual")
                    | models.Q(schedule__in=("minutes", "hours"), every__isnull=False)
                    | models.Q(schedule="daily", daily_at__isnull=False)
                ),
                name="filesource_schedule_complete",
                violation_error_message="Say how many minutes or hours, or at which time of day.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def when(self) -> str:
        """The schedule in words."""
        if self.schedule == ScheduleKind.DAILY and self.daily_at:
            return f"Daily at {self.daily_at:%H:%M}"
        if self.schedule in (ScheduleKind.MINUTES, ScheduleKind.HOURS):
            unit = "minute" if self.schedule == ScheduleKind.MINUTES else "hour"
            return f"Every {unit}" if self.every == 1 else f"Every {self.every} {unit}s"
        return "Only by hand"


class SyncRun(models.Model):
    """One reading of a source: completed once, then append-only evidence."""

    source = models.ForeignKey(FileSource, models.PROTECT, related_name="runs")
    state = models.CharField(max_length=10, choices=RunState.choices, default=RunState.RUNNING)
    dry_run = models.BooleanField("try only", default=False)
    scheduled = models.BooleanField(default=False)
    acted_as = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name="in the name of"
    )
    job = models.CharField(max_length=20, blank=True)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    sha256 = models.CharField("SHA-256", max_length=64, blank=True)
    mapping = models.JSONField(default=dict)
    rows = models.PositiveIntegerField(default=0)
    created = models.PositiveIntegerField(default=0)
    updated = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    gone = models.PositiveIntegerField(default=0)
    notes = models.JSONField(default=list)
    said = models.TextField("result", blank=True)

    class Meta:
        verbose_name = "sync"
        ordering = ("-id",)
        indexes = [models.Index(fields=("source", "-id"), name="syncrun_by_source")]
        triggers = evidence_triggers(fixed=("source", "dry_run", "scheduled", "acted_as", "started_at"))

    def __str__(self) -> str:
        return f"{self.source} #{self.pk}"

    @property
    def duration(self) -> dt.timedelta | None:
        """How long it took."""
        return self.finished_at - self.started_at if self.finished_at else None


class SourceRecord(models.Model):
    """That a source named a record, and whether it still does. Derived: what "no longer in the file" is told from."""

    source = models.ForeignKey(FileSource, models.CASCADE, related_name="+")
    key = models.CharField(max_length=200)
    gone = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=("source", "key"), name="sourcerecord_once")]

    def __str__(self) -> str:
        return self.key
