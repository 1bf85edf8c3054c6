"""The technology stack: every tool and who answers for it."""

from django.apps import AppConfig


class TechnologyConfig(AppConfig):
    """The technology application."""

    name = "apps.technology"
    label = "technology"
    verbose_name = "Technology"
