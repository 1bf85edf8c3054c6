"""The rows of leads: who they are, what they did, and what the rules make of it."""

from apps.leads.models.clients import ChurnSign, Client
from apps.leads.models.company import Company
from apps.leads.models.handoff import Handoff
from apps.leads.models.identities import Identity
from apps.leads.models.intake import Consent, FieldValue, Intake, IntakeSource
from apps.leads.models.judging import Prediction, PredictiveFit, ScoringReview
from apps.leads.models.lead import OWN_RECORDS, Lead, LeadQuerySet
from apps.leads.models.merging import DuplicatePair, Merge
from apps.leads.models.opportunity import Opportunity
from apps.leads.models.quality import QualityCount
from apps.leads.models.routing import Pool, PoolCursor, PoolMember, RoutingBatch, RoutingDecision, WaitingLead
from apps.leads.models.scoring import (
    Accumulator,
    LeadScore,
    Measure,
    ScoreChange,
    ScoreOverride,
    ScoreQueue,
    ScoreRun,
)
from apps.leads.models.segments import SegmentMember, SegmentState
from apps.leads.models.sla import LeadSla, SalesContact
from apps.leads.models.stages import StageInterval
from apps.leads.models.touches import TouchDay, TouchKey, Touchpoint
from apps.leads.models.trials import ScoringTrial, ShadowScore
from apps.leads.models.usage import CompanySnapshot

__all__ = [
    "OWN_RECORDS",
    "Accumulator",
    "ChurnSign",
    "Client",
    "Company",
    "CompanySnapshot",
    "Consent",
    "DuplicatePair",
    "FieldValue",
    "Handoff",
    "Identity",
    "Intake",
    "IntakeSource",
    "Lead",
    "LeadQuerySet",
    "LeadScore",
    "LeadSla",
    "Measure",
    "Merge",
    "Opportunity",
    "Pool",
    "PoolCursor",
    "PoolMember",
    "Prediction",
    "PredictiveFit",
    "QualityCount",
    "RoutingBatch",
    "RoutingDecision",
    "SalesContact",
    "ScoreChange",
    "ScoreOverride",
    "ScoreQueue",
    "ScoreRun",
    "ScoringReview",
    "ScoringTrial",
    "SegmentMember",
    "SegmentState",
    "ShadowScore",
    "StageInterval",
    "TouchDay",
    "TouchKey",
    "Touchpoint",
    "WaitingLead",
]
