"""What people put around records: saved views, tags, journal notes, custom fields."""

from typing import Any

from django.apps import AppConfig


class WorkspaceConfig(AppConfig):
    """The workspace application."""

    name = "apps.core.workspace"
    label = "workspace"
    verbose_name = "Workspace"

    def ready(self) -> None:
        """Let people see what hangs on the records they see, and the views that are theirs."""
        from apps.core import access, records  # noqa: PLC0415  # models must be loaded
        from apps.core.workspace import models  # noqa: PLC0415
        from apps.core.workspace.domain import custom_exports  # noqa: PLC0415

        custom_exports.register()
        for model in (models.JournalNote, models.TaggedRecord, models.CustomValues):
            access.register_scope(model, records.scope_by_record)

        def own_and_shared(user: Any, rows: Any) -> Any:
            return rows.usable_by(user)

        access.register_scope(models.SavedView, own_and_shared)
