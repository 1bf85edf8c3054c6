"""Clocks: how long something has taken in business time, when it is due, and who is told before it is late."""

from django.apps import AppConfig


class ClocksConfig(AppConfig):
    """The clocks application."""

    name = "apps.core.clocks"
    label = "clocks"
    verbose_name = "Clocks"
