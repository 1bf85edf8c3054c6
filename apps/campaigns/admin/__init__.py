"""The pages of campaigns."""

from apps.campaigns.admin import audiences, budget, campaigns, checklist, intake, performance

__all__ = ["audiences", "budget", "campaigns", "checklist", "intake", "performance"]
