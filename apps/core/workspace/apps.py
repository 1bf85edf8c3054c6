"""What people put around records: saved views, tags, journal notes, custom fields."""

from django.apps import AppConfig


class WorkspaceConfig(AppConfig):
    """The workspace application."""

    name = "apps.core.workspace"
    label = "workspace"
    verbose_name = "Workspace"
