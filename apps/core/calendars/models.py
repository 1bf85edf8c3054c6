"""Business calendars and their published versions, which nobody changes any more."""

import uuid

from django.conf import settings
from django.db import models

from apps.core.governed import GovernedModel, append_only_triggers, ledger_triggers

PUBLISHED_STAYS = (
    "Published calendar versions are never changed or deleted: clocks have counted in them. Publish a new version."
)


class BusinessCalendar(GovernedModel):
    """Working time by name, for instance "Berlin office" or "Round the clock"."""

    name = models.CharField(
        max_length=100, unique=True, help_text='What people pick from a list, like "Berlin office".'
    )
    slug = models.SlugField(
        "short name", max_length=60, unique=True, help_text="What settings and interfaces call it, like berlin-office."
    )
    description = models.TextField(blank=True, help_text="Who works by it and what counts in it, in a sentence or two.")
    is_default = models.BooleanField(
        "default", default=False, editable=False, help_text="Counts wherever nothing else was chosen."
    )

    class Meta(GovernedModel.Meta):
        ordering = ("name",)
        constraints = [
            models.UniqueConstraint(
                fields=("is_default",),
                condition=models.Q(is_default=True),
                name="calendar_one_default",
                violation_error_message="Another calendar is the default.",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class CalendarVersion(models.Model):
    """What a calendar says from one date on, with the holidays as known when it was published. Append-only."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    calendar = models.ForeignKey(BusinessCalendar, models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    effective_from = models.DateField(help_text="It takes over at midnight, in its own time zone.")
    zone = models.CharField("time zone", max_length=64)
    weekly_hours = models.JSONField(
        help_text='For each weekday hours like "09:00-12:00, 13:00-17:30"; empty is closed.'
    )
    country = models.CharField(max_length=2, blank=True, help_text="Whose public holidays are closed; empty for none.")
    subdivision = models.CharField(max_length=30, blank=True, help_text="State or region with holidays of its own.")
    extra_holidays = models.JSONField(default=dict, help_text="Dates closed besides, each with its name.")
    removed_holidays = models.JSONField(default=list, help_text="Public holidays that are worked all the same.")
    half_days = models.JSONField(default=dict, help_text="Dates with hours of their own.")
    public_holidays = models.JSONField(default=dict, help_text="The country's holidays as known on publication.")
    holidays_known_from = models.PositiveSmallIntegerField(help_text="The first year listed.")
    holidays_known_until = models.PositiveSmallIntegerField(help_text="The last year listed.")
    note = models.TextField(blank=True, help_text="Why this version.")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", help_text="Empty: shipped with mops."
    )
    published_at = models.DateTimeField()

    class Meta:
        ordering = ("calendar", "-number")
        constraints = [
            models.UniqueConstraint(fields=("calendar", "number"), name="calendar_version_number_once"),
            models.UniqueConstraint(
                fields=("calendar", "effective_from"),
                name="calendar_version_date_once",
                violation_error_message="Another version of this calendar takes effect on the same date.",
            ),
        ]
        triggers = [*ledger_triggers(), *append_only_triggers(PUBLISHED_STAYS)]

    def __str__(self) -> str:
        return f"{self.calendar} v{self.number} from {self.effective_from}"
