"""Runs of jobs: the queue itself, and what is left to read afterwards."""

import datetime as dt

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from apps.core import clock
from apps.core.jobs.registry import find_job


class RunState(models.TextChoices):
    """Where a run stands."""

    QUEUED = "queued", "Queued"
    RUNNING = "running", "Running"
    SUCCEEDED = "succeeded", "Succeeded"
    FAILED = "failed", "Failed"
    TIMED_OUT = "timed_out", "Timed out"
    SKIPPED_OVERLAP = "skipped_overlap", "Skipped, was running"
    DEAD = "dead", "Dead"
    CANCELLED = "cancelled", "Cancelled"


OPEN_STATES = (RunState.QUEUED, RunState.RUNNING)
BAD_STATES = (RunState.FAILED, RunState.TIMED_OUT, RunState.DEAD)


class JobRun(models.Model):
    """One run of a job, from the wish to the result. Not governed: machines write it many times a minute.

    Queued rows are the queue: workers take them from here with SKIP LOCKED, so that a run exists if and only if the
    transaction that asked for it was committed.
    """

    key = models.CharField("job", max_length=100, editable=False)
    args = models.JSONField("arguments", default=dict, blank=True, editable=False)
    state = models.CharField(max_length=20, choices=RunState.choices, default=RunState.QUEUED, editable=False)
    queue = models.CharField(max_length=20, editable=False)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", editable=False
    )
    idempotency_key = models.CharField(max_length=200, null=True, blank=True, unique=True, editable=False)
    overlap_key = models.CharField(max_length=64, null=True, blank=True, editable=False)
    timeout = models.PositiveIntegerField("time limit (seconds)", editable=False)
    attempts = models.PositiveSmallIntegerField(default=0, editable=False)
    attempt_limit = models.PositiveSmallIntegerField(editable=False)

    queued_at = models.DateTimeField(db_default=Now(), editable=False)
    available_at = models.DateTimeField("not before", db_default=Now(), editable=False)
    started_at = models.DateTimeField(null=True, blank=True, editable=False)
    finished_at = models.DateTimeField(null=True, blank=True, editable=False)

    handed_at = models.DateTimeField(null=True, blank=True, editable=False)
    worker = models.CharField(max_length=100, blank=True, editable=False)
    lease_token = models.UUIDField(null=True, blank=True, editable=False)
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    heartbeat_at = models.DateTimeField(null=True, blank=True, editable=False)
    cancel_requested_at = models.DateTimeField(null=True, blank=True, editable=False)

    done = models.PositiveBigIntegerField(default=0, editable=False)
    total = models.PositiveBigIntegerField(default=0, editable=False)
    counts = models.JSONField("result", default=dict, blank=True, editable=False)
    error = models.TextField(blank=True, editable=False)
    traceback = models.TextField("technical details", blank=True, editable=False)

    class Meta:
        verbose_name = "job run"
        verbose_name_plural = "background jobs"
        ordering = ("-id",)
        constraints = [
            models.UniqueConstraint(
                fields=("overlap_key",), condition=models.Q(state="running"), name="jobrun_one_at_a_time"
            ),
            models.CheckConstraint(
                condition=models.Q(attempts__lte=models.F("attempt_limit")), name="jobrun_attempts_within_limit"
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=("queued", "running"), finished_at__isnull=True)
                | (~models.Q(state__in=("queued", "running")) & models.Q(finished_at__isnull=False)),
                name="jobrun_finished_has_time",
            ),
        ]
        indexes = [
            models.Index(
                fields=("queue", "available_at", "id"), condition=models.Q(state="queued"), name="jobrun_waiting"
            ),
            models.Index(fields=("lease_until",), condition=models.Q(state="running"), name="jobrun_leases"),
            models.Index(fields=("-started_at",), name="jobrun_by_start"),
            models.Index(fields=("key", "-id"), name="jobrun_by_job"),
            models.Index(fields=("requested_by", "-id"), name="jobrun_by_person"),
        ]

    def __str__(self) -> str:
        return f"{self.title} #{self.pk}"

    @property
    def title(self) -> str:
        """What the job is called."""
        found = find_job(self.key)
        return found.title if found else self.key

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen by itself."""
        return self.state not in OPEN_STATES

    @property
    def percent(self) -> int | None:
        """How much is done, None where the job does not say how much there is."""
        if not self.total:
            return None
        return min(100, self.done * 100 // self.total)

    @property
    def duration(self) -> dt.timedelta | None:
        """How long the last attempt took, or has been running."""
        if self.started_at is None or self.state == RunState.QUEUED:
            return None
        return max((self.finished_at or clock.now()) - self.started_at, dt.timedelta(0))


class JobLogLine(models.Model):
    """One sentence that a run said. Append-only; goes when its run is pruned."""

    run = models.ForeignKey(JobRun, models.CASCADE, related_name="lines")
    at = models.DateTimeField(db_default=Now())
    attempt = models.PositiveSmallIntegerField()
    text = models.CharField(max_length=500)

    class Meta:
        verbose_name = "log line"
        ordering = ("id",)
        triggers = [
            pgtrigger.Trigger(
                name="no_change",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                func="RAISE EXCEPTION 'Log lines are never changed.';",
            ),
        ]

    def __str__(self) -> str:
        return self.text


class ScheduleState(models.Model):
    """How far a schedule of `mops/schedules.py` has come. Derived by the scheduler; the table in code says the rest."""

    name = models.CharField(max_length=150, unique=True)
    last_due_at = models.DateTimeField(help_text="Up to this moment everything that was due has been queued.")
    last_run = models.ForeignKey(JobRun, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = "schedule"
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class WorkerCluster(models.Model):
    """A cluster of worker processes as its supervisor last saw it. Not governed: the supervisor alone writes it."""

    name = models.CharField(max_length=100, unique=True, help_text="Host, queue and a token, as in JobRun.worker.")
    queue = models.CharField(max_length=20)
    host = models.CharField(max_length=100)
    pid = models.PositiveIntegerField()
    started_at = models.DateTimeField(db_default=Now())
    beat_at = models.DateTimeField(db_default=Now())
    restarts = models.PositiveIntegerField(default=0)
    last_restart_reason = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ("host", "queue")

    def __str__(self) -> str:
        return f"{self.queue} on {self.host}"
