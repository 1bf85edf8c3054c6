"""What content is kept as."""

from apps.content.models.assets import HTML_KINDS, MATERIAL, ContentAsset, ContentVersion
from apps.content.models.qa import Claim, FindingWaiver, QaFinding, QaRun, QaSignOff
from apps.content.models.templates import TEMPLATE_MATERIAL, ContentTemplate, ContentTemplateVersion

__all__ = [
    "HTML_KINDS",
    "MATERIAL",
    "TEMPLATE_MATERIAL",
    "Claim",
    "ContentAsset",
    "ContentTemplate",
    "ContentTemplateVersion",
    "ContentVersion",
    "FindingWaiver",
    "QaFinding",
    "QaRun",
    "QaSignOff",
]
