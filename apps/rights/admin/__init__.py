"""The pages about rights."""

from apps.rights.admin import grants, sharing_kit

__all__ = ["grants", "sharing_kit"]
