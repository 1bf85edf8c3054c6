"""The technology stack: tools and vendors, money, requests and waivers, seats, renewals, reviews."""

from apps.technology.models.cases import TCO_FIELDS, ToolRequest, Waiver
from apps.technology.models.data import DataDefinition, DataEntity, DataField, SystemOfRecord
from apps.technology.models.duties import (
    AdminStandard,
    AvailabilitySample,
    DutyDone,
    OwnerDuty,
    ServiceTarget,
    StandardCheck,
)
from apps.technology.models.evaluation import (
    Candidate,
    CriteriaSet,
    Criterion,
    Evaluation,
    Evaluator,
    Score,
)
from apps.technology.models.flows import DataFlow, Integration, Transfer
from apps.technology.models.implementation import ImplementationGate
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
from apps.technology.models.naming import NamingRule
from apps.technology.models.policy import StackPolicy
from apps.technology.models.renewals import CalendarFeed, RenewalAlert, RenewalDecision
from apps.technology.models.reviews import ReviewAction, ReviewItem, ReviewPack
from apps.technology.models.use import Licence, ReclaimTask, Seat, UtilisationSample

__all__ = [
    "TCO_FIELDS",
    "AdminStandard",
    "Attestation",
    "AvailabilitySample",
    "CalendarFeed",
    "Candidate",
    "Capability",
    "Contract",
    "CostLine",
    "CriteriaSet",
    "Criterion",
    "DataDefinition",
    "DataEntity",
    "DataField",
    "DataFlow",
    "DutyDone",
    "Evaluation",
    "Evaluator",
    "ExchangeRate",
    "ImplementationGate",
    "Integration",
    "Licence",
    "NamingRule",
    "OwnerDuty",
    "ReclaimTask",
    "RenewalAlert",
    "RenewalDecision",
    "ReviewAction",
    "ReviewItem",
    "ReviewPack",
    "Score",
    "Seat",
    "ServiceTarget",
    "StackPolicy",
    "StandardCheck",
    "SystemOfRecord",
    "Tool",
    "ToolCapability",
    "ToolQuerySet",
    "ToolRequest",
    "Transfer",
    "UtilisationSample",
    "Vendor",
    "VendorContact",
    "Waiver",
]
