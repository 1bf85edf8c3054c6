"""The pages of the technology stack."""

from apps.technology.admin import cases, money, renewals, reviews, tools, use, vendors

__all__ = ["cases", "money", "renewals", "reviews", "tools", "use", "vendors"]
