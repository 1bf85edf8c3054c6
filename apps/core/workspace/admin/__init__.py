"""The pages of the workspace, and its kits for every other page."""

from apps.core.workspace.admin import custom_fields, notes, saved_views, tags

__all__ = ["custom_fields", "notes", "saved_views", "tags"]
