"""What content is kept as."""

from apps.content.models.assets import HTML_KINDS, MATERIAL, ContentAsset, ContentVersion
from apps.content.models.distribution import (
    PUBLISHING_TOOLS,
    ContentLink,
    ContentMetric,
    Distribution,
    MaterialUse,
)
from apps.content.models.qa import Claim, FindingWaiver, QaFinding, QaRun, QaSignOff
from apps.content.models.templates import TEMPLATE_MATERIAL, ContentTemplate, ContentTemplateVersion

__all__ = [
    "HTML_KINDS",
    "MATERIAL",
    "PUBLISHING_TOOLS",
    "TEMPLATE_MATERIAL",
    "Claim",
    "ContentAsset",
    "ContentLink",
    "ContentMetric",
    "ContentTemplate",
    "ContentTemplateVersion",
    "ContentVersion",
    "Distribution",
    "FindingWaiver",
    "MaterialUse",
    "QaFinding",
    "QaRun",
    "QaSignOff",
]
