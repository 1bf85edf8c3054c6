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
from apps.technology.models.renewals import CalendarFeed, RenewalAlert, RenewalDecision
from apps.technology.models.reviews import ReviewAction, ReviewItem, ReviewPack
from apps.technology.models.use import Licence, ReclaimTask, Seat, UtilisationSample

__all__ = [
    "TCO_FIELDS",
    "Attestation",
    "CalendarFeed",
    "Capability",
    "Contract",
    "CostLine",
    "ExchangeRate",
    "Licence",
    "ReclaimTask",
    "RenewalAlert",
    "RenewalDecision",
    "ReviewAction",
    "ReviewItem",
    "ReviewPack",
    "Seat",
    "StackPolicy",
    "Tool",
    "ToolCapability",
    "ToolQuerySet",
    "ToolRequest",
    "UtilisationSample",
    "Vendor",
    "VendorContact",
    "Waiver",
]
