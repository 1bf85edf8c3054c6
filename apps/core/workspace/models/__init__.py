"""What people put around records: tags, journal notes, custom fields, saved views."""

from apps.core.workspace.models.custom_field import CustomField, CustomValues
from apps.core.workspace.models.note import JournalNote
from apps.core.workspace.models.saved_view import DefaultView, SavedView
from apps.core.workspace.models.tag import Tag, TaggedRecord

__all__ = ["CustomField", "CustomValues", "DefaultView", "JournalNote", "SavedView", "Tag", "TaggedRecord"]
