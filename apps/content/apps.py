"""Content: from brief to published, with quality checks and approval of the exact version."""

from django.apps import AppConfig


class ContentConfig(AppConfig):
    """The content application."""

    name = "apps.content"
    label = "content"
    verbose_name = "Content"
