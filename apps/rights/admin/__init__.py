"""The pages about rights."""

from apps.rights.admin import explain_kit, grants, sharing_kit

__all__ = ["explain_kit", "grants", "sharing_kit"]
