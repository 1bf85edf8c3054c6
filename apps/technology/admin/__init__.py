"""The pages of the technology stack."""

from apps.technology.admin import cases, money, tools, vendors

__all__ = ["cases", "money", "tools", "vendors"]
