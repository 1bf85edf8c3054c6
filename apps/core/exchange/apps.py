"""Rows in and out: imports with a preview, exports, file sources."""

from django.apps import AppConfig


class ExchangeConfig(AppConfig):
    """The exchange application."""

    name = "apps.core.exchange"
    label = "exchange"
    verbose_name = "Import and export"

    def ready(self) -> None:
        """Let people see the imports and syncs of the records they may view, and hear of their exports."""
        from apps.core import access  # noqa: PLC0415  # models must be loaded
        from apps.core.exchange import permissions  # noqa: PLC0415
        from apps.core.exchange.domain.erasing import erase_from_exchange  # noqa: PLC0415
        from apps.core.exchange.domain.exporting import READY_KIND  # noqa: PLC0415
        from apps.core.exchange.models import FileSource, ImportBatch, SyncRun  # noqa: PLC0415
        from apps.core.notifications.enums import Reach  # noqa: PLC0415
        from apps.core.notifications.kinds import register_kind  # noqa: PLC0415
        from apps.core.personal import register_traces  # noqa: PLC0415

        access.register_scope(ImportBatch, permissions.scope_by_importer)
        access.register_scope(FileSource, permissions.scope_by_importer)
        access.register_scope(SyncRun, permissions.scope_by_source)
        register_kind(READY_KIND, "An export of mine is ready", default=Reach.IN_APP)
        register_traces("exchange", erase_from_exchange)
