"""The pages of content."""

from apps.content.admin import assets, checks, distribution, templates, versions

__all__ = ["assets", "checks", "distribution", "templates", "versions"]
