"""Files on records: checked, private, served as downloads."""

from django.apps import AppConfig


class AttachmentsConfig(AppConfig):
    """The attachments application."""

    name = "apps.core.attachments"
    label = "attachments"
    verbose_name = "Attachments"
