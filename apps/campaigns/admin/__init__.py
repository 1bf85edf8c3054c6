"""The pages of campaigns."""

from apps.campaigns.admin import (
    audiences,
    blackouts,
    budget,
    campaigns,
    checklist,
    experiments,
    intake,
    performance,
    templates,
    utm,
)

__all__ = [
    "audiences",
    "blackouts",
    "budget",
    "campaigns",
    "checklist",
    "experiments",
    "intake",
    "performance",
    "templates",
    "utm",
]
