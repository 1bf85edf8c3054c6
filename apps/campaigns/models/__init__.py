"""Campaigns and everything that hangs on them."""

from apps.campaigns.models.audience import Audience
from apps.campaigns.models.budget import BudgetEntry, BudgetShift
from apps.campaigns.models.campaign import MATERIAL, Campaign, CampaignQuerySet
from apps.campaigns.models.checklist import ChecklistItem
from apps.campaigns.models.intake import CampaignRequest, IntakeForm
from apps.campaigns.models.performance import Closing, MetricDay, Threshold
from apps.campaigns.models.trail import LaunchAttempt, StateChange

__all__ = [
    "MATERIAL",
    "Audience",
    "BudgetEntry",
    "BudgetShift",
    "Campaign",
    "CampaignQuerySet",
    "CampaignRequest",
    "ChecklistItem",
    "Closing",
    "IntakeForm",
    "LaunchAttempt",
    "MetricDay",
    "StateChange",
    "Threshold",
]
