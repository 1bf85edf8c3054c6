"""Background jobs: registered in code, run by workers, kept as rows."""

from django.apps import AppConfig


class JobsConfig(AppConfig):
    """The jobs application."""

    name = "apps.core.jobs"
    label = "jobs"
    verbose_name = "Jobs"
