"""How long working data is kept: runs, notifications, mail, previews, files of exports."""

from django.apps import AppConfig


class RetentionConfig(AppConfig):
    """The retention application."""

    name = "apps.core.retention"
    label = "retention"
    verbose_name = "Retention"
