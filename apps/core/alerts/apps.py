"""What needs somebody's attention: one alert per cause until it is resolved."""

from django.apps import AppConfig


class AlertsConfig(AppConfig):
    """The alerts application."""

    name = "apps.core.alerts"
    label = "alerts"
    verbose_name = "Alerts"
