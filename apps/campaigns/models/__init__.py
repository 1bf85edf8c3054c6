"""Campaigns and everything that hangs on them."""

from apps.campaigns.models.audience import Audience
from apps.campaigns.models.blackout import Blackout
from apps.campaigns.models.budget import BudgetEntry, BudgetShift
from apps.campaigns.models.campaign import MATERIAL, Campaign, CampaignQuerySet
from apps.campaigns.models.checklist import ChecklistItem
from apps.campaigns.models.experiment import Experiment, Variant, VariantDay
from apps.campaigns.models.intake import CampaignRequest, IntakeForm
from apps.campaigns.models.performance import Closing, MetricDay, Threshold
from apps.campaigns.models.template import CampaignTask, CampaignTemplate, CampaignTemplateVersion, TemplateUse
from apps.campaigns.models.trail import LaunchAttempt, LaunchLook, StateChange
from apps.campaigns.models.utm import UtmLink

__all__ = [
    "MATERIAL",
    "Audience",
    "Blackout",
    "BudgetEntry",
    "BudgetShift",
    "Campaign",
    "CampaignQuerySet",
    "CampaignRequest",
    "CampaignTask",
    "CampaignTemplate",
    "CampaignTemplateVersion",
    "ChecklistItem",
    "Closing",
    "Experiment",
    "IntakeForm",
    "LaunchAttempt",
    "LaunchLook",
    "MetricDay",
    "StateChange",
    "TemplateUse",
    "Threshold",
    "UtmLink",
    "Variant",
    "VariantDay",
]
