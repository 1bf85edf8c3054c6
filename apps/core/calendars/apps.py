"""Business time: calendars that count working hours and days."""

from django.apps import AppConfig


class CalendarsConfig(AppConfig):
    """The calendars application."""

    name = "apps.core.calendars"
    label = "calendars"
    verbose_name = "Calendars"
