"""Who may what and why: sharing of single records, explanations, reviews."""

from django.apps import AppConfig


class RightsConfig(AppConfig):
    """The rights application."""

    name = "apps.rights"
    label = "rights"
    verbose_name = "Access"

    def ready(self) -> None:
        """Make shared rows visible on every surface, and record the tables that hold the rights."""
        from apps.core.access import register_column_limit  # noqa: PLC0415
        from apps.core.access_log import register_access_log  # noqa: PLC0415
        from apps.core.recorders import record_table  # noqa: PLC0415  # apps must be ready
        from apps.rights.columns import hidden_columns  # noqa: PLC0415
        from apps.rights.domain import logging  # noqa: PLC0415
        from apps.rights.domain.shared import register_shareable  # noqa: PLC0415  # models must be loaded
        from apps.rights.models import SHAREABLE  # noqa: PLC0415

        register_access_log(logging.log, logging.note_read)
        register_shareable()
        register_column_limit(hidden_columns)
        for mirrors in SHAREABLE.values():
            for mirror in mirrors:
                record_table(mirror._meta.db_table)
