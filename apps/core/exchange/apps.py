"""Rows in and out: imports with a preview, exports, file sources."""

from django.apps import AppConfig


class ExchangeConfig(AppConfig):
    """The exchange application."""

    name = "apps.core.exchange"
    label = "exchange"
    verbose_name = "Import and export"
