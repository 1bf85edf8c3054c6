"""The technology stack: tools and vendors, money, requests and waivers, seats, renewals, reviews."""

from apps.technology.models.cases import TCO_FIELDS, ToolRequest, Waiver
from apps.technology.models.inventory import (
    Attestation,
    Capability,
    Tool,
    ToolCapability,
    ToolQuerySet,
    Vendor,
    VendorContact,
)
from apps.technology.models.money import Contract, CostLine, ExchangeRate
from apps.technology.models.policy import StackPolicy

__all__ = [
    "TCO_FIELDS",
    "Attestation",
    "Capability",
    "Contract",
    "CostLine",
    "ExchangeRate",
    "StackPolicy",
    "Tool",
    "ToolCapability",
    "ToolQuerySet",
    "ToolRequest",
    "Vendor",
    "VendorContact",
    "Waiver",
]
