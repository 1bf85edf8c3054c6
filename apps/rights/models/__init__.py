"""Shared records, roles asked for, accesses, separation of duties, access reviews."""

from apps.rights.models.accesses import AccessLog
from apps.rights.models.duties import SodRule, SodWaiver
from apps.rights.models.requests import RecordRequest, RoleRequest
from apps.rights.models.reviews import AccessReview, AccessReviewEntry
from apps.rights.models.sharing import (
    SHAREABLE,
    AccessGrant,
    CampaignToGroup,
    CampaignToPerson,
    SOPToGroup,
    SOPToPerson,
    ToolToGroup,
    ToolToPerson,
)

__all__ = [
    "SHAREABLE",
    "AccessGrant",
    "AccessLog",
    "AccessReview",
    "AccessReviewEntry",
    "CampaignToGroup",
    "CampaignToPerson",
    "RecordRequest",
    "RoleRequest",
    "SOPToGroup",
    "SOPToPerson",
    "SodRule",
    "SodWaiver",
    "ToolToGroup",
    "ToolToPerson",
]
