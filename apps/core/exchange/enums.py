"""The words of import and export."""

from django.db import models


class OutcomeKind(models.TextChoices):
    """What became of one record of a file."""

    CREATED = "created", "Created"
    UPDATED = "updated", "Updated"
    UNCHANGED = "unchanged", "Unchanged"
    REFUSED = "refused", "Refused"
    GONE = "gone", "No longer in the file"


class FileKind(models.TextChoices):
    """The forms in which tables come and go."""

    CSV = "csv", "CSV"
    XLSX = "xlsx", "Excel (XLSX)"
    YAML = "yaml", "YAML"
    JSON = "json", "JSON"


class BatchState(models.TextChoices):
    """How far an import has come."""

    RECEIVED = "received", "Columns to match"
    PREVIEWING = "previewing", "Preview under way"
    PREVIEWED = "previewed", "Preview ready"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


class ScheduleKind(models.TextChoices):
    """When a file source is read."""

    MANUAL = "manual", "Only by hand"
    MINUTES = "minutes", "Every … minutes"
    HOURS = "hours", "Every … hours"
    DAILY = "daily", "Daily at"


class RunState(models.TextChoices):
    """How a sync or an export ended."""

    RUNNING = "running", "Under way"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"
