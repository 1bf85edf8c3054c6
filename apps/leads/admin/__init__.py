"""The pages of leads."""

from apps.leads.admin.answering import LeadSlaAdmin, SalesContactAdmin
from apps.leads.admin.clients import ClientAdmin
from apps.leads.admin.deals import OpportunityAdmin
from apps.leads.admin.duplicates import DuplicatePairAdmin, MergeAdmin
from apps.leads.admin.handoffs import HandoffAdmin
from apps.leads.admin.judging import PredictiveFitAdmin, ScoringReviewAdmin
from apps.leads.admin.leads import LeadAdmin
from apps.leads.admin.ledger import (
    CompanyAdmin,
    ConsentAdmin,
    IntakeAdmin,
    IntakeSourceAdmin,
    ScoreOverrideAdmin,
    ScoreRunAdmin,
    TouchpointAdmin,
)
from apps.leads.admin.routing import PoolAdmin, PoolMemberAdmin, RoutingDecisionAdmin
from apps.leads.admin.segments import SegmentAdmin
from apps.leads.admin.trials import ScoringTrialAdmin
from apps.leads.admin.usage import CompanySnapshotAdmin

__all__ = [
    "ClientAdmin",
    "CompanyAdmin",
    "CompanySnapshotAdmin",
    "ConsentAdmin",
    "DuplicatePairAdmin",
    "HandoffAdmin",
    "IntakeAdmin",
    "IntakeSourceAdmin",
    "LeadAdmin",
    "LeadSlaAdmin",
    "MergeAdmin",
    "OpportunityAdmin",
    "PoolAdmin",
    "PoolMemberAdmin",
    "PredictiveFitAdmin",
    "RoutingDecisionAdmin",
    "SalesContactAdmin",
    "ScoreOverrideAdmin",
    "ScoreRunAdmin",
    "ScoringReviewAdmin",
    "ScoringTrialAdmin",
    "SegmentAdmin",
    "TouchpointAdmin",
]
