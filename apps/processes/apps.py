"""Standard operating procedures and their versions."""

from django.apps import AppConfig


class ProcessesConfig(AppConfig):
    """The processes application."""

    name = "apps.processes"
    label = "processes"
    verbose_name = "Processes"
