"""Working time laid out in rows, so that PostgreSQL counts it for lists and for thousands of clocks at once."""

from django.db import models

from apps.core.calendars.models import CalendarVersion


class OpenStretch(models.Model):
    """One open stretch of a calendar as it is known up to one version, and the working time before it.

    Not a governed row: worked out from published versions, which never change, and so never changed either.
    """

    version = models.ForeignKey(CalendarVersion, models.CASCADE, related_name="+", editable=False)
    opens = models.DateTimeField(editable=False)
    closes = models.DateTimeField(editable=False)
    before = models.DurationField(editable=False, help_text="Working time from the first stretch up to this one.")

    class Meta:
        default_permissions = ()
        ordering = ("version", "opens")
        constraints = [
            models.UniqueConstraint(fields=("version", "opens"), name="stretch_opens_once"),
            models.UniqueConstraint(fields=("version", "before"), name="stretch_before_once"),
            models.CheckConstraint(condition=models.Q(closes__gt=models.F("opens")), name="stretch_is_open"),
        ]

    def __str__(self) -> str:
        return f"{self.opens:%Y-%m-%d %H:%M} to {self.closes:%H:%M}"
