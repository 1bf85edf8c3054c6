"""The pages of content."""

from apps.content.admin import assets, checks, templates, versions

__all__ = ["assets", "checks", "templates", "versions"]
