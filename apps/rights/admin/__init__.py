"""The pages about rights."""

from apps.rights.admin import accesses, explain_kit, grants, sharing_kit, view_as_kit

__all__ = ["accesses", "explain_kit", "grants", "sharing_kit", "view_as_kit"]
