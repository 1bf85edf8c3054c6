"""The technology inventory."""

from django.apps import AppConfig


class TechnologyConfig(AppConfig):
    """The technology application."""

    name = "apps.technology"
    label = "technology"
    verbose_name = "Technology"

    def ready(self) -> None:
        """Offer the import of an inventory, and put tools without a backup among what is overdue."""
        from apps.core.overdue import register_overdue  # noqa: PLC0415  # models must be ready
        from apps.technology import imports  # noqa: F401, PLC0415  # registers on import
        from apps.technology.domain import queries  # noqa: PLC0415

        register_overdue(queries.tools_without_backup)
