"""Files on records: checked, private, served as downloads."""

from django.apps import AppConfig


class AttachmentsConfig(AppConfig):
    """The attachments application."""

    name = "apps.core.attachments"
    label = "attachments"
    verbose_name = "Attachments"

    def ready(self) -> None:
        """Let people see the files of the records they see."""
        from apps.core import access, records  # noqa: PLC0415  # models must be loaded
        from apps.core.attachments.domain.erasing import erase_files  # noqa: PLC0415
        from apps.core.attachments.models import Attachment  # noqa: PLC0415
        from apps.core.personal import register_traces  # noqa: PLC0415

        access.register_scope(Attachment, records.scope_by_record)
        register_traces("attachments", erase_files)
