"""The base every app of mops stands on: actors, governed models, refusals, the admin kit."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    """Installs what must hold on every database connection."""

    name = "apps.core"
    label = "core"
    verbose_name = "Core"

    def ready(self) -> None:
        """Make every write carry its actor into the database."""
        from apps.core import checks, context_sql  # noqa: F401, PLC0415  # checks register on import, apps must be ready

        context_sql.install()
