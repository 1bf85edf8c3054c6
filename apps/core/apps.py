"""The base every app of mops stands on: actors, governed models, refusals, the admin kit."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    """Installs what must hold on every database connection."""

    name = "apps.core"
    label = "core"
    verbose_name = "Core"

    def ready(self) -> None:
        """Make every write carry its actor into the database; put the box of overdue work on the home page."""
        from apps.core import checks, context_sql  # noqa: F401, PLC0415  # checks register on import, apps must be ready
        from apps.core.admin_kit.home import overdue_panel  # noqa: PLC0415
        from apps.core.admin_kit.site import Panel, register_panel  # noqa: PLC0415

        context_sql.install()
        register_panel(Panel("overdue", 20, "admin/mops/overdue_panel.html", overdue_panel))
